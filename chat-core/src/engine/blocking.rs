use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Blocks a user.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn block(&self, _user: &UserId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Unblocks a user.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn unblock(&self, _user: &UserId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Users he has blocked.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn blocked_users(&self, _page: PageRequest) -> ChatResult<Page<UserView>> {
        Err(ErrorCode::Internal.into())
    }
}

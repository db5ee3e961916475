use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Opens the direct conversation with a user.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn open_direct(&self, _open: OpenDirect) -> ChatResult<OpenDirectAnswer> {
        Err(ErrorCode::Internal.into())
    }
}

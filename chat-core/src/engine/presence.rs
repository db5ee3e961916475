use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Users who are online, as far as he may know.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn online_users(&self, _limit: Option<usize>) -> ChatResult<Vec<UserView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Presence of these users, as far as he may know.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn presence(&self, _ids: &[UserId]) -> ChatResult<Vec<UserPresence>> {
        Err(ErrorCode::Internal.into())
    }
}
impl ChatEngine {
    pub(crate) async fn report_presence(&self, _entry: &std::sync::Arc<crate::live::Entry>) {}
    pub(crate) fn session_gone(&self, _entry: &std::sync::Arc<crate::live::Entry>) {}
}

impl Actor {
    pub(crate) async fn presence_of(&self, _users: &[User]) -> ChatResult<Vec<UserPresence>> {
        Ok(Vec::new())
    }
    pub(crate) async fn may_see_online(&self, _user: &User) -> ChatResult<bool> {
        Ok(true)
    }
}

use super::*;
use crate::error::ErrorCode;
use crate::model::User;
use crate::view::UserView;

impl Actor {
    /// Users as he sees them, with presence as far as he may know, in the same order.
    pub(crate) async fn render_users(&self, _users: Vec<User>) -> ChatResult<Vec<UserView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Users by id, in the order of the ids; unknown ones are left out.
    pub(crate) async fn render_user_ids(&self, _ids: &[UserId]) -> ChatResult<Vec<UserView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Known users (store first, then the host's directory), in any order.
    pub(crate) async fn find_users(&self, _ids: &[UserId]) -> ChatResult<Vec<User>> {
        Err(ErrorCode::Internal.into())
    }
}

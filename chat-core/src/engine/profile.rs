use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// The caller himself.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn me(&self) -> ChatResult<UserView> {
        Err(ErrorCode::Internal.into())
    }
    /// Changes his profile.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn update_me(&self, _patch: ProfilePatch) -> ChatResult<UserView> {
        Err(ErrorCode::Internal.into())
    }
    /// His private settings.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn settings(&self) -> ChatResult<UserSettings> {
        Err(ErrorCode::Internal.into())
    }
    /// Changes them.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn update_settings(&self, _patch: SettingsPatch) -> ChatResult<UserSettings> {
        Err(ErrorCode::Internal.into())
    }
    /// Another user.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn user(&self, _id: &UserId) -> ChatResult<UserView> {
        Err(ErrorCode::Internal.into())
    }
    /// Users by name, or by the whole e-mail address or phone number.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn search_users(&self, _q: &str, _page: PageRequest) -> ChatResult<Page<UserView>> {
        Err(ErrorCode::Internal.into())
    }
    /// Users with whom he has a direct conversation.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn contacts(&self, _page: PageRequest) -> ChatResult<Page<UserView>> {
        Err(ErrorCode::Internal.into())
    }
}

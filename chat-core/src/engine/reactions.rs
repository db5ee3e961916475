use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Adds his reaction.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn add_reaction(&self, _react: ReactTo) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
    /// Removes his reaction.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn remove_reaction(&self, _react: ReactTo) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
}

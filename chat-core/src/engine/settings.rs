use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Changes his own side of a conversation.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn update_conversation_settings(
        &self,
        _id: ConversationId,
        _patch: ConversationSettings,
    ) -> ChatResult<ConversationView> {
        Err(ErrorCode::Internal.into())
    }
    /// Clears its history for himself.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn clear(&self, _id: ConversationId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Clears and hides it.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn hide(&self, _id: ConversationId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
}

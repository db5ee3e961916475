use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Changes a group.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn update_conversation(
        &self,
        _id: ConversationId,
        _patch: ConversationPatch,
    ) -> ChatResult<ConversationView> {
        Err(ErrorCode::Internal.into())
    }
}

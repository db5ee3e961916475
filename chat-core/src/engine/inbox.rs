use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// His conversations.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn conversations(&self, _list: ListConversations) -> ChatResult<Page<ConversationView>> {
        Err(ErrorCode::Internal.into())
    }
    /// One conversation.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn conversation(&self, _id: ConversationId) -> ChatResult<ConversationView> {
        Err(ErrorCode::Internal.into())
    }
    /// His totals.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn badge(&self) -> ChatResult<Badge> {
        Err(ErrorCode::Internal.into())
    }
}
impl Actor {
    /// Refuses unless he may read the conversation.
    pub(crate) async fn check_readable(&self, _id: ConversationId) -> ChatResult<()> {
        Ok(())
    }
}

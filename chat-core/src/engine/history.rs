use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// A page of history.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn history(&self, _id: ConversationId, _request: HistoryRequest) -> ChatResult<HistoryPage> {
        Err(ErrorCode::Internal.into())
    }
    /// One message.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn message(&self, _id: MessageId) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
}

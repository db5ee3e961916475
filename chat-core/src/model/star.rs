use crate::id::{ConversationId, MessageId, UserId};
use crate::model::Seq;

/// A user's private bookmark of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// Whose.
    pub user_id: UserId,
    /// Where the message is.
    pub conversation_id: ConversationId,
    /// Which message.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
}

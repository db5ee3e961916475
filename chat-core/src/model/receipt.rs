use serde::{Deserialize, Serialize};

use super::{Rev, Seq};
use crate::id::{ConversationId, MessageId, UserId};
use crate::time::Timestamp;

/// Who may learn of one step of a read mark: the reader's `receipts` setting at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadAudience {
    /// Only the reader.
    Nobody,
    /// His contacts.
    Contacts,
    /// Every member.
    Everyone,
}

/// One step of a member's marks, kept so that "when did u read m" has an answer: the first step whose `to` reaches
/// `m.seq`. The log only grows, one row per step and not per message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// Whose mark.
    pub user_id: UserId,
    /// `None`: the delivered mark. `Some`: the read mark, for that audience.
    pub read: Option<ReadAudience>,
    /// The mark before.
    pub from: Seq,
    /// The mark after.
    pub to: Seq,
    /// When.
    pub at: Timestamp,
}

/// One user's reaction to one message; unique by message, user and emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// To which message.
    pub message_id: MessageId,
    /// Whose.
    pub user_id: UserId,
    /// Which, normalised.
    pub emoji: String,
    /// When.
    pub at: Timestamp,
}

/// "Delete for me": one message out of one user's sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hide {
    /// Whose sight.
    pub user_id: UserId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// Which message.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
    /// The conversation's rev when it was hidden.
    pub rev: Rev,
}

/// `blocker` wants nothing of `blocked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Who blocks.
    pub blocker: UserId,
    /// Who is blocked.
    pub blocked: UserId,
    /// Since when.
    pub at: Timestamp,
}

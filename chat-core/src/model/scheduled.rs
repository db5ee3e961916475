use serde::{Deserialize, Serialize};

use crate::command::SendMessage;
use crate::id::{ClientId, ConversationId, MessageId, ScheduledId, UserId};
use crate::time::Timestamp;

/// Where a scheduled message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScheduledState {
    /// It waits for its time.
    Pending,
    /// It was sent.
    Sent,
    /// It was refused when its time came.
    Failed,
    /// Its owner does not want it any more.
    Cancelled,
}

/// A message that is to be sent later. Only its owner knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduled {
    /// Its id. With a client id it follows from owner and key, so that the same key is the same row.
    pub id: ScheduledId,
    /// Whose it is: who sends it.
    pub user_id: UserId,
    /// The owner's own key.
    pub client_id: Option<ClientId>,
    /// SHA-256 (hex) of what was asked for first, to tell a replay from a conflict.
    pub payload_hash: Option<String>,
    /// Where to; absent until the direct of the two exists.
    pub conversation_id: Option<ConversationId>,
    /// To whom, when it was addressed so.
    pub recipient_id: Option<UserId>,
    /// What will be sent, without address and key; emptied once it was sent or cancelled.
    pub message: SendMessage,
    /// Not before then.
    pub send_at: Timestamp,
    /// Where it stands.
    pub state: ScheduledState,
    /// The message it became.
    pub message_id: Option<MessageId>,
    /// Why it failed: a code of the wire contract.
    pub error_code: Option<String>,
    /// 1, and one more for every change its owner can see.
    pub version: u32,
    /// The owner's `user_rev` of the last such change; given by the store.
    pub user_rev: u64,
    /// How often it was claimed by a worker.
    pub claims: u32,
    /// It belongs to the worker of the last claim until then, by the store's clock.
    pub claimed_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner could last see it change.
    pub changed_at: Timestamp,
}

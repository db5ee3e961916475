use serde::Serialize;

use crate::command::SendMessage;
use crate::id::{ClientId, ConversationId, MessageId, ScheduledId, UserId};
use crate::model::{Scheduled, ScheduledState};
use crate::time::Timestamp;

/// A scheduled message as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Scheduled))]
pub struct ScheduledView {
    /// Its id.
    pub id: ScheduledId,
    /// The owner's own key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Where to; absent until the direct of the two exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// To whom, when it was addressed so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<UserId>,
    /// What will be sent, without address and key; nothing but the kind once it was sent or cancelled.
    pub message: SendMessage,
    /// When.
    pub send_at: Timestamp,
    /// Where it stands.
    pub state: ScheduledState,
    /// The message it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// 1, and one more for every change.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ScheduledView {
    /// What the owner sees of a row.
    #[must_use]
    pub fn of(row: Scheduled) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            conversation_id: row.conversation_id,
            recipient_id: row.recipient_id,
            message: row.message,
            send_at: row.send_at,
            state: row.state,
            message_id: row.message_id,
            error_code: row.error_code,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// Answer to a scheduling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduledAnswer {
    /// The scheduled message; for a replay as it is now.
    pub scheduled: ScheduledView,
    /// Whether the client id had been used for it before.
    pub replayed: bool,
}

use serde::{Deserialize, Serialize};

use super::{MeetingDraft, PageRequest, SendMessage};
use crate::decode::{nullable, present};
use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, ScheduledId, UserId};
use crate::model::{CustomContent, Location, MessageKind, TextFormat};
use crate::time::Timestamp;

/// A message to send later: the fields of [`SendMessage`] and a time. Exactly one of `conversation_id` and
/// `recipient_id` says where to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ScheduleMessage {
    /// When; 5 seconds to 365 days ahead.
    pub send_at: Timestamp,
    /// To this conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// To this user: the direct conversation is found or made when it is sent.
    #[serde(default)]
    pub recipient_id: Option<UserId>,
    /// The owner's own key; makes retries safe. Strongly advised.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// What it is.
    #[serde(default)]
    pub kind: MessageKind,
    /// At most 10,000 characters and 16,384 bytes.
    #[serde(default)]
    pub text: Option<String>,
    /// How to show the text.
    #[serde(default)]
    pub format: TextFormat,
    /// At most 10 of the owner's own unused uploads; they are reserved for it.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    /// For `location`.
    #[serde(default)]
    pub location: Option<Location>,
    /// For `meeting`.
    #[serde(default)]
    pub meeting: Option<MeetingDraft>,
    /// For `custom`.
    #[serde(default)]
    pub custom: Option<CustomContent>,
    /// The message answered, of the same conversation.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// At most 50 user ids; `"@all"` mentions everyone where that is allowed.
    #[serde(default)]
    pub mentions: Vec<UserId>,
    /// Does not count, push or move the list.
    #[serde(default)]
    pub silent: bool,
    /// The client's own time; kept as data.
    #[serde(default)]
    pub client_time: Option<Timestamp>,
}

impl ScheduleMessage {
    /// This message, then.
    #[must_use]
    pub fn new(message: SendMessage, send_at: Timestamp) -> Self {
        // Without `..`, so that a new field of one is a new field of the other.
        let SendMessage {
            conversation_id,
            recipient_id,
            client_id,
            kind,
            text,
            format,
            attachment_ids,
            location,
            meeting,
            custom,
            reply_to,
            mentions,
            silent,
            client_time,
        } = message;
        Self {
            send_at,
            conversation_id,
            recipient_id,
            client_id,
            kind,
            text,
            format,
            attachment_ids,
            location,
            meeting,
            custom,
            reply_to,
            mentions,
            silent,
            client_time,
        }
    }

    /// The message, and when.
    #[must_use]
    pub fn into_parts(self) -> (SendMessage, Timestamp) {
        let message = SendMessage {
            conversation_id: self.conversation_id,
            recipient_id: self.recipient_id,
            client_id: self.client_id,
            kind: self.kind,
            text: self.text,
            format: self.format,
            attachment_ids: self.attachment_ids,
            location: self.location,
            meeting: self.meeting,
            custom: self.custom,
            reply_to: self.reply_to,
            mentions: self.mentions,
            silent: self.silent,
            client_time: self.client_time,
        };
        (message, self.send_at)
    }
}

/// Changes a pending scheduled message; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateScheduled {
    /// Which one.
    pub scheduled_id: ScheduledId,
    /// The new text; `null` removes it, where something else is left to show.
    #[serde(default, deserialize_with = "nullable")]
    pub text: Option<Option<String>>,
    /// The new mentions.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub mentions: Option<Vec<UserId>>,
    /// The new time.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub send_at: Option<Timestamp>,
    /// Refuse with `version_conflict` unless this is the current version.
    #[serde(default)]
    pub expected_version: Option<u32>,
}

/// Cancels a scheduled message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelScheduled {
    /// Which one.
    pub scheduled_id: ScheduledId,
}

/// `GET /scheduled`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListScheduled {
    /// Only those to this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Which page.
    pub page: PageRequest,
}

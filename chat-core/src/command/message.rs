use serde::{Deserialize, Serialize};

use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, UserId};
use crate::model::{CustomContent, Location, MessageKind, Seq, TextFormat};
use crate::time::Timestamp;

/// A proposal to meet, as its sender writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MeetingDraft {
    /// Where, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where on the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// When; in the future.
    pub scheduled_at: Timestamp,
    /// A word with it, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A message to send. Exactly one of `conversation_id` and `recipient_id` says where to; on REST routes that name
/// the conversation in their path neither is allowed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SendMessage {
    /// To this conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// To this user: the direct conversation is found or made in the same step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<UserId>,
    /// The sender's own key; makes retries safe. Strongly advised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it is.
    pub kind: MessageKind,
    /// At most 10,000 characters and 16,384 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How to show the text.
    pub format: TextFormat,
    /// At most 10 of the sender's own unused uploads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment_ids: Vec<AttachmentId>,
    /// For `location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// For `meeting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<MeetingDraft>,
    /// For `custom`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomContent>,
    /// The message answered, of the same conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// At most 50 user ids; `"@all"` mentions everyone where that is allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// Does not count, push or move the list.
    pub silent: bool,
    /// The client's own time; kept as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_time: Option<Timestamp>,
}

impl SendMessage {
    /// A text to a conversation.
    #[must_use]
    pub fn text(conversation: ConversationId, text: impl Into<String>) -> Self {
        Self {
            conversation_id: Some(conversation),
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A text to a user.
    #[must_use]
    pub fn text_to(recipient: UserId, text: impl Into<String>) -> Self {
        Self {
            recipient_id: Some(recipient),
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// With the sender's own key.
    #[must_use]
    pub fn with_client_id(mut self, client_id: ClientId) -> Self {
        self.client_id = Some(client_id);
        self
    }
}

/// Sends a copy of a message on. Exactly one of `conversation_id` and `recipient_id` says where to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ForwardMessage {
    /// Which message.
    pub message_id: MessageId,
    /// To this conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// To this user: the direct conversation is found or made in the same step.
    #[serde(default)]
    pub recipient_id: Option<UserId>,
    /// The sender's own key; makes retries safe. Strongly advised.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// Does not count, push or move the list.
    #[serde(default)]
    pub silent: bool,
    /// The client's own time; kept as data.
    #[serde(default)]
    pub client_time: Option<Timestamp>,
}

/// Pins a message, or takes its pin off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PinMessage {
    /// Which message.
    pub message_id: MessageId,
    /// Only when it is of this conversation.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
}

/// Stars a message for the caller, or takes his star off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StarMessage {
    /// Which message.
    pub message_id: MessageId,
}

/// `GET /starred`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StarredMessages {
    /// Only there.
    pub conversation_id: Option<ConversationId>,
    /// Which page.
    pub page: super::PageRequest,
}

/// Changes the text of one's own message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EditMessage {
    /// Which message.
    pub message_id: MessageId,
    /// The new text.
    pub text: String,
    /// The new mentions; absent: those of the old text that are still members.
    #[serde(default)]
    pub mentions: Option<Vec<UserId>>,
    /// Refuse with `version_conflict` unless this is the current version.
    #[serde(default)]
    pub expected_version: Option<u32>,
}

/// Out of whose sight a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeletionScope {
    /// Out of the caller's.
    Me,
    /// Out of everyone's.
    Everyone,
}

/// Deletes a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeleteMessage {
    /// Which message.
    pub message_id: MessageId,
    /// For whom.
    #[serde(rename = "for")]
    pub scope: DeletionScope,
}

/// Adds or removes the caller's reaction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReactTo {
    /// To which message.
    pub message_id: MessageId,
    /// 1-64 bytes.
    pub emoji: String,
}

/// Keeps a disappearing message, or lets it go again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeepMessage {
    /// Which message.
    pub message_id: MessageId,
}

/// A step of a meeting proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MeetingAction {
    /// The invitee accepts.
    Confirm,
    /// The invitee refuses.
    Reject,
    /// Either side calls it off.
    Cancel,
    /// Either side proposes another time.
    Reschedule,
    /// It took place.
    Complete,
}

/// `POST /messages/{id}/meeting`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepMeeting {
    /// Which step.
    pub action: MeetingAction,
    /// The meeting's version the caller has seen.
    pub expected_version: u32,
    /// The new time, for `reschedule`.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    /// The new place, for `reschedule`.
    #[serde(default)]
    pub place: Option<String>,
}

/// `PATCH /messages/{id}/location`: a new position, or the end of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MoveLocation {
    /// Degrees, -90 to 90.
    pub latitude: Option<f64>,
    /// Degrees, -180 to 180.
    pub longitude: Option<f64>,
    /// Ends the live location.
    pub stop: Option<bool>,
}

/// In which order a page of history comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryOrder {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

/// `GET /conversations/{id}/messages`. At most one of `before`, `after` and `around`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Before this seq, exclusive.
    pub before: Option<Seq>,
    /// After this seq, exclusive.
    pub after: Option<Seq>,
    /// Around this seq, inclusive.
    pub around: Option<Seq>,
    /// At most so many.
    pub limit: Option<usize>,
    /// In which order.
    pub order: HistoryOrder,
    /// Only this kind.
    pub kind: Option<MessageKind>,
}

/// `GET /mentions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListMentions {
    /// Only those that count as unread.
    pub unread: bool,
    /// Which page.
    pub page: super::PageRequest,
}

/// `GET /search/messages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchMessages {
    /// What the text contains, literally, 1-500 bytes.
    pub q: String,
    /// Only there.
    pub conversation_id: Option<ConversationId>,
    /// Only by him.
    pub sender_id: Option<UserId>,
    /// Only this kind.
    pub kind: Option<MessageKind>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Which page.
    pub page: super::PageRequest,
}

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonObject, Rev, Seq};
use crate::id::{AttachmentId, ClientId, ConversationId, MessageId, UserId};
use crate::time::Timestamp;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Text.
    #[default]
    Text,
    /// Pictures, with or without text.
    Image,
    /// Films.
    Video,
    /// Sound.
    Audio,
    /// Any files.
    File,
    /// A place, still or live.
    Location,
    /// A proposal to meet.
    Meeting,
    /// A line written by the engine.
    System,
    /// The host's own typed payload.
    Custom,
}

impl MessageKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::File,
        Self::Location,
        Self::Meeting,
        Self::System,
        Self::Custom,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
            Self::Location => "location",
            Self::Meeting => "meeting",
            Self::System => "system",
            Self::Custom => "custom",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it is made of files.
    #[must_use]
    pub const fn is_media(self) -> bool {
        matches!(self, Self::Image | Self::Video | Self::Audio | Self::File)
    }
}

/// How clients should show the text; the engine never interprets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// As it stands.
    #[default]
    Plain,
    /// Markdown.
    Markdown,
}

/// A place on earth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// Degrees, -180 to 180.
    pub longitude: f64,
    /// Name of the place, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A live location moves until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_until: Option<Timestamp>,
}

/// Where a meeting proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MeetingStatus {
    /// Waits for the other side.
    Pending,
    /// Accepted.
    Confirmed,
    /// Another time was proposed; waits for the other side of that proposal.
    Rescheduled,
    /// Refused; final.
    Rejected,
    /// Called off; final.
    Canceled,
    /// Its time passed without an answer; final.
    Expired,
    /// It took place; final.
    Completed,
}

/// A proposal to meet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meeting {
    /// Where, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where on the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// When.
    pub scheduled_at: Timestamp,
    /// A word with it, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands. What a viewer sees also depends on the clock.
    pub status: MeetingStatus,
    /// Who proposed the present time; the others answer.
    pub proposed_by: UserId,
    /// Count of steps, for optimistic concurrency.
    pub version: u32,
}

/// The host's own typed payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CustomContent {
    /// The host's name of the type, 1-64 bytes.
    #[serde(rename = "type")]
    pub kind: String,
    /// Any JSON; with `type` at most 8 KiB.
    #[serde(default)]
    pub data: Value,
}

/// A line written by the engine: a code and its parameters, for clients to put into words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemContent {
    /// What happened, such as `member_added`.
    pub code: String,
    /// To whom or what.
    pub params: JsonObject,
}

/// Says that a message was forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Forwarded {
    /// Who wrote the first original, where that is told. His name is looked up when the message is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<UserId>,
}

/// What a message carries beside its text. Stores keep it as one JSON value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Files, in the sender's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentId>,
    /// The place of a location message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The proposal of a meeting message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<Meeting>,
    /// The payload of a custom message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomContent>,
    /// The line of a system message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemContent>,
    /// Set when it was forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
}

/// What a message answers. Only the address is kept: the quote is resolved when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTarget {
    /// The message answered.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
}

/// By whose right a message was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeletionBy {
    /// By him who wrote it.
    Author,
    /// By an admin, the owner or the host.
    Moderator,
}

/// What is left of a deleted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deletion {
    /// When.
    pub at: Timestamp,
    /// By whose right.
    pub by: DeletionBy,
}

/// That a disappearing message stays: its timer stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Since when.
    pub at: Timestamp,
    /// Who keeps it.
    pub by: UserId,
    /// When it would have expired, and does again once nobody keeps it.
    pub expires_at: Timestamp,
}

/// Since when a message is pinned, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pin {
    /// Since when.
    pub at: Timestamp,
    /// Who pinned it.
    pub by: UserId,
}

/// The words a message had before an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerText {
    /// Where the message is.
    pub conversation_id: ConversationId,
    /// Of which message.
    pub message_id: MessageId,
    /// The version that had them.
    pub version: u32,
    /// The words.
    pub text: String,
    /// When an edit replaced them.
    pub edited_at: Timestamp,
}

/// A message as it is kept; what one member sees of it is a `MessageView`.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub seq: Seq,
    /// Rev of its last change.
    pub rev: Rev,
    /// Who wrote it. For a system line: who caused it.
    pub sender_id: UserId,
    /// The sender's key of the send.
    pub client_id: Option<ClientId>,
    /// SHA-256 (hex) of the canonical payload, to tell a replay from a conflict.
    pub payload_hash: Option<String>,
    /// What it is.
    pub kind: MessageKind,
    /// The text; empty when there is none.
    pub text: String,
    /// How to show the text.
    pub format: TextFormat,
    /// What it carries beside the text.
    pub content: Content,
    /// What it answers.
    pub reply_to: Option<ReplyTarget>,
    /// Members it mentions, without `all`.
    pub mentions: Vec<UserId>,
    /// Whether it mentions everyone.
    pub mentions_all: bool,
    /// A silent message does not count, push or move the list.
    pub silent: bool,
    /// Whether it counts as unread: neither silent nor (by policy) a system line.
    pub countable: bool,
    /// The client's own time: data, never order.
    pub client_time: Option<Timestamp>,
    /// When the store took it; never decreases along `seq`.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// 1, and one more for every edit.
    pub version: u32,
    /// Set when it was deleted for everyone; then text, content and mentions are empty.
    pub deleted: Option<Deletion>,
    /// Invisible from then on; `None` also while it is `kept`.
    pub expires_at: Option<Timestamp>,
    /// Set while a disappearing message is kept.
    pub kept: Option<Kept>,
    /// Set while it is pinned; never on a tombstone.
    pub pinned: Option<Pin>,
}

impl Message {
    /// Whether it was deleted for everyone.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether its time is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether there is still something in it: a text, or anything in [`Content`].
    #[must_use]
    pub fn has_content(&self) -> bool {
        !self.text.is_empty() || self.content != Content::default()
    }

    /// Whether it mentions `user`.
    #[must_use]
    pub fn mentions_user(&self, user: &UserId) -> bool {
        self.sender_id != *user && (self.mentions_all || self.mentions.contains(user))
    }
}

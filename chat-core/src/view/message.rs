use serde::Serialize;

use super::{AttachmentView, ErrorView};
use crate::id::{ClientId, ConversationId, MessageId, UserId};
use crate::model::{
    CustomContent, Deletion, Hide, Location, MeetingStatus, Message, MessageKind, Pin, Rev, Seq,
    SystemContent, TextFormat,
};
use crate::time::Timestamp;
use crate::view::{ConversationView, UserView};

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SenderView {
    /// The host's id.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// Picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Only when he was erased; `name` is a word for that then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
}

/// How far a message of the viewer's own got. Never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored.
    Sent,
    /// On a device of every recipient.
    Delivered,
    /// Read by every recipient.
    Read,
}

/// How many recipients a message of the viewer's own reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptCounts {
    /// Members who were there when it was sent and still are, without its author.
    pub recipients: u64,
    /// Those it was delivered to.
    pub delivered: u64,
    /// Those who have read it, as far as the viewer may know.
    pub read: u64,
}

/// What is left to see of the message answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// It is there.
    Visible,
    /// It was deleted for everyone.
    Deleted,
    /// It is not for the viewer to see.
    Unavailable,
}

/// The beginning of the message answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplyPreview {
    /// Who wrote it.
    pub sender_id: UserId,
    /// What it is.
    pub kind: MessageKind,
    /// At most 100 characters.
    pub text: String,
}

/// What a message answers, resolved when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplyView {
    /// The message answered.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
    /// What is left to see of it.
    pub state: ReplyState,
    /// Its beginning, when it is visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<ReplyPreview>,
}

/// Reactions with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReactionView {
    /// Which.
    pub emoji: String,
    /// How many users.
    pub count: u64,
    /// Whether the viewer is one of them.
    pub mine: bool,
    /// The first few of them.
    pub users: Vec<UserId>,
}

/// A place.
pub type LocationView = Location;

/// A proposal to meet, with the status the clock makes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = MeetingProposal))]
pub struct MeetingView {
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// When.
    pub scheduled_at: Timestamp,
    /// A word with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands now.
    pub status: MeetingStatus,
    /// Who proposed the present time.
    pub proposed_by: UserId,
    /// Count of steps.
    pub version: u32,
}

/// Says that a message was forwarded, and from whom where that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Forwarded))]
pub struct ForwardedView {
    /// Who wrote the first original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<UserId>,
    /// His display name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A message as one member sees it. A tombstone has `deleted` and neither text nor content.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Message))]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub seq: Seq,
    /// Rev of its last change.
    pub rev: Rev,
    /// Who wrote it.
    pub sender: SenderView,
    /// The sender's own key; only for the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it is.
    pub kind: MessageKind,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How to show the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<TextFormat>,
    /// Its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<AttachmentView>>,
    /// Its place on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationView>,
    /// Its proposal to meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<MeetingView>,
    /// The host's own payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomContent>,
    /// The line of a system message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemContent>,
    /// Set when it was forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<ForwardedView>,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyView>,
    /// Whom it mentions; `"@all"` for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<Vec<UserId>>,
    /// Reactions to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reactions: Option<Vec<ReactionView>>,
    /// How far it got; only for its sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How many it reached; only for its sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<ReceiptCounts>,
    /// Whether it came silently.
    pub silent: bool,
    /// The client's own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_time: Option<Timestamp>,
    /// When the store took it.
    pub created_at: Timestamp,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// 1, and one more for every edit.
    pub version: u32,
    /// Set when the viewer has starred it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starred: Option<bool>,
    /// Set while it is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pin>,
    /// Set for a viewer who has blocked its sender (groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_blocked: Option<bool>,
    /// Set when it was deleted for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// It disappears then, for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Set while it would disappear and is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptView>,
}

/// That a disappearing message stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Kept))]
pub struct KeptView {
    /// Since when.
    pub at: Timestamp,
    /// Who keeps it.
    pub by: UserId,
}

/// What a message said before an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = FormerText))]
pub struct FormerTextView {
    /// The version that said it.
    pub version: u32,
    /// Its words.
    pub text: String,
    /// When an edit replaced them.
    pub edited_at: Timestamp,
}

/// A message that is gone: for this viewer, or for everyone because its time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoneView {
    /// Its id.
    pub id: MessageId,
    /// Where it was.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub seq: Seq,
    /// When in the order of changes it went.
    pub rev: Rev,
    /// Always true.
    pub gone: bool,
}

impl GoneView {
    /// Of a message that is gone.
    #[must_use]
    pub const fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            seq: message.seq,
            rev: message.rev,
            gone: true,
        }
    }

    /// Of a message its viewer has hidden.
    #[must_use]
    pub const fn of_hide(hide: &Hide) -> Self {
        Self {
            id: hide.message_id,
            conversation_id: hide.conversation_id,
            seq: hide.seq,
            rev: hide.rev,
            gone: true,
        }
    }
}

/// Answer to a send.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SentMessage {
    /// The message; for a replay the original as it is now.
    pub message: MessageView,
    /// Whether the client id had been used for it before.
    pub replayed: bool,
    /// Mentioned users who were left out: not members, or not to be mentioned.
    pub dropped_mentions: Vec<UserId>,
    /// The conversation, when it was sent by recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationView>,
}

/// Answer of commands that change a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageAnswer {
    /// The message after the change.
    pub message: MessageView,
}

/// The closed span of seqs a page covers: what is not in it, is not there and never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryRange {
    /// The first seq covered.
    pub from: Seq,
    /// The last seq covered.
    pub to: Seq,
}

/// A page of history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The messages, in the order asked for.
    pub items: Vec<MessageView>,
    /// What the page covers.
    pub range: HistoryRange,
    /// Whether there is something before.
    pub has_more_before: bool,
    /// Whether there is something after.
    pub has_more_after: bool,
}

/// Who has a message, and since when.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptView {
    /// The recipient.
    pub user: UserView,
    /// When it was delivered to him.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When he read it, as far as the viewer may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// The caller's marks after a mark, or why one was refused.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum MarkAnswer {
    /// It holds.
    Marked {
        /// Where.
        conversation_id: ConversationId,
        /// Everything up to here has reached a device.
        delivered_seq: Seq,
        /// Everything up to here was read.
        read_seq: Seq,
        /// What is left.
        unread_count: u64,
    },
    /// It was refused; the others of the batch are not affected.
    Refused {
        /// Where.
        conversation_id: ConversationId,
        /// Why.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        error: ErrorView,
    },
}

/// Answer to a batch of marks, in its order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarksAnswer {
    /// One entry per entry of the request.
    pub marks: Vec<MarkAnswer>,
}

use serde::Serialize;

use super::{PresenceView, UserView};
use crate::id::{ConversationId, UserId};
use crate::model::{
    ConversationKind, JsonObject, MessageKind, Muted, NotificationLevel, Permissions, Rev, Role, Seq,
};
use crate::time::Timestamp;

/// A member as other members see him.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Member))]
pub struct MemberView {
    /// Who.
    pub user: UserView,
    /// Rank.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// Everything up to here has reached him.
    pub delivered_seq: Seq,
    /// Everything up to here was read by him, as far as the viewer may know.
    pub read_seq: Seq,
    /// He may not write here until then; shown to himself and to admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "forever"))]
    pub muted_until: Option<Muted>,
}

/// The newest message, for the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = LastMessage))]
pub struct LastMessageView {
    /// Its seq.
    pub seq: Seq,
    /// What it is.
    pub kind: MessageKind,
    /// Who wrote it.
    pub sender_id: UserId,
    /// Its text, or a word for what it is.
    pub preview: String,
    /// When.
    pub created_at: Timestamp,
    /// It disappears then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Only for a viewer who blocked its sender (groups): `preview` says no more than what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_blocked: Option<bool>,
}

/// The caller's own side of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = My))]
pub struct MyView {
    /// Rank.
    pub role: Role,
    /// Everything up to here was read.
    pub read_seq: Seq,
    /// Everything up to here has reached a device.
    pub delivered_seq: Seq,
    /// Unread messages.
    pub unread_count: u64,
    /// Those of them that mention the caller.
    pub mention_count: u64,
    /// The first unread message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_unread_seq: Option<Seq>,
    /// Whether the caller marked it unread.
    pub marked_unread: bool,
    /// On top of the list since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// Silent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "forever"))]
    pub muted_until: Option<Muted>,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is hidden.
    pub hidden: bool,
    /// Nothing below this is visible to the caller: it is from before he joined, or he has cleared it.
    pub visible_from_seq: Seq,
    /// Which messages alert.
    pub notification_level: NotificationLevel,
    /// When slow mode lets the caller send again; absent when it does already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_send_at: Option<Timestamp>,
    /// What the caller may do here.
    pub can: Vec<&'static str>,
}

/// A conversation as one member sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Conversation))]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// Direct or group.
    pub kind: ConversationKind,
    /// Name of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Description of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Picture of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Time of the newest countable message.
    pub last_activity_at: Timestamp,
    /// Count of persistent changes.
    pub rev: Rev,
    /// The newest message's seq.
    pub last_seq: Seq,
    /// Messages below this were purged for everyone; clients drop them.
    pub first_seq: Seq,
    /// Messages are purged so many seconds after they were sent; absent where they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_seconds: Option<u64>,
    /// How many members.
    pub member_count: u32,
    /// The members, in direct conversations and small groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberView>>,
    /// The other user of a direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<UserView>,
    /// The newest message the caller sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessageView>,
    /// The caller's own side.
    pub my: MyView,
    /// Who may do what.
    pub permissions: Permissions,
    /// Whether messages are stopped.
    pub frozen: bool,
    /// Messages sent from now on disappear so many milliseconds after they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_ttl_ms: Option<u64>,
    /// Members who are no admins wait so long between two messages, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_mode_ms: Option<u64>,
    /// The host's own data.
    pub custom: JsonObject,
}

impl ConversationView {
    /// The peer's presence, where it is a direct.
    #[must_use]
    pub fn peer_presence(&self) -> Option<PresenceView> {
        self.peer.as_ref().and_then(|peer| peer.presence.clone())
    }
}

/// A page of the list of conversations: by cursor, or by number with the total.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationPage {
    /// The conversations.
    pub items: Vec<ConversationView>,
    /// By cursor: opaque; present when there is more. Good for the same caller and list only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// By number: how many conversations the list has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// By number: which page this is, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<usize>,
    /// By number: how many pages there are; 0 for an empty list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u64>,
}

/// Answer to opening a direct.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenDirectAnswer {
    /// The one conversation of the two.
    pub conversation: ConversationView,
    /// Whether this call made it.
    pub created: bool,
}

/// Answer to creating a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateGroupAnswer {
    /// The group.
    pub conversation: ConversationView,
    /// Whether this call made it; a repeated `client_id` finds it.
    pub created: bool,
    /// Users who were not added.
    pub skipped: Vec<UserId>,
}

/// Answer to adding members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddMembersAnswer {
    /// Members now.
    pub added: Vec<UserId>,
    /// Were members before.
    pub already_members: Vec<UserId>,
    /// Unknown, blocked, or not to be added by the caller.
    pub skipped: Vec<UserId>,
}

/// Answer to reading everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadAllAnswer {
    /// How many conversations had something unread.
    pub conversations: usize,
}

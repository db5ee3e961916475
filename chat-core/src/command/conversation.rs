use serde::Deserialize;

use crate::decode::{nullable, present};
use crate::id::{AttachmentId, ClientId, ConversationId, UserId};
use crate::model::{JsonObject, Muted, NotificationLevel, Permission, Role, Seq};
use crate::store::InboxFilter;

/// `POST /conversations/direct`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenDirect {
    /// The other user.
    pub user_id: UserId,
}

/// Permissions to change; absent ones stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PermissionsPatch {
    /// Who sends.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub send: Option<Permission>,
    /// Who adds members.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub add_members: Option<Permission>,
    /// Who edits name, description and picture.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub edit_info: Option<Permission>,
    /// Who pins messages.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub pin_messages: Option<Permission>,
}

/// `POST /conversations/group`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// 1-120 characters.
    pub name: String,
    /// The other members; the creator need not be among them.
    pub member_ids: Vec<UserId>,
    /// At most 500 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// An uploaded picture.
    #[serde(default)]
    pub avatar_attachment_id: Option<AttachmentId>,
    /// Where they differ from the defaults.
    #[serde(default)]
    pub permissions: Option<PermissionsPatch>,
    /// The host's own data, at most 8 KiB.
    #[serde(default)]
    pub custom: Option<JsonObject>,
    /// The same key of the same creator is the same group.
    #[serde(default)]
    pub client_id: Option<ClientId>,
}

/// `PATCH /conversations/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConversationPatch {
    /// New name, 1-120 characters.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// New description; `null` removes it.
    #[serde(deserialize_with = "nullable")]
    pub description: Option<Option<String>>,
    /// New picture; `null` removes it.
    #[serde(deserialize_with = "nullable")]
    pub avatar_attachment_id: Option<Option<AttachmentId>>,
    /// Permissions to change.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub permissions: Option<PermissionsPatch>,
    /// Whether messages are stopped.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub frozen: Option<bool>,
    /// Messages sent from now on disappear so many milliseconds after they were sent; `null`: they stay. The only
    /// field that directs have too.
    #[serde(deserialize_with = "nullable")]
    pub message_ttl_ms: Option<Option<u64>>,
    /// How long members who are no admins wait between two messages, in milliseconds, at most an hour; 0 or `null`
    /// ends it.
    #[serde(deserialize_with = "nullable")]
    pub slow_mode_ms: Option<Option<u64>>,
    /// The host's own data, whole; `null` empties it.
    #[serde(deserialize_with = "nullable")]
    pub custom: Option<Option<JsonObject>>,
}

/// `PATCH /conversations/{id}/settings`: the caller's own view of the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConversationSettings {
    /// On top of the list.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub pinned: Option<bool>,
    /// A time, `"forever"`, or `null` to end it.
    #[serde(deserialize_with = "nullable")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, nullable, example = "forever"))]
    pub muted_until: Option<Option<Muted>>,
    /// Out of the list until something new comes.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub archived: Option<bool>,
    /// Which messages alert.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub notification_level: Option<NotificationLevel>,
}

/// `POST /conversations/{id}/members`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddMembers {
    /// Whom to add.
    pub user_ids: Vec<UserId>,
}

/// `PATCH /conversations/{id}/members/{user_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// `admin` or `member`; ownership moves by `PUT …/owner`.
    pub role: Role,
}

/// `mute_member`: takes the right to write from a member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MuteMember {
    /// Where.
    pub conversation_id: ConversationId,
    /// Whom.
    pub user_id: UserId,
    /// A time, or `"forever"`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "forever"))]
    pub until: Muted,
}

/// `unmute_member`: gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnmuteMember {
    /// Where.
    pub conversation_id: ConversationId,
    /// Whom.
    pub user_id: UserId,
}

/// `PUT /conversations/{id}/owner`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TransferOwnership {
    /// The new owner, a member.
    pub user_id: UserId,
}

/// One position in one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Where.
    pub conversation_id: ConversationId,
    /// Up to which message, or (mark unread) from which on. `mark_unread` on an empty conversation needs none.
    #[serde(default)]
    pub seq: Option<Seq>,
}

/// One position, or up to 100 of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    /// Where, for one mark.
    pub conversation_id: Option<ConversationId>,
    /// Up to which message, for one mark.
    pub seq: Option<Seq>,
    /// Several marks, instead.
    pub marks: Option<Vec<Mark>>,
}

/// `typing`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetTyping {
    /// Where.
    pub conversation_id: ConversationId,
    /// Whether the caller is typing.
    pub active: bool,
}

/// `GET /conversations`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListConversations {
    /// Which ones.
    pub filter: InboxFilter,
    /// Part of the group's or the peer's name.
    pub q: Option<String>,
    /// Which page, by cursor.
    pub page: super::PageRequest,
    /// Which page by number, from 1 on, instead of a cursor; its answer has the total.
    pub number: Option<usize>,
}

/// `GET /conversations/{id}/members`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListMembers {
    /// Part of their name.
    pub q: Option<String>,
    /// Only those of this rank.
    pub role: Option<Role>,
    /// Which page.
    pub page: super::PageRequest,
}

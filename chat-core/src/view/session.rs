use serde::Serialize;
use serde_json::Value;

use super::{ConversationView, GoneView, MemberView, MessageView, ScheduledView, UserPresence, UserView};
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::Seq;
use crate::store::Badge;
use crate::time::Timestamp;

/// Why a conversation is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// The user left.
    Left,
    /// The user was removed.
    Removed,
    /// The group was deleted.
    Deleted,
    /// The user hid it.
    Hidden,
}

/// A conversation that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemovedConversation {
    /// Which one.
    pub conversation_id: ConversationId,
    /// Why.
    pub reason: RemovalReason,
}

/// A changed message: as the caller sees it, or that it is gone for him.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SyncedMessage {
    /// It is there, or a tombstone.
    Message(Box<MessageView>),
    /// It is gone for the caller.
    Gone(GoneView),
}

/// A changed member.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncedMember {
    /// The member.
    #[serde(flatten)]
    pub member: MemberView,
    /// Set when he is no member any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<bool>,
}

/// What changed in one conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncedConversation {
    /// The conversation as it is now.
    pub conversation: ConversationView,
    /// Changed messages, by ascending rev.
    pub messages: Vec<SyncedMessage>,
    /// More changed than fits: read history by seq.
    pub limited: bool,
    /// All members when membership changed (small groups), else the changed ones.
    pub members: Vec<SyncedMember>,
}

/// Changes of the caller's block list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockListDelta {
    /// Blocked since.
    pub added: Vec<UserId>,
    /// Unblocked since.
    pub removed: Vec<UserId>,
}

/// Changes of the caller's list of muted users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MuteListDelta {
    /// Muted since, or until another time; their ends are in `GET /mutes`.
    pub added: Vec<UserId>,
    /// Not muted any more.
    pub removed: Vec<UserId>,
}

/// A starred message, by its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StarView {
    /// Where it is.
    pub conversation_id: ConversationId,
    /// Which.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
}

/// Changes of the caller's stars.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StarListDelta {
    /// Starred since, the newest first.
    pub added: Vec<StarView>,
    /// Taken off since.
    pub removed: Vec<StarView>,
    /// More changed than fits: read `GET /starred`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<bool>,
}

/// Answer to `sync`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncAnswer {
    /// Conversations with changes.
    pub conversations: Vec<SyncedConversation>,
    /// Conversations that are not there any more.
    pub removed: Vec<RemovedConversation>,
    /// Changes of the block list.
    pub blocks: BlockListDelta,
    /// Changes of the list of muted users.
    pub mutes: MuteListDelta,
    /// Changes of the caller's stars.
    pub stars: StarListDelta,
    /// The caller's scheduled messages that changed; without a token all that are pending or failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledView>,
    /// The caller's totals.
    pub badge: Badge,
    /// Where to go on from.
    pub token: String,
    /// Whether to go on at once.
    pub has_more: bool,
}

/// Answer to `subscribe_presence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresenceAnswer {
    /// One entry per user asked for.
    pub presence: Vec<UserPresence>,
}

/// Answer to `get_online_users`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnlineUsersAnswer {
    /// Users who are online, as far as the caller may know.
    pub users: Vec<UserView>,
}

/// Answer to `refresh_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// When the new token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// `GET /capabilities`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capabilities {
    /// Every limit, in the unit its name tells; durations in seconds.
    pub limits: Value,
    /// Every policy; durations in seconds.
    pub policies: Value,
    /// Names of all socket commands.
    pub commands: Vec<&'static str>,
    /// Names of all live events.
    pub events: Vec<&'static str>,
    /// Names of all message kinds.
    pub kinds: Vec<&'static str>,
}

use serde::Serialize;

use crate::id::UserId;
use crate::model::{JsonObject, Muted, Platform, Provider, UserKind};
use crate::time::Timestamp;

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceStatus {
    /// No session, or not for the viewer to know.
    Offline,
    /// Only sessions nobody looks at.
    Away,
    /// A session somebody looks at.
    Online,
}

/// Presence inside a user object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresenceView {
    /// Whether he is there.
    pub status: PresenceStatus,
    /// End of his last session; only when the viewer may know and he is not online.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// Set when he is there and does not want to be disturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnd: Option<bool>,
    /// What he says of it, while he is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_text: Option<String>,
    /// An emoji with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_emoji: Option<String>,
}

/// Presence of one user, in lists and events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserPresence {
    /// Who.
    pub user_id: UserId,
    /// What of it.
    #[serde(flatten)]
    pub presence: PresenceView,
}

/// A user as others see him.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = User))]
pub struct UserView {
    /// The host's id.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// Picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// What sort of account.
    pub kind: UserKind,
    /// Only when he was erased; `name` is a word for that then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Whether he is there, as far as the viewer may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<PresenceView>,
    /// The host's own data.
    pub custom: JsonObject,
}

/// A user the caller mutes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MutedUser {
    /// Who.
    pub user: UserView,
    /// Until when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "forever"))]
    pub muted_until: Muted,
}

/// A device, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Device))]
pub struct DeviceView {
    /// The provider's address.
    pub token: String,
    /// What it runs.
    pub platform: Platform,
    /// Who carries pushes to it.
    pub provider: Provider,
    /// When it was last registered.
    pub refreshed_at: Timestamp,
}

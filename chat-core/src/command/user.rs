use serde::Deserialize;

use crate::decode::{nullable, present};
use crate::id::AttachmentId;
use crate::model::{
    ErasedMessages, JsonObject, ManualStatus, Platform, Provider, PushContent, PushLevel, Visibility,
};
use crate::time::Timestamp;

/// `PATCH /me`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProfilePatch {
    /// New display name, 1-120 characters.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// An uploaded picture; `null` removes it.
    #[serde(deserialize_with = "nullable")]
    pub avatar_attachment_id: Option<Option<AttachmentId>>,
    /// The host's own data, whole, at most 8 KiB; `null` empties it.
    #[serde(deserialize_with = "nullable")]
    pub custom: Option<Option<JsonObject>>,
}

/// `PATCH /me/settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SettingsPatch {
    /// Who sees that he has read.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub receipts: Option<Visibility>,
    /// Who sees that he is online.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub show_online: Option<Visibility>,
    /// Who sees when he was last online.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub show_last_seen: Option<Visibility>,
    /// Which messages push.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub push: Option<PushLevel>,
    /// What a push shows.
    #[serde(deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub push_content: Option<PushContent>,
    /// No push until then; `null` ends it.
    #[serde(deserialize_with = "nullable")]
    pub dnd_until: Option<Option<Timestamp>>,
}

/// `PUT /me/presence`, `set_presence`: how one wants to be seen, whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetPresence {
    /// `auto` goes by the sessions; `invisible` looks like nobody there.
    pub status: ManualStatus,
    /// A word about it, at most 100 characters.
    #[serde(default)]
    pub text: Option<String>,
    /// One emoji.
    #[serde(default)]
    pub emoji: Option<String>,
    /// All of it lapses then.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// `PUT /devices`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterDevice {
    /// The provider's address of the device, 1-4,096 bytes.
    pub token: String,
    /// What it runs.
    pub platform: Platform,
    /// Who carries pushes to it.
    pub provider: Provider,
}

/// `DELETE /devices`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnregisterDevice {
    /// The address to forget.
    pub token: String,
}

/// `POST /me/erase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EraseMe {
    /// What becomes of messages and reactions.
    pub messages: ErasedMessages,
}

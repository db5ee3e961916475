use serde::Deserialize;

use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Muted, ReportAction, ReportReason};
use crate::time::Timestamp;

/// `POST /reports`: one of `message_id` and `user_id`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// The reported message.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    /// The reported user.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// With `user_id`: where it happened.
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// Why.
    pub reason: ReportReason,
    /// A word on it, at most 1,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}

impl NewReport {
    /// Of a message.
    #[must_use]
    pub const fn of_message(id: MessageId, reason: ReportReason) -> Self {
        Self {
            message_id: Some(id),
            user_id: None,
            conversation_id: None,
            reason,
            note: None,
        }
    }

    /// Of a user.
    #[must_use]
    pub const fn of_user(id: UserId, reason: ReportReason) -> Self {
        Self {
            message_id: None,
            user_id: Some(id),
            conversation_id: None,
            reason,
            note: None,
        }
    }
}

/// `POST /moderation/reports/{id}/resolve`. It takes note of what was done; the doing is a command of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolveReport {
    /// What was done.
    pub action: ReportAction,
    /// A word on it, at most 1,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}

/// `PUT /moderation/users/{user_id}/suspension`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SuspendUser {
    /// It ends then by itself; absent: not.
    pub until: Option<Timestamp>,
    /// For the audit log, at most 1,000 characters.
    pub reason: Option<String>,
}

/// `PUT /moderation/users/{user_id}/mute`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MuteUser {
    /// A time, or `"forever"`, which is what an absent one means.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "forever"))]
    pub until: Option<Muted>,
    /// For the audit log, at most 1,000 characters.
    pub reason: Option<String>,
}

/// `GET /moderation/audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListAudit {
    /// Only acts of this user.
    pub actor: Option<UserId>,
    /// Only acts on the thing with this id.
    pub target: Option<String>,
    /// Only such acts.
    pub action: Option<crate::model::AuditAction>,
    /// Which page.
    pub page: super::PageRequest,
}

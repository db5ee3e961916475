use serde::Serialize;

use crate::id::{AuditId, ConversationId, ReportId, UserId};
use crate::model::{
    AuditAction, AuditEntry, AuditTarget, JsonObject, Muted, Report, ReportReason, ReportedMessage,
    Resolution,
};
use crate::time::Timestamp;

/// Answer to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportAnswer {
    /// The report's id.
    pub id: ReportId,
    /// Whether this call made it; there is one open report per reporter and target.
    #[serde(skip)]
    pub created: bool,
}

/// Whether a report waits for a moderator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// It waits.
    Open,
    /// It was resolved.
    Closed,
}

/// What was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportTargetView {
    /// `message` or `user`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
}

/// A report as moderators see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Report))]
pub struct ReportView {
    /// Its id.
    pub id: ReportId,
    /// Whether it waits for a moderator.
    pub state: ReportState,
    /// Who reported.
    pub reporter_id: UserId,
    /// What.
    pub target: ReportTargetView,
    /// Whom it is about.
    pub user_id: UserId,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Why.
    pub reason: ReportReason,
    /// A word on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// The reported message as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<ReportedMessage>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        Self {
            id: report.id,
            state: if report.resolution.is_some() {
                ReportState::Closed
            } else {
                ReportState::Open
            },
            reporter_id: report.reporter,
            target: ReportTargetView {
                kind: report.target.kind(),
                id: report.target.id(),
            },
            user_id: report.user_id,
            conversation_id: report.conversation_id,
            reason: report.reason,
            note: report.note,
            created_at: report.created_at,
            message: report.message,
            resolution: report.resolution,
        }
    }
}

/// What moderators have forbidden a user everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestrictionsView {
    /// Who.
    pub user_id: UserId,
    /// He may not do anything until then; absent when he may.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "forever"))]
    pub suspended_until: Option<Muted>,
    /// He may not write until then; absent when he may.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "forever"))]
    pub muted_until: Option<Muted>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AuditEntry))]
pub struct AuditView {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who acted; absent: the host itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// What he did.
    pub action: AuditAction,
    /// To what sort of thing.
    pub target_kind: AuditTarget,
    /// Its id.
    pub target_id: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// More of it; `as` says `moderator` or `host` for who did not act by his own rank.
    pub details: JsonObject,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            actor_id: entry.actor,
            action: entry.action,
            target_kind: entry.target,
            target_id: entry.target_id,
            conversation_id: entry.conversation_id,
            details: entry.details,
        }
    }
}

use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{AttachmentId, AuditId, ReportId, UserId};
use crate::model::{AuditAction, AuditEntry, Report, Resolution, User, UserPatch};
use crate::time::Timestamp;

/// A page of reports, newest first: by time, then id, both descending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportQuery {
    /// Open ones, closed ones, or both.
    pub open: Option<bool>,
    /// Those after this time and id.
    pub after: Option<(Timestamp, ReportId)>,
    /// At most so many.
    pub limit: usize,
}

/// A page of the audit log, newest first: by time, then id, both descending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only acts of this user.
    pub actor: Option<UserId>,
    /// Only acts on the thing with this id.
    pub target: Option<String>,
    /// Only such acts.
    pub action: Option<AuditAction>,
    /// Those after this time and id.
    pub after: Option<(Timestamp, AuditId)>,
    /// At most so many.
    pub limit: usize,
}

/// Reports of users, what moderators did, and the log of it. Reports of messages and acts in conversations are written
/// by [`commit`](crate::store::ConversationStore::commit), together with what they are about.
#[async_trait]
pub trait ModerationStore: Send + Sync + fmt::Debug {
    /// Adds a report, unless its reporter has an open one of the same target; returns the id of the one there is then,
    /// and whether it was added.
    ///
    /// # Contract
    /// Of concurrent calls for one reporter and target exactly one adds.
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)>;

    /// One report.
    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>>;

    /// A page of reports.
    async fn reports(&self, query: &ReportQuery) -> BackendResult<Vec<Report>>;

    /// Closes an open report and adds the entry to the audit log in the same step. `None` when there is no such
    /// report, `false` when it was closed already; then nothing is written.
    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>>;

    /// Whether an open report is about this file. Its bytes are kept as long:
    /// [`stale_attachments`](crate::store::AttachmentStore::stale_attachments) leaves it out.
    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool>;

    /// Changes a user as [`update_user`](crate::store::UserStore::update_user) does and adds the entry to the audit
    /// log in the same step; `None`, and nothing written, when the id is unknown.
    async fn sanction_user(
        &self,
        id: &UserId,
        patch: UserPatch,
        entry: AuditEntry,
    ) -> BackendResult<Option<User>>;

    /// A page of the audit log.
    async fn audit(&self, query: &AuditQuery) -> BackendResult<Vec<AuditEntry>>;
}

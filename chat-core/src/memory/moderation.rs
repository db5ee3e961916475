use std::cmp::Reverse;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::error::BackendResult;
use crate::id::{AttachmentId, ReportId, UserId};
use crate::model::{AuditEntry, Report, ReportTarget, Resolution, User, UserPatch};
use crate::store::{AuditQuery, ModerationStore, ReportQuery};

#[async_trait]
impl ModerationStore for MemoryStore {
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)> {
        let mut state = self.state();
        if let Some(open) = state.open_report(&report.reporter, &report.target) {
            return Ok((open, false));
        }
        let id = report.id;
        state.reports.insert(id, report);
        Ok((id, true))
    }

    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>> {
        Ok(self.state().reports.get(&id).cloned())
    }

    async fn reports(&self, query: &ReportQuery) -> BackendResult<Vec<Report>> {
        let state = self.state();
        let mut found: Vec<&Report> = (state.reports.values())
            .filter(|report| query.open.is_none_or(|open| report.resolution.is_none() == open))
            .filter(|report| {
                query
                    .after
                    .is_none_or(|after| (report.created_at, report.id) < after)
            })
            .collect();
        found.sort_by_key(|report| Reverse((report.created_at, report.id)));
        Ok(found.into_iter().take(query.limit).cloned().collect())
    }

    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>> {
        let mut state = self.state();
        let Some(report) = state.reports.get_mut(&id) else {
            return Ok(None);
        };
        if report.resolution.is_some() {
            return Ok(Some(false));
        }
        report.resolution = Some(resolution);
        state.audit.push(entry);
        Ok(Some(true))
    }

    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool> {
        Ok(self.state().is_evidence(file))
    }

    async fn sanction_user(
        &self,
        id: &UserId,
        patch: UserPatch,
        entry: AuditEntry,
    ) -> BackendResult<Option<User>> {
        let mut state = self.state();
        let changed = state.update_user(id, patch);
        if changed.is_some() {
            state.audit.push(entry);
        }
        Ok(changed)
    }

    async fn audit(&self, query: &AuditQuery) -> BackendResult<Vec<AuditEntry>> {
        let state = self.state();
        let mut found: Vec<&AuditEntry> = (state.audit.iter())
            .filter(|entry| query.actor.is_none() || entry.actor == query.actor)
            .filter(|entry| (query.target.as_ref()).is_none_or(|target| entry.target_id == *target))
            .filter(|entry| query.action.is_none_or(|action| entry.action == action))
            .filter(|entry| query.after.is_none_or(|after| (entry.at, entry.id) < after))
            .collect();
        found.sort_by_key(|entry| Reverse((entry.at, entry.id)));
        Ok(found.into_iter().take(query.limit).cloned().collect())
    }
}

impl State {
    pub(super) fn open_report(&self, reporter: &UserId, target: &ReportTarget) -> Option<ReportId> {
        (self.reports.values())
            .find(|report| {
                report.resolution.is_none() && report.reporter == *reporter && report.target == *target
            })
            .map(|report| report.id)
    }

    pub(super) fn is_evidence(&self, file: AttachmentId) -> bool {
        (self.reports.values()).any(|report| report.resolution.is_none() && report.files().contains(&file))
    }
}

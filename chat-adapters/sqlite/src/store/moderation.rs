//! Reports, sanctions and the audit log.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ReportId, UserId};
use chat_core::model::{AuditEntry, Report, ReportTarget, ReportedMessage, Resolution, User, UserPatch};
use chat_core::store::{AuditQuery, ModerationStore, ReportQuery};

use super::SqliteStore;
use super::user::change_user;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, Statement, blob, id_list, json, size, statement, time};
use crate::transaction::Transaction;

/// Columns of a report `r`, as [`report`] reads them.
macro_rules! report_columns {
    () => {
        "r.id, r.reporter, r.target_kind, r.target_id, r.user_id, r.conversation_id, r.reason, r.note, r.created_at, \
         r.message, r.resolved_at, r.resolved_by, r.action, r.resolution_note"
    };
}

pub(super) use report_columns;

const REPORT: &str = concat!(
    "SELECT ",
    report_columns!(),
    " FROM chat_reports r WHERE r.id = ?1"
);
/// A page of reports: all, or those that `$which` are. Each walks the index of its own order.
macro_rules! newest {
    ($which:literal) => {
        concat!(
            "SELECT ",
            report_columns!(),
            " FROM chat_reports r WHERE ",
            $which,
            " AND (?1 IS NULL OR (r.created_at, r.id) < (?1, ?2)) ORDER BY r.created_at DESC, r.id DESC LIMIT ?3"
        )
    };
}
pub(super) const NEWEST: &str = newest!("TRUE");
pub(super) const NEWEST_OPEN: &str = newest!("r.resolved_at IS NULL");
pub(super) const NEWEST_CLOSED: &str = newest!("r.resolved_at IS NOT NULL");
pub(super) const OPEN: &str = "SELECT r.id FROM chat_reports r \
    WHERE r.reporter = ?1 AND r.target_kind = ?2 AND r.target_id = ?3 AND r.resolved_at IS NULL";
const EVIDENCE: &str = "SELECT 1 FROM chat_report_files f WHERE f.attachment_id = ?1 LIMIT 1";

/// Columns of an entry `a` of the log, as [`entry`] reads them.
macro_rules! entry_columns {
    () => {
        "a.id, a.at, a.actor, a.action, a.target_kind, a.target_id, a.conversation_id, a.details"
    };
}
pub(super) use entry_columns;

/// Entries of the log, of which the first filter decides the index.
macro_rules! log {
    ($first:literal) => {
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM chat_audit a WHERE ",
            $first,
            " AND (?1 IS NULL OR a.actor = ?1) AND (?2 IS NULL OR a.target_id = ?2) AND (?3 IS NULL OR a.action = ?3) \
             AND (?4 IS NULL OR (a.at, a.id) < (?4, ?5)) ORDER BY a.at DESC, a.id DESC LIMIT ?6"
        )
    };
}
pub(super) const LOG: &str = log!("TRUE");
pub(super) const LOG_OF_TARGET: &str = log!("a.target_id = ?2");
pub(super) const LOG_OF_ACTOR: &str = log!("a.actor = ?1");
pub(super) const LOG_OF_ACTION: &str = log!("a.action = ?3");

pub(super) fn report(cells: &mut Cells<'_>) -> Result<Report, Error> {
    Ok(Report {
        id: cells.report()?,
        reporter: cells.user()?,
        target: {
            let (kind, id) = (cells.text()?, cells.text()?);
            ReportTarget::parse(&kind, &id).ok_or(Error::Decode("what was reported"))?
        },
        user_id: cells.user()?,
        conversation_id: cells.opt_conversation()?,
        reason: cells.name()?,
        note: cells.opt_text()?,
        created_at: cells.time()?,
        message: cells.json::<Option<ReportedMessage>>()?,
        resolution: match (
            cells.opt_time()?,
            cells.opt_user()?,
            cells.opt_name()?,
            cells.opt_text()?,
        ) {
            (Some(at), Some(by), Some(action), note) => Some(Resolution { at, by, action, note }),
            _ => None,
        },
    })
}

pub(super) fn entry(cells: &mut Cells<'_>) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        id: cells.audit()?,
        at: cells.time()?,
        actor: cells.opt_user()?,
        action: cells.name()?,
        target: cells.name()?,
        target_id: cells.text()?,
        conversation_id: cells.opt_conversation()?,
        details: cells.json()?,
    })
}

/// The question for the open report of one reporter and target.
pub(super) fn open_report(reporter: &UserId, target: &ReportTarget) -> Statement {
    statement(OPEN)
        .bind(reporter.as_str())
        .bind(target.kind())
        .bind(target.id())
}

pub(super) async fn put_report(transaction: &mut Transaction, new: &Report) -> Result<(), Error> {
    const PUT: &str = "INSERT INTO chat_reports (id, reporter, target_kind, target_id, user_id, conversation_id, reason, \
        note, created_at, message, resolved_at, resolved_by, action, resolution_note) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    const HOLD: &str = "INSERT INTO chat_report_files (attachment_id, report_id) \
        SELECT DISTINCT unhex(value), ?1 FROM json_each(?2)";
    let resolution = new.resolution.as_ref();
    let query = statement(PUT)
        .bind(blob(new.id.as_uuid()))
        .bind(new.reporter.as_str())
        .bind(new.target.kind())
        .bind(new.target.id())
        .bind(new.user_id.as_str())
        .bind(new.conversation_id.map(|id| blob(id.as_uuid())))
        .bind(new.reason.column())
        .bind(new.note.as_deref())
        .bind(new.created_at.as_millis())
        .bind(new.message.as_ref().map(json).transpose()?)
        .bind(time(resolution.map(|resolution| resolution.at)))
        .bind(resolution.map(|resolution| resolution.by.as_str()))
        .bind(resolution.map(|resolution| resolution.action.column()))
        .bind(resolution.and_then(|resolution| resolution.note.as_deref()));
    transaction.run(query).await?;
    if resolution.is_none() && !new.files().is_empty() {
        let files = id_list(new.files().iter().map(|id| id.as_uuid()));
        let query = statement(HOLD).bind(blob(new.id.as_uuid())).bind(files);
        transaction.run(query).await?;
    }
    Ok(())
}

pub(super) async fn add_entry(transaction: &mut Transaction, new: &AuditEntry) -> Result<(), Error> {
    const ADD: &str = "INSERT INTO chat_audit (id, at, actor, action, target_kind, target_id, conversation_id, details) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let details = (!new.details.is_empty())
        .then(|| json(&new.details))
        .transpose()?;
    let query = statement(ADD)
        .bind(blob(new.id.as_uuid()))
        .bind(new.at.as_millis())
        .bind(new.actor.as_ref().map(|actor| actor.as_str()))
        .bind(new.action.column())
        .bind(new.target.column())
        .bind(new.target_id.as_str())
        .bind(new.conversation_id.map(|id| blob(id.as_uuid())))
        .bind(details);
    transaction.run(query).await?;
    Ok(())
}

async fn resolve(
    transaction: &mut Transaction,
    id: ReportId,
    resolution: &Resolution,
    entry: &AuditEntry,
) -> Result<Option<bool>, Error> {
    const CLOSE: &str = "UPDATE chat_reports SET resolved_at = ?2, resolved_by = ?3, action = ?4, resolution_note = ?5 \
        WHERE id = ?1 AND resolved_at IS NULL";
    const LET_GO: &str = "DELETE FROM chat_report_files WHERE report_id = ?1";
    let key = blob(id.as_uuid());
    let query = statement(CLOSE)
        .bind(key.clone())
        .bind(resolution.at.as_millis())
        .bind(resolution.by.as_str())
        .bind(resolution.action.column())
        .bind(resolution.note.as_deref());
    if transaction.run(query).await?.rows_affected() == 0 {
        let known = transaction.one(statement(REPORT).bind(key)).await?;
        return Ok(known.map(|_| false));
    }
    transaction.run(statement(LET_GO).bind(key)).await?;
    add_entry(transaction, entry).await?;
    Ok(Some(true))
}

#[async_trait]
impl ModerationStore for SqliteStore {
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)> {
        self.writer()
            .write_step("add_report", move |transaction| {
                Box::pin(async move {
                    let query = open_report(&report.reporter, &report.target);
                    if let Some(open) = transaction.find(query, |cells| cells.report()).await? {
                        return Ok((open, false));
                    }
                    put_report(transaction, &report).await?;
                    Ok((report.id, true))
                })
            })
            .await
    }

    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>> {
        let query = statement(REPORT).bind(blob(id.as_uuid()));
        let found = async { self.read().await?.find(query, report).await };
        found.await.map_err(|error| error.into_backend("report"))
    }

    async fn reports(&self, query: &ReportQuery) -> BackendResult<Vec<Report>> {
        let text = match query.open {
            None => NEWEST,
            Some(true) => NEWEST_OPEN,
            Some(false) => NEWEST_CLOSED,
        };
        let query = statement(text)
            .bind(time(query.after.map(|(at, _)| at)))
            .bind(query.after.map(|(_, id)| blob(id.as_uuid())))
            .bind(size(query.limit));
        let found = async { self.read().await?.list(query, report).await };
        found.await.map_err(|error| error.into_backend("reports"))
    }

    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>> {
        self.writer()
            .write_step("resolve_report", move |transaction| {
                Box::pin(async move { resolve(transaction, id, &resolution, &entry).await })
            })
            .await
    }

    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool> {
        let query = statement(EVIDENCE).bind(blob(file.as_uuid()));
        let found = async { self.read().await?.one(query).await };
        let found = found.await.map_err(|error| error.into_backend("is_evidence"))?;
        Ok(found.is_some())
    }

    async fn sanction_user(
        &self,
        id: &UserId,
        patch: UserPatch,
        entry: AuditEntry,
    ) -> BackendResult<Option<User>> {
        let id = id.clone();
        self.writer()
            .write_step("sanction_user", move |transaction| {
                Box::pin(async move {
                    let changed = change_user(transaction, &id, patch).await?;
                    if changed.is_some() {
                        add_entry(transaction, &entry).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> BackendResult<Vec<AuditEntry>> {
        let text = match (&query.target, &query.actor, query.action) {
            (Some(_), _, _) => LOG_OF_TARGET,
            (None, Some(_), _) => LOG_OF_ACTOR,
            (None, None, Some(_)) => LOG_OF_ACTION,
            (None, None, None) => LOG,
        };
        let query = statement(text)
            .bind(query.actor.as_ref().map(|actor| actor.as_str().to_owned()))
            .bind(query.target.clone())
            .bind(query.action.map(Named::column))
            .bind(time(query.after.map(|(at, _)| at)))
            .bind(query.after.map(|(_, id)| blob(id.as_uuid())))
            .bind(size(query.limit));
        let found = async { self.read().await?.list(query, entry).await };
        found.await.map_err(|error| error.into_backend("audit"))
    }
}

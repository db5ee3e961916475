//! Reports, sanctions and the audit log.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ReportId, UserId};
use chat_core::model::{AuditEntry, Report, ReportTarget, ReportedMessage, Resolution, User, UserPatch};
use chat_core::store::{AuditQuery, ModerationStore, ReportQuery};
use sqlx::types::Json;

use super::PostgresStore;
use super::user::change_user;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, all, size, statement, time};
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
    " FROM chat_reports r WHERE r.id = $1"
);
/// A page of reports: all, or those that `$which` are. Each walks the index of its own order.
macro_rules! newest {
    ($which:literal) => {
        concat!(
            "SELECT ",
            report_columns!(),
            " FROM chat_reports r WHERE ",
            $which,
            " AND ($1::int8 IS NULL OR (r.created_at, r.id) < ($1, $2::uuid)) \
             ORDER BY r.created_at DESC, r.id DESC LIMIT $3"
        )
    };
}
pub(super) const NEWEST: &str = newest!("TRUE");
pub(super) const NEWEST_OPEN: &str = newest!("r.resolved_at IS NULL");
pub(super) const NEWEST_CLOSED: &str = newest!("r.resolved_at IS NOT NULL");
/// The open reports of these reporters and targets, with the number of the question.
pub(super) const OPEN_AMONG: &str = "SELECT k.number, r.id \
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY k(reporter, target_kind, target_id, number) \
    CROSS JOIN LATERAL (SELECT o.id FROM chat_reports o WHERE o.reporter = k.reporter \
      AND o.target_kind = k.target_kind AND o.target_id = k.target_id AND o.resolved_at IS NULL LIMIT 1) r";
pub(super) const EVIDENCE: &str = "SELECT true FROM chat_report_files f WHERE f.attachment_id = $1 LIMIT 1";

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
            " AND ($1::text IS NULL OR a.actor = $1) AND ($2::text IS NULL OR a.target_id = $2) \
             AND ($3::text IS NULL OR a.action = $3) \
             AND ($4::int8 IS NULL OR (a.at, a.id) < ($4, $5::uuid)) ORDER BY a.at DESC, a.id DESC LIMIT $6"
        )
    };
}
pub(super) const LOG: &str = log!("TRUE");
pub(super) const LOG_OF_TARGET: &str = log!("a.target_id = $2");
pub(super) const LOG_OF_ACTOR: &str = log!("a.actor = $1");
pub(super) const LOG_OF_ACTION: &str = log!("a.action = $3");

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

/// Adds reports; returns how many were added. One whose reporter has an open one of the same target already is left
/// out when `known` allows it, and refused otherwise.
async fn add_reports(
    transaction: &mut Transaction,
    new: &[Report],
    text: &'static str,
) -> Result<u64, Error> {
    let resolution = |report: &Report| report.resolution.clone();
    let query = statement(text)
        .bind(all(new, |report| report.id.as_uuid()))
        .bind(all(new, |report| report.reporter.as_str()))
        .bind(all(new, |report| report.target.kind()))
        .bind(all(new, |report| report.target.id()))
        .bind(all(new, |report| report.user_id.as_str()))
        .bind(all(new, |report| report.conversation_id.map(|id| id.as_uuid())))
        .bind(all(new, |report| report.reason.column()))
        .bind(all(new, |report| report.note.as_deref()))
        .bind(all(new, |report| report.created_at.as_millis()))
        .bind(all(new, |report| report.message.as_ref().map(Json)))
        .bind(all(new, |report| time(resolution(report).map(|end| end.at))))
        .bind(all(new, |report| {
            resolution(report).map(|end| end.by.to_string())
        }))
        .bind(all(new, |report| {
            resolution(report).map(|end| end.action.column())
        }))
        .bind(all(new, |report| resolution(report).and_then(|end| end.note)));
    Ok(transaction.run(query).await?.rows_affected())
}

macro_rules! add_reports {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO chat_reports (id, reporter, target_kind, target_id, user_id, conversation_id, reason, note, \
             created_at, message, resolved_at, resolved_by, action, resolution_note) \
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], \
             $8::text[], $9::int8[], $10::jsonb[], $11::int8[], $12::text[], $13::text[], $14::text[])",
            $conflict
        )
    };
}

/// Keeps the files that open reports are about.
async fn hold_files(transaction: &mut Transaction, new: &[Report]) -> Result<(), Error> {
    const HOLD: &str = "INSERT INTO chat_report_files (attachment_id, report_id) \
        SELECT * FROM unnest($1::uuid[], $2::uuid[]) ON CONFLICT DO NOTHING";
    let held: Vec<_> = new
        .iter()
        .filter(|report| report.resolution.is_none())
        .flat_map(|report| report.files().iter().map(move |file| (file, report.id)))
        .collect();
    if !held.is_empty() {
        let query = statement(HOLD)
            .bind(all(&held, |(file, _)| file.as_uuid()))
            .bind(all(&held, |(_, report)| report.as_uuid()));
        transaction.run(query).await?;
    }
    Ok(())
}

/// Writes new reports; a second open one of a reporter and target breaks a rule of the store.
pub(super) async fn put_reports(transaction: &mut Transaction, new: &[Report]) -> Result<(), Error> {
    const PUT: &str = add_reports!("");
    if !new.is_empty() {
        add_reports(transaction, new, PUT).await?;
        hold_files(transaction, new).await?;
    }
    Ok(())
}

pub(super) async fn add_audit(transaction: &mut Transaction, new: &[AuditEntry]) -> Result<(), Error> {
    const ADD: &str = "INSERT INTO chat_audit (id, at, actor, action, target_kind, target_id, conversation_id, details) \
        SELECT * FROM unnest($1::uuid[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], \
        $8::jsonb[])";
    if !new.is_empty() {
        let query = statement(ADD)
            .bind(all(new, |entry| entry.id.as_uuid()))
            .bind(all(new, |entry| entry.at.as_millis()))
            .bind(all(new, |entry| entry.actor.as_ref().map(|actor| actor.as_str())))
            .bind(all(new, |entry| entry.action.column()))
            .bind(all(new, |entry| entry.target.column()))
            .bind(all(new, |entry| entry.target_id.as_str()))
            .bind(all(new, |entry| entry.conversation_id.map(|id| id.as_uuid())))
            .bind(all(new, |entry| {
                (!entry.details.is_empty()).then_some(Json(&entry.details))
            }));
        transaction.run(query).await?;
    }
    Ok(())
}

async fn add(transaction: &mut Transaction, report: Report) -> Result<(ReportId, bool), Error> {
    const ADD: &str =
        add_reports!(" ON CONFLICT (reporter, target_kind, target_id) WHERE resolved_at IS NULL DO NOTHING");
    let id = report.id;
    let new = [report];
    // Of two at once the second waits for the first here.
    if add_reports(transaction, &new, ADD).await? > 0 {
        hold_files(transaction, &new).await?;
        return Ok((id, true));
    }
    let [report] = new;
    let open = statement(OPEN_AMONG)
        .bind(vec![report.reporter.as_str()])
        .bind(vec![report.target.kind()])
        .bind(vec![report.target.id()]);
    let open = transaction.find(open, |cells| {
        cells.skip(1);
        cells.report()
    });
    // It may have been closed meanwhile; then this one is new.
    open.await?.map(|open| (open, false)).ok_or(Error::Raced)
}

async fn resolve(
    transaction: &mut Transaction,
    id: ReportId,
    resolution: &Resolution,
    entry: AuditEntry,
) -> Result<Option<bool>, Error> {
    const CLOSE: &str = "UPDATE chat_reports SET resolved_at = $2, resolved_by = $3, action = $4, resolution_note = $5 \
        WHERE id = $1 AND resolved_at IS NULL";
    const LET_GO: &str = "DELETE FROM chat_report_files WHERE report_id = $1";
    let key = id.as_uuid();
    let query = statement(CLOSE)
        .bind(key)
        .bind(resolution.at.as_millis())
        .bind(resolution.by.as_str())
        .bind(resolution.action.column())
        .bind(resolution.note.as_deref());
    if transaction.run(query).await?.rows_affected() == 0 {
        let known = transaction.one(statement(REPORT).bind(key)).await?;
        return Ok(known.map(|_| false));
    }
    transaction.run(statement(LET_GO).bind(key)).await?;
    add_audit(transaction, &[entry]).await?;
    Ok(Some(true))
}

#[async_trait]
impl ModerationStore for PostgresStore {
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)> {
        let added = self.database().write(move |transaction| {
            let report = report.clone();
            Box::pin(async move { add(transaction, report).await })
        });
        added.await.map_err(|error| error.into_backend("add_report"))
    }

    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>> {
        let query = statement(REPORT).bind(id.as_uuid());
        let found = self.database().find(query, report);
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
            .bind(query.after.map(|(_, id)| id.as_uuid()))
            .bind(size(query.limit));
        let found = self.database().list(query, report);
        found.await.map_err(|error| error.into_backend("reports"))
    }

    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>> {
        let resolved = self.database().write(move |transaction| {
            let (resolution, entry) = (resolution.clone(), entry.clone());
            Box::pin(async move { resolve(transaction, id, &resolution, entry).await })
        });
        resolved
            .await
            .map_err(|error| error.into_backend("resolve_report"))
    }

    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool> {
        let query = statement(EVIDENCE).bind(file.as_uuid());
        let found = self.database().find(query, |cells| cells.flag());
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
        let sanctioned = self.database().write(move |transaction| {
            let (id, patch, entry) = (id.clone(), patch.clone(), entry.clone());
            Box::pin(async move {
                let changed = change_user(transaction, &id, patch).await?;
                if changed.is_some() {
                    add_audit(transaction, &[entry]).await?;
                }
                Ok(changed)
            })
        });
        sanctioned
            .await
            .map_err(|error| error.into_backend("sanction_user"))
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
            .bind(query.after.map(|(_, id)| id.as_uuid()))
            .bind(size(query.limit));
        let found = self.database().list(query, entry);
        found.await.map_err(|error| error.into_backend("audit"))
    }
}

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ReportId, UserId};
use chat_core::model::{AuditEntry, Report, Resolution, User, UserPatch};
use chat_core::store::{AuditQuery, ModerationStore, ReportQuery};
use chat_core::time::Timestamp;
use mongodb::bson::{Bson, Document, doc};

use super::user::{change, unchanged};
use super::{MongoStore, Named};
use crate::codec::{key, moderation};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::names::Named as _;
use crate::plan::Plan;
use crate::row::{time, uuid};

#[async_trait]
impl ModerationStore for MongoStore {
    async fn add_report(&self, report: Report) -> BackendResult<(ReportId, bool)> {
        self.write("add_report", move |database, _| {
            let report = report.clone();
            Box::pin(async move {
                let open = doc! { "open_key": key::report(&report.reporter, &report.target) };
                if let Some(id) = database
                    .find(Collection::Reports, open, moderation::report_id)
                    .await?
                {
                    return unchanged((id, false));
                }
                let mut plan = Plan::default();
                let fields = moderation::report_to_document(&report)?;
                plan.put(Collection::Reports, uuid(report.id.as_uuid()), fields);
                Ok((plan, (report.id, true)))
            })
        })
        .await
    }

    async fn report(&self, id: ReportId) -> BackendResult<Option<Report>> {
        let found = async {
            self.settled().await?;
            one(self.database(), id).await
        };
        found.await.named("report")
    }

    async fn reports(&self, query: &ReportQuery) -> BackendResult<Vec<Report>> {
        let found = async {
            self.settled().await?;
            let open = match query.open {
                Some(open) => Bson::Boolean(open),
                // Graves are neither.
                None => doc! { "$in": [true, false] }.into(),
            };
            let mut filter = doc! { "open": open };
            if let Some((at, id)) = query.after {
                filter.insert("$or", below("created_at", at, uuid(id.as_uuid())));
            }
            let find = Find::all(filter)
                .sorted(doc! { "created_at": -1, "_id": -1 })
                .limited(query.limit);
            self.database()
                .list(Collection::Reports, find, moderation::report_from_document)
                .await
        };
        found.await.named("reports")
    }

    async fn resolve_report(
        &self,
        id: ReportId,
        resolution: Resolution,
        entry: AuditEntry,
    ) -> BackendResult<Option<bool>> {
        self.write("resolve_report", move |database, _| {
            let (resolution, entry) = (resolution.clone(), entry.clone());
            Box::pin(async move {
                let Some(mut report) = one(&database, id).await? else {
                    return unchanged(None);
                };
                if report.resolution.is_some() {
                    return unchanged(Some(false));
                }
                report.resolution = Some(resolution);
                let mut plan = Plan::default();
                let fields = moderation::report_to_document(&report)?;
                plan.put(Collection::Reports, uuid(id.as_uuid()), fields);
                note(&mut plan, &entry)?;
                Ok((plan, Some(true)))
            })
        })
        .await
    }

    async fn is_evidence(&self, file: AttachmentId) -> BackendResult<bool> {
        let found = async {
            self.settled().await?;
            let about = doc! { "files": uuid(file.as_uuid()) };
            self.database().exists(Collection::Reports, about).await
        };
        found.await.named("is_evidence")
    }

    async fn sanction_user(
        &self,
        id: &UserId,
        patch: UserPatch,
        entry: AuditEntry,
    ) -> BackendResult<Option<User>> {
        let id = id.clone();
        self.write("sanction_user", move |database, _| {
            let (id, patch, entry) = (id.clone(), patch.clone(), entry.clone());
            Box::pin(async move {
                let mut plan = Plan::default();
                let changed = change(&database, &id, patch, &mut plan).await?;
                if changed.is_some() {
                    note(&mut plan, &entry)?;
                }
                Ok((plan, changed))
            })
        })
        .await
    }

    async fn audit(&self, query: &AuditQuery) -> BackendResult<Vec<AuditEntry>> {
        let found = async {
            self.settled().await?;
            let mut filter = Document::new();
            if let Some(actor) = &query.actor {
                filter.insert("actor", actor.as_str());
            }
            if let Some(target) = &query.target {
                filter.insert("target_id", target.as_str());
            }
            if let Some(action) = query.action {
                filter.insert("action", action.column());
            }
            if let Some((at, id)) = query.after {
                filter.insert("$or", below("at", at, uuid(id.as_uuid())));
            }
            let find = Find::all(filter)
                .sorted(doc! { "at": -1, "_id": -1 })
                .limited(query.limit);
            self.database()
                .list(Collection::Audit, find, moderation::audit_from_document)
                .await
        };
        found.await.named("audit")
    }
}

async fn one(database: &Database, id: ReportId) -> Result<Option<Report>, Error> {
    let one = doc! { "_id": uuid(id.as_uuid()), "gone": null };
    database
        .find(Collection::Reports, one, moderation::report_from_document)
        .await
}

fn note(plan: &mut Plan, entry: &AuditEntry) -> Result<(), Error> {
    let fields = moderation::audit_to_document(entry)?;
    plan.put(Collection::Audit, uuid(entry.id.as_uuid()), fields);
    Ok(())
}

/// What comes after a place in a list of the newest first.
fn below(field: &str, at: Timestamp, id: Bson) -> Vec<Document> {
    let at = time(at);
    vec![
        doc! { field: { "$lt": at } },
        doc! { field: at, "_id": { "$lt": id } },
    ]
}

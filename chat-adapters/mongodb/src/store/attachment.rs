use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ConversationId, MessageId};
use chat_core::model::{Attachment, AttachmentState};
use chat_core::store::AttachmentStore;
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::user::unchanged;
use super::{MongoStore, Named};
use crate::codec::{attachment, message};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::names::Named as _;
use crate::plan::Plan;
use crate::row::{Row, time, uuid, uuids};

#[async_trait]
impl AttachmentStore for MongoStore {
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()> {
        self.write("add_attachment", move |_, _| {
            let mut plan = Plan::default();
            let id = uuid(attachment.id.as_uuid());
            plan.put(Collection::Attachments, id, attachment::to_document(&attachment));
            Box::pin(async move { Ok((plan, ())) })
        })
        .await
    }

    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>> {
        let found = async {
            self.settled().await?;
            let ids = uuids(ids.iter().map(|id| id.as_uuid()));
            let find = Find::all(doc! { "_id": { "$in": ids }, "gone": null });
            self.database()
                .list(Collection::Attachments, find, attachment::from_document)
                .await
        };
        found.await.named("attachments")
    }

    async fn shown_by(
        &self,
        id: AttachmentId,
        within: Option<&[ConversationId]>,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<MessageId>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "files": uuid(id.as_uuid()) };
            if let Some(within) = within {
                let ids = uuids(within.iter().map(|id| id.as_uuid()));
                filter.insert("conversation_id", doc! { "$in": ids });
            }
            if let Some(after) = after {
                filter.insert("id", doc! { "$gt": uuid(after.as_uuid()) });
            }
            let find = Find::all(filter)
                .sorted(doc! { "id": 1 })
                .limited(limit)
                .only(&["id"]);
            self.database()
                .list(Collection::Messages, find, message::id)
                .await
        };
        found.await.named("shown_by")
    }

    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool> {
        self.write("move_attachment", move |database, _| {
            Box::pin(async move {
                let mut plan = Plan::default();
                let moved = move_files(&database, &[id], from, to, &mut plan).await?;
                Ok((plan, moved > 0))
            })
        })
        .await
    }

    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        self.stale(pending_before, after, limit)
            .await
            .named("stale_attachments")
    }

    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()> {
        self.write("forget_attachment", move |database, _| {
            Box::pin(async move {
                if file(&database, id).await?.is_none() {
                    return unchanged(());
                }
                let mut plan = Plan::default();
                plan.bury(Collection::Attachments, uuid(id.as_uuid()));
                Ok((plan, ()))
            })
        })
        .await
    }
}

/// A file by its id.
pub(super) async fn file(database: &Database, id: AttachmentId) -> Result<Option<Attachment>, Error> {
    let one = doc! { "_id": uuid(id.as_uuid()), "gone": null };
    database
        .find(Collection::Attachments, one, attachment::from_document)
        .await
}

/// Plans to move those of the files that are in the first state; answers how many.
pub(super) async fn move_files(
    database: &Database,
    ids: &[AttachmentId],
    from: AttachmentState,
    to: AttachmentState,
    plan: &mut Plan,
) -> Result<usize, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let ids = uuids(ids.iter().map(|id| id.as_uuid()));
    let find = Find::all(doc! { "_id": { "$in": ids }, "state": from.column() }).only(&["_id"]);
    let there = database
        .list(Collection::Attachments, find, |file| Row(file).uuid("_id"))
        .await?;
    for id in &there {
        plan.set(Collection::Attachments, uuid(*id), doc! { "state": to.column() });
    }
    Ok(there.len())
}

impl MongoStore {
    async fn stale(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>, Error> {
        self.settled().await?;
        let mut found: Vec<Attachment> = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let pending = doc! {
                "state": AttachmentState::Pending.column(), "created_at": { "$lt": time(pending_before) },
            };
            let mut filter = doc! { "$or": [{ "state": AttachmentState::Deleted.column() }, pending] };
            if let Some(after) = after {
                filter.insert("_id", doc! { "$gt": uuid(after.as_uuid()) });
            }
            let find = Find::all(filter).sorted(doc! { "_id": 1 }).limited(limit);
            let some = self
                .database()
                .list(Collection::Attachments, find, attachment::from_document)
                .await?;
            let is_last = some.len() < limit;
            after = some.last().map(|last| last.id);
            let evidence = self.evidence_among(some.iter().map(|file| file.id)).await?;
            found.extend(some.into_iter().filter(|file| !evidence.contains(&file.id)));
            if is_last {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those of the files that open reports are about.
    pub(super) async fn evidence_among(
        &self,
        ids: impl IntoIterator<Item = AttachmentId>,
    ) -> Result<Vec<AttachmentId>, Error> {
        let asked: Vec<AttachmentId> = ids.into_iter().collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let ids = uuids(asked.iter().map(|id| id.as_uuid()));
        let find = Find::all(doc! { "files": { "$in": ids } }).only(&["files"]);
        let read = |report: &Document| {
            let files = report.get_array("files").map_err(|_| Error::Decode("files"))?;
            Ok(files.clone())
        };
        let kept = self.database().list(Collection::Reports, find, read).await?;
        let kept: Vec<_> = kept.into_iter().flatten().collect();
        let is_kept = |id: &AttachmentId| kept.contains(&uuid(id.as_uuid()));
        Ok(asked.into_iter().filter(is_kept).collect())
    }
}

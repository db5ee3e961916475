use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ScheduledId, UserId};
use chat_core::model::{AttachmentState, Scheduled, ScheduledState};
use chat_core::store::{AddedScheduled, ScheduledQuery, ScheduledStamp, ScheduledStore};
use chat_core::time::Timestamp;
use mongodb::bson::{Bson, Document, doc};

use super::attachment::move_files;
use super::user::{next_user_rev, unchanged};
use super::{MongoStore, Named};
use crate::codec::{attachment, scheduled};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::names::Named as _;
use crate::plan::Plan;
use crate::row::{int, time, uuid, uuids};
use crate::slot::Planned;

#[async_trait]
impl ScheduledStore for MongoStore {
    async fn add_scheduled(&self, new: Scheduled, cap: usize) -> BackendResult<AddedScheduled> {
        self.write("add_scheduled", move |database, _| {
            let new = new.clone();
            Box::pin(async move { add(&database, new, cap).await })
        })
        .await
    }

    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>> {
        let found = async {
            self.settled().await?;
            one(self.database(), id).await
        };
        found.await.named("scheduled")
    }

    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>> {
        let found = async {
            self.settled().await?;
            let mut filters = vec![doc! { "user_id": query.user.as_str(), "state": open() }];
            if let Some((conversation, peer)) = &query.to {
                let mut either = vec![doc! { "conversation_id": uuid(conversation.as_uuid()) }];
                if let Some(peer) = peer {
                    either.push(doc! { "recipient_id": peer.as_str() });
                }
                filters.push(doc! { "$or": either });
            }
            if let Some(after) = query.after {
                let (at, id) = (time(after.send_at), uuid(after.id.as_uuid()));
                let same = doc! { "send_at": at, "_id": { "$gt": id } };
                filters.push(doc! { "$or": [{ "send_at": { "$gt": at } }, same] });
            }
            let find = Find::all(doc! { "$and": filters })
                .sorted(doc! { "send_at": 1, "_id": 1 })
                .limited(query.limit);
            self.database()
                .list(Collection::Scheduled, find, scheduled::from_document)
                .await
        };
        found.await.named("scheduled_of")
    }

    async fn put_scheduled(&self, row: Scheduled, seen: ScheduledStamp) -> BackendResult<Option<Scheduled>> {
        self.write("put_scheduled", move |database, _| {
            let row = row.clone();
            Box::pin(async move { put(&database, row, seen).await })
        })
        .await
    }

    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>> {
        // Mostly nothing is due; that is told without a turn at the slot.
        let now = self.clock().now();
        let due = async {
            self.settled().await?;
            self.database().exists(Collection::Scheduled, is_due(now)).await
        };
        if !due.await.named("claim_scheduled")? {
            return Ok(Vec::new());
        }
        self.write("claim_scheduled", move |database, _| {
            Box::pin(async move { claim(&database, lease, limit).await })
        })
        .await
    }

    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool> {
        self.write("release_scheduled", move |database, _| {
            Box::pin(async move {
                let found = one(&database, id).await?;
                let held = found.filter(|row| row.stamp() == seen && row.claimed_until.is_some());
                let Some(mut row) = held else {
                    return unchanged(false);
                };
                row.claimed_until = None;
                let mut plan = Plan::default();
                plan.put(
                    Collection::Scheduled,
                    uuid(id.as_uuid()),
                    scheduled::to_document(&row)?,
                );
                Ok((plan, true))
            })
        })
        .await
    }

    async fn changed_scheduled(
        &self,
        user: &UserId,
        since: u64,
        only_open: bool,
        limit: usize,
    ) -> BackendResult<Vec<Scheduled>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "user_id": user.as_str(), "user_rev": { "$gt": int(since) } };
            if only_open {
                filter.insert("state", open());
            }
            let find = Find::all(filter).sorted(doc! { "user_rev": 1 }).limited(limit);
            self.database()
                .list(Collection::Scheduled, find, scheduled::from_document)
                .await
        };
        found.await.named("changed_scheduled")
    }

    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        self.write("forget_scheduled", move |database, _| {
            Box::pin(async move {
                let over = doc! {
                    "changed_at": { "$lt": time(before) },
                    "state": { "$ne": ScheduledState::Pending.column() },
                };
                let find = Find::all(over).limited(limit).only(&["_id"]);
                let read = |found: &Document| found.get("_id").cloned().ok_or(Error::Decode("_id"));
                let ids: Vec<Bson> = database.list(Collection::Scheduled, find, read).await?;
                let mut plan = Plan::default();
                for id in &ids {
                    plan.bury(Collection::Scheduled, id.clone());
                }
                Ok((plan, ids.len()))
            })
        })
        .await
    }
}

fn open() -> Document {
    doc! { "$in": [ScheduledState::Pending.column(), ScheduledState::Failed.column()] }
}

fn is_due(now: Timestamp) -> Document {
    doc! {
        "state": ScheduledState::Pending.column(),
        "send_at": { "$lte": time(now) },
        "claimed_until": { "$not": { "$gt": time(now) } },
    }
}

async fn one(database: &Database, id: ScheduledId) -> Result<Option<Scheduled>, Error> {
    let one = doc! { "_id": uuid(id.as_uuid()), "gone": null };
    database
        .find(Collection::Scheduled, one, scheduled::from_document)
        .await
}

async fn add(database: &Database, mut new: Scheduled, cap: usize) -> Planned<AddedScheduled> {
    if let Some(known) = one(database, new.id).await? {
        return unchanged(AddedScheduled::Known(Box::new(known)));
    }
    let pending = doc! { "user_id": new.user_id.as_str(), "state": ScheduledState::Pending.column() };
    let pending = database
        .count(Collection::Scheduled, pending, Some(cap.max(1)))
        .await?;
    if usize::try_from(pending).unwrap_or(usize::MAX) >= cap {
        return unchanged(AddedScheduled::TooMany);
    }
    let mut plan = Plan::default();
    if !reserve(database, &new, &mut plan).await? {
        return unchanged(AddedScheduled::FileTaken);
    }
    new.user_rev = next_user_rev(database, &new.user_id, &mut plan)
        .await?
        .unwrap_or(0);
    let fields = scheduled::to_document(&new)?;
    plan.put(Collection::Scheduled, uuid(new.id.as_uuid()), fields);
    Ok((plan, AddedScheduled::Added(Box::new(new))))
}

/// Takes all its files, or none of them.
async fn reserve(database: &Database, new: &Scheduled, plan: &mut Plan) -> Result<bool, Error> {
    let wanted = &new.message.attachment_ids;
    if wanted.is_empty() {
        return Ok(true);
    }
    let ids = uuids(wanted.iter().map(|id| id.as_uuid()));
    let find = Find::all(doc! { "_id": { "$in": ids }, "gone": null });
    let files = database
        .list(Collection::Attachments, find, attachment::from_document)
        .await?;
    let unused = |id| {
        let file = files.iter().find(|file| file.id == id);
        file.is_some_and(|file| file.uploader == new.user_id && file.state == AttachmentState::Pending)
    };
    if !wanted.iter().all(|id| unused(*id)) {
        return Ok(false);
    }
    move_files(
        database,
        wanted,
        AttachmentState::Pending,
        AttachmentState::Reserved,
        plan,
    )
    .await?;
    Ok(true)
}

async fn put(database: &Database, mut row: Scheduled, seen: ScheduledStamp) -> Planned<Option<Scheduled>> {
    let Some(old) = one(database, row.id).await?.filter(|old| old.stamp() == seen) else {
        return unchanged(None);
    };
    let mut plan = Plan::default();
    if matches!(row.state, ScheduledState::Failed | ScheduledState::Cancelled) {
        let (from, to) = (AttachmentState::Reserved, AttachmentState::Pending);
        move_files(database, &old.message.attachment_ids, from, to, &mut plan).await?;
    }
    row.user_rev = next_user_rev(database, &row.user_id, &mut plan)
        .await?
        .unwrap_or(0);
    let fields = scheduled::to_document(&row)?;
    plan.put(Collection::Scheduled, uuid(row.id.as_uuid()), fields);
    Ok((plan, Some(row)))
}

async fn claim(database: &Arc<Database>, lease: Duration, limit: usize) -> Planned<Vec<Scheduled>> {
    let now = database.clock.now();
    let find = Find::all(is_due(now))
        .sorted(doc! { "send_at": 1, "_id": 1 })
        .limited(limit);
    let mut due = database
        .list(Collection::Scheduled, find, scheduled::from_document)
        .await?;
    let mut plan = Plan::default();
    for row in &mut due {
        row.claims = row.claims.saturating_add(1);
        row.claimed_until = Some(now.after(lease));
        plan.put(
            Collection::Scheduled,
            uuid(row.id.as_uuid()),
            scheduled::to_document(row)?,
        );
    }
    Ok((plan, due))
}

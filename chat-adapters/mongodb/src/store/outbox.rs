//! Entries are added and removed by commits, so that there is exactly one head for each topic and key. Leases are taken
//! and given back past the slot: they are fields of one document that no decision looks at.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::archive::ArchiveRow;
use chat_core::error::BackendResult;
use chat_core::store::{ClaimedEntry, OutboxBacklog, OutboxEntry, OutboxStore};
use chat_core::time::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;
use uuid::Uuid;

use super::user::unchanged;
use super::writes::Draft;
use super::{MongoStore, Named};
use crate::collection::Collection;
use crate::database::{Counters, Database, Find};
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{Row, time, uuid};
use crate::slot::Planned;

/// How long a worker that finishes an entry keeps others from it, while the commit that removes it is under way.
const FINISHING: Duration = Duration::from_secs(60);

#[async_trait]
impl OutboxStore for MongoStore {
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>> {
        self.claim(topic, limit, lease, lasting)
            .await
            .named("claim_outbox")
    }

    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool> {
        const OPERATION: &str = "finish_outbox";
        // Nobody else can claim it from here on; then it goes, and the next one of its key becomes the head.
        let until = time(self.clock().now().after(FINISHING));
        let held = doc! { "$set": { "leased_until": until } };
        if !self.change_lease(id, lease, held).await.named(OPERATION)? {
            return Ok(false);
        }
        self.write(OPERATION, move |database, _| {
            Box::pin(async move { finish(&database, id, lease).await })
        })
        .await
    }

    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool> {
        let due = time(self.clock().now().after(after));
        let change = doc! {
            "$inc": { "attempts": 1_i64 },
            "$set": { "due_at": due },
            "$unset": { "lease": "", "leased_until": "" },
        };
        self.change_lease(id, lease, change).await.named("retry_outbox")
    }

    async fn advance_outbox(
        &self,
        id: Uuid,
        lease: Uuid,
        rest: Option<&str>,
        added: &[OutboxEntry],
    ) -> BackendResult<bool> {
        const OPERATION: &str = "advance_outbox";
        let now = self.clock().now();
        let until = time(now.after(FINISHING));
        let held = doc! { "$set": { "leased_until": until } };
        if !self.change_lease(id, lease, held).await.named(OPERATION)? {
            return Ok(false);
        }
        let (rest, added) = (rest.map(str::to_owned), added.to_vec());
        self.write(OPERATION, move |database, number| {
            let (rest, added) = (rest.clone(), added.clone());
            Box::pin(async move {
                let head = Head { id, lease };
                advance(&database, number, head, rest, &added, now).await
            })
        })
        .await
    }

    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>> {
        let found = async {
            self.settled().await?;
            // Every key that has entries has one head.
            let filter = doc! { "topic": topic, "key": { "$in": keys }, "head": true };
            let find = Find::all(filter).only(&["key"]);
            self.database()
                .list(Collection::Outbox, find, |found| Row(found).text("key"))
                .await
        };
        found.await.named("outbox_keys")
    }

    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize> {
        let database = self.database();
        Counters::count(&database.counters.writes);
        let released = database
            .collection(Collection::Outbox)
            .update_many(
                doc! { "lease": uuid(lease) },
                doc! { "$unset": { "lease": "", "leased_until": "" } },
            )
            .await
            .map_err(|error| Error::Driver(error).of_write())
            .named("release_outbox")?;
        Ok(usize::try_from(released.modified_count).unwrap_or(usize::MAX))
    }

    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog> {
        let found = async {
            self.settled().await?;
            let pipeline = vec![
                doc! { "$match": { "topic": topic } },
                doc! { "$group": { "_id": null, "entries": { "$sum": 1_i64 }, "oldest": { "$min": "$created_at" } } },
            ];
            let read = |found: &Document| {
                Ok(OutboxBacklog {
                    entries: Row(found).uint("entries")?,
                    oldest_at: Row(found).opt_time("oldest")?,
                })
            };
            self.database()
                .aggregate(Collection::Outbox, pipeline, read)
                .await
        };
        let found = found.await.named("outbox_backlog")?;
        Ok(found.first().copied().unwrap_or_default())
    }
}

pub(super) fn entry(document: &Document) -> Result<ClaimedEntry, Error> {
    let row = Row(document);
    Ok(ClaimedEntry {
        entry: OutboxEntry {
            id: row.uuid("id")?,
            topic: row.text("topic")?,
            key: row.text("key")?,
            payload: row.text("payload")?,
            created_at: row.time("created_at")?,
        },
        attempts: row.small("attempts")?,
    })
}

/// Topics and keys of those rows that have entries on their way out already.
pub(super) async fn lanes(
    database: &Database,
    rows: &[ArchiveRow],
) -> Result<BTreeSet<(String, String)>, Error> {
    let wanted = rows.iter().filter_map(|row| match row {
        ArchiveRow::Outbox(row) => Some((row.entry.topic.clone(), row.entry.key.clone())),
        _ => None,
    });
    taken(database, wanted.collect()).await
}

async fn taken(
    database: &Database,
    lanes: BTreeSet<(String, String)>,
) -> Result<BTreeSet<(String, String)>, Error> {
    let mut taken = BTreeSet::new();
    for lane in lanes {
        let filter = doc! { "topic": lane.0.as_str(), "key": lane.1.as_str() };
        if database.exists(Collection::Outbox, filter).await? {
            taken.insert(lane);
        }
    }
    Ok(taken)
}

/// Heads of a topic that nobody holds and whose time has come.
fn free(topic: &str, now: Timestamp) -> Document {
    doc! {
        "topic": topic,
        "head": true,
        "due_at": { "$lte": time(now) },
        "leased_until": { "$not": { "$gt": time(now) } },
    }
}

impl MongoStore {
    async fn claim(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> Result<Vec<ClaimedEntry>, Error> {
        self.settled().await?;
        let database = self.database();
        let now = self.clock().now();
        let find = Find::all(free(topic, now))
            .sorted(doc! { "due_at": 1, "_id": 1 })
            .limited(limit)
            .only(&["_id"]);
        let due = database
            .list(Collection::Outbox, find, |found| Row(found).int("_id"))
            .await?;
        let mut claimed = Vec::with_capacity(due.len());
        let take = doc! { "$set": { "lease": uuid(lease), "leased_until": time(now.after(lasting)) } };
        for place in due {
            let mut still = free(topic, now);
            still.insert("_id", place);
            Counters::count(&database.counters.writes);
            let taken = database
                .collection(Collection::Outbox)
                .find_one_and_update(still, take.clone())
                .return_document(ReturnDocument::After)
                .await
                .map_err(|error| Error::Driver(error).of_write())?;
            claimed.extend(taken.as_ref().map(entry).transpose()?);
        }
        Ok(claimed)
    }

    /// Changes an entry that is leased under this id; answers whether it is.
    async fn change_lease(&self, id: Uuid, lease: Uuid, change: Document) -> Result<bool, Error> {
        let database = self.database();
        Counters::count(&database.counters.writes);
        let changed = database
            .collection(Collection::Outbox)
            .update_one(doc! { "id": uuid(id), "lease": uuid(lease) }, change)
            .await
            .map_err(|error| Error::Driver(error).of_write())?;
        Ok(changed.matched_count > 0)
    }
}

/// An entry that a worker holds.
#[derive(Clone, Copy)]
struct Head {
    id: Uuid,
    lease: Uuid,
}

/// Takes an entry away and makes the next one of its key the head; its key, and whether there is a next one. `None`
/// when it is not held.
async fn take_away(
    database: &Database,
    plan: &mut Plan,
    Head { id, lease }: Head,
) -> Result<Option<((String, String), bool)>, Error> {
    let held = doc! { "id": uuid(id), "lease": uuid(lease) };
    let read = |found: &Document| {
        let row = Row(found);
        Ok((row.int("_id")?, row.text("topic")?, row.text("key")?))
    };
    let Some((place, topic, key)) = database.find(Collection::Outbox, held, read).await? else {
        return Ok(None);
    };
    plan.bury(Collection::Outbox, place);
    let next = Find::all(doc! { "topic": topic.as_str(), "key": key.as_str(), "_id": { "$gt": place } })
        .sorted(doc! { "_id": 1 })
        .limited(1)
        .only(&["_id"]);
    let next = database
        .list(Collection::Outbox, next, |found| Row(found).int("_id"))
        .await?;
    for place in &next {
        plan.set(Collection::Outbox, *place, doc! { "head": true });
    }
    Ok(Some(((topic, key), !next.is_empty())))
}

async fn finish(database: &Database, id: Uuid, lease: Uuid) -> Planned<bool> {
    let mut plan = Plan::default();
    match take_away(database, &mut plan, Head { id, lease }).await? {
        Some(_) => Ok((plan, true)),
        None => unchanged(false),
    }
}

async fn advance(
    database: &Database,
    number: i64,
    head: Head,
    rest: Option<String>,
    added: &[OutboxEntry],
    now: Timestamp,
) -> Planned<bool> {
    let lanes = added.iter().map(|entry| (entry.topic.clone(), entry.key.clone()));
    let mut draft = Draft::default();
    draft.taken_lanes = taken(database, lanes.collect()).await?;
    match rest {
        Some(rest) => {
            let held = doc! { "id": uuid(head.id), "lease": uuid(head.lease) };
            let place = |found: &Document| Row(found).int("_id");
            let Some(place) = database.find(Collection::Outbox, held, place).await? else {
                return unchanged(false);
            };
            let fields = doc! {
                "payload": rest,
                "attempts": 0_i64,
                "due_at": time(now),
                "lease": Bson::Null,
                "leased_until": Bson::Null,
            };
            draft.plan.set(Collection::Outbox, place, fields);
        }
        None => {
            let Some((lane, has_next)) = take_away(database, &mut draft.plan, head).await? else {
                return unchanged(false);
            };
            if !has_next {
                draft.taken_lanes.remove(&lane);
            }
        }
    }
    for entry in added {
        draft.entry(entry, number);
    }
    Ok((draft.plan, true))
}

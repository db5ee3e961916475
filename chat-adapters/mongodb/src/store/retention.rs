use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, Message};
use chat_core::store::{DueConversations, RetentionClass, RetentionStore};
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::{MongoStore, Named};
use crate::codec::{conversation, message};
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::names::Named as _;
use crate::plan::Plan;
use crate::row::{Row, texts, time, uuid};
use crate::slot::Planned;

#[async_trait]
impl RetentionStore for MongoStore {
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>> {
        let found = async {
            self.settled().await?;
            let (field, mut filter) = match query.class {
                RetentionClass::Policy(kind) => {
                    ("oldest_at", doc! { "kind": kind.column(), "retention": null })
                }
                RetentionClass::Own => ("due_at", Document::new()),
            };
            filter.insert(field, doc! { "$lt": time(query.before) });
            if let Some((at, id)) = query.after {
                let (at, id) = (time(at), uuid(id.as_uuid()));
                filter.insert(
                    "$or",
                    vec![
                        doc! { field: { "$gt": at } },
                        doc! { field: at, "_id": { "$gt": id } },
                    ],
                );
            }
            let find = Find::all(filter)
                .sorted(doc! { field: 1, "_id": 1 })
                .limited(query.limit);
            self.database()
                .list(Collection::Conversations, find, conversation::from_document)
                .await
        };
        found.await.named("conversations_due")
    }

    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let found = async {
            self.settled().await?;
            let find = Find::all(doc! { "conversation_id": uuid(conversation.as_uuid()) })
                .sorted(doc! { "seq": 1 })
                .limited(limit);
            self.database()
                .list(Collection::Messages, find, message::from_document)
                .await
        };
        found.await.named("oldest_messages")
    }

    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        self.write("forget_mark_times", move |database, _| {
            Box::pin(async move { forget(&database, before, limit).await })
        })
        .await
    }
}

/// Steps of one mark of one user in one conversation.
type Lane = (ConversationId, UserId, i64);

struct Step {
    place: i64,
    lane: Lane,
    at: i64,
}

fn step(document: &Document) -> Result<Step, Error> {
    let row = Row(document);
    Ok(Step {
        place: row.int("_id")?,
        lane: (
            row.conversation("conversation_id")?,
            row.user("user_id")?,
            row.int("step")?,
        ),
        at: row.int("at")?,
    })
}

async fn forget(database: &Database, before: Timestamp, limit: usize) -> Planned<usize> {
    let mut plan = Plan::default();
    let old = old_steps(database, before, limit).await?;
    let mut lanes: BTreeMap<Lane, i64> = BTreeMap::new();
    for step in &old {
        plan.set(Collection::Advances, step.place, doc! { "timeless": true });
        let newest = lanes.entry(step.lane.clone()).or_insert(step.place);
        *newest = step.place.max(*newest);
    }
    // Of the steps of one kind without their times the newest says it all.
    for ((conversation, user, kind), newest) in lanes {
        let timeless = doc! {
            "conversation_id": uuid(conversation.as_uuid()),
            "user_id": user.as_str(),
            "step": kind,
            "timeless": true,
        };
        let find = Find::all(timeless).only(&["_id"]);
        let mut places = database
            .list(Collection::Advances, find, |found| Row(found).int("_id"))
            .await?;
        let lane = (conversation, user, kind);
        places.extend(old.iter().filter(|step| step.lane == lane).map(|step| step.place));
        let last = places.iter().copied().max().unwrap_or(newest);
        for place in places.into_iter().filter(|place| *place < last) {
            plan.bury(Collection::Advances, place);
        }
    }
    Ok((plan, old.len()))
}

/// The oldest steps that may lose their times.
async fn old_steps(database: &Database, before: Timestamp, limit: usize) -> Result<Vec<Step>, Error> {
    let mut found: Vec<Step> = Vec::new();
    let mut after: Option<(i64, i64)> = None;
    while found.len() < limit {
        let mut filter = doc! { "timeless": false, "at": { "$lt": time(before) } };
        if let Some((at, place)) = after {
            let same = doc! { "at": at, "_id": { "$gt": place } };
            filter.insert("$or", vec![doc! { "at": { "$gt": at } }, same]);
        }
        let find = Find::all(filter)
            .sorted(doc! { "at": 1, "_id": 1 })
            .limited(limit)
            .only(&["conversation_id", "user_id", "step", "at"]);
        let some = database.list(Collection::Advances, find, step).await?;
        let is_last = some.len() < limit;
        after = some.last().map(|last| (last.at, last.place));
        let users: BTreeSet<&UserId> = some.iter().map(|step| &step.lane.1).collect();
        let kept = in_blocks(database, users).await?;
        found.extend(some.into_iter().filter(|step| !kept.contains(&step.lane.1)));
        if is_last {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Those of the users who are in a block relation, either way.
async fn in_blocks(database: &Database, users: BTreeSet<&UserId>) -> Result<BTreeSet<UserId>, Error> {
    let side = |field: &'static str| {
        let find =
            Find::all(doc! { field: { "$in": texts(users.iter().copied()) }, "active": true }).only(&[field]);
        database.list(Collection::Blocks, find, move |block| Row(block).user(field))
    };
    let (blockers, blocked) = futures::try_join!(side("blocker"), side("blocked"))?;
    Ok(blockers.into_iter().chain(blocked).collect())
}

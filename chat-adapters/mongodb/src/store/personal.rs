use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ConversationId, MessageId, ReportId, UserId};
use chat_core::model::{Attachment, Block, Hide, Member, Message, Reaction, Report, Seq, User};
use chat_core::store::{MarkStep, PersonalStore, StepPlace};
use mongodb::bson::{Bson, Document, doc};

use super::{MongoStore, Named};
use crate::codec::receipt::{audience, step};
use crate::codec::{attachment, member, message, moderation, personal, receipt, user};
use crate::collection::Collection;
use crate::database::{Counters, Database, Find};
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{Row, int, uuid};
use crate::slot::Planned;

/// Collections with rows that are one user's alone, and the field that says whose.
const HIS: [(Collection, &str); 7] = [
    (Collection::Hides, "user_id"),
    (Collection::Blocks, "blocker"),
    (Collection::Mutes, "user_id"),
    (Collection::Stars, "user_id"),
    (Collection::Reports, "reporter"),
    (Collection::Scheduled, "user_id"),
    (Collection::Advances, "user_id"),
];

#[async_trait]
impl PersonalStore for MongoStore {
    async fn memberships(
        &self,
        user: &UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let mut filter = doc! { "user_id": user.as_str() };
        if let Some(after) = after {
            filter.insert("conversation_id", doc! { "$gt": uuid(after.as_uuid()) });
        }
        let find = Find::all(filter)
            .sorted(doc! { "conversation_id": 1 })
            .limited(limit);
        let found = self.his(Collection::Members, find, member::from_document);
        found.await.named("memberships")
    }

    async fn sent_messages(
        &self,
        conversation: ConversationId,
        sender: &UserId,
        after: Seq,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let filter = doc! {
            "conversation_id": uuid(conversation.as_uuid()),
            "seq": { "$gt": int(after) },
            "sender_id": sender.as_str(),
        };
        let find = Find::all(filter).sorted(doc! { "seq": 1 }).limited(limit);
        let found = self.his(Collection::Messages, find, message::from_document);
        found.await.named("sent_messages")
    }

    async fn reactions_by(
        &self,
        user: &UserId,
        after: Option<(MessageId, String)>,
        limit: usize,
    ) -> BackendResult<Vec<Reaction>> {
        let mut filter = doc! { "user_id": user.as_str() };
        if let Some((message, emoji)) = after {
            let id = uuid(message.as_uuid());
            let same = doc! { "message_id": id.clone(), "emoji": { "$gt": emoji } };
            filter.insert("$or", vec![doc! { "message_id": { "$gt": id } }, same]);
        }
        let find = Find::all(filter)
            .sorted(doc! { "message_id": 1, "emoji": 1 })
            .limited(limit);
        let found = self.his(Collection::Reactions, find, receipt::reaction_from_document);
        found.await.named("reactions_by")
    }

    async fn hides_by(
        &self,
        user: &UserId,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<Hide>> {
        let mut filter = doc! { "user_id": user.as_str() };
        if let Some(after) = after {
            filter.insert("message_id", doc! { "$gt": uuid(after.as_uuid()) });
        }
        let find = Find::all(filter).sorted(doc! { "message_id": 1 }).limited(limit);
        let found = self.his(Collection::Hides, find, receipt::hide_from_document);
        found.await.named("hides_by")
    }

    async fn mark_steps(
        &self,
        conversation: ConversationId,
        user: &UserId,
        after: Option<StepPlace>,
        limit: usize,
    ) -> BackendResult<Vec<MarkStep>> {
        let mut filter = doc! { "conversation_id": uuid(conversation.as_uuid()), "user_id": user.as_str() };
        if let Some((to, read)) = after {
            let to = int(to);
            let same = doc! { "to_seq": to, "step": { "$gt": step(read) } };
            filter.insert("$or", vec![doc! { "to_seq": { "$gt": to } }, same]);
        }
        let find = Find::all(filter)
            .sorted(doc! { "to_seq": 1, "step": 1 })
            .limited(limit);
        let found = self.his(Collection::Advances, find, |found| {
            let row = Row(found);
            let at = row.time("at")?;
            Ok(MarkStep {
                read: audience(row.int("step")?)?,
                from: row.uint("from_seq")?,
                to: row.uint("to_seq")?,
                at: (!row.flag("timeless")?).then_some(at),
            })
        });
        found.await.named("mark_steps")
    }

    async fn blocks_by(
        &self,
        user: &UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> BackendResult<Vec<Block>> {
        let mut filter = doc! { "blocker": user.as_str(), "active": true };
        if let Some(after) = after {
            filter.insert("blocked", doc! { "$gt": after.as_str() });
        }
        let find = Find::all(filter).sorted(doc! { "blocked": 1 }).limited(limit);
        let found = self.his(Collection::Blocks, find, personal::block_from_document);
        found.await.named("blocks_by")
    }

    async fn uploads_by(
        &self,
        user: &UserId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let find = by_id("uploader", user, after.map(|id| id.as_uuid())).limited(limit);
        let found = self.his(Collection::Attachments, find, attachment::from_document);
        found.await.named("uploads_by")
    }

    async fn reports_by(
        &self,
        user: &UserId,
        after: Option<ReportId>,
        limit: usize,
    ) -> BackendResult<Vec<Report>> {
        let find = by_id("reporter", user, after.map(|id| id.as_uuid())).limited(limit);
        let found = self.his(Collection::Reports, find, moderation::report_from_document);
        found.await.named("reports_by")
    }

    async fn erase_private(&self, user: &UserId, limit: usize) -> BackendResult<usize> {
        const OPERATION: &str = "erase_private";
        let devices = self.erase_devices(user, limit).await.named(OPERATION)?;
        let (user, left) = (user.clone(), limit.saturating_sub(devices));
        if left == 0 {
            return Ok(devices);
        }
        let rows = self.write(OPERATION, move |database, _| {
            let user = user.clone();
            Box::pin(async move { erase(&database, &user, left).await })
        });
        Ok(devices.saturating_add(rows.await?))
    }

    async fn unfinished_erasures(&self, limit: usize) -> BackendResult<Vec<User>> {
        let find = Find::all(doc! { "erasure_done": false }).limited(limit);
        let found = self.his(Collection::Users, find, user::from_document);
        found.await.named("unfinished_erasures")
    }
}

/// Rows of a user in order of `_id`.
fn by_id(field: &str, user: &UserId, after: Option<uuid::Uuid>) -> Find {
    let mut filter = doc! { field: user.as_str() };
    if let Some(after) = after {
        filter.insert("_id", doc! { "$gt": uuid(after) });
    }
    Find::all(filter).sorted(doc! { "_id": 1 })
}

impl MongoStore {
    async fn his<T>(
        &self,
        collection: Collection,
        find: Find,
        read: impl Fn(&Document) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.settled().await?;
        self.database().list(collection, find, read).await
    }

    async fn erase_devices(&self, user: &UserId, limit: usize) -> Result<usize, Error> {
        let database = self.database();
        let tokens = ids(database, Collection::Devices, "user_id", user, limit).await?;
        if tokens.is_empty() {
            return Ok(0);
        }
        Counters::count(&database.counters.writes);
        let gone = database
            .collection(Collection::Devices)
            .delete_many(doc! { "_id": { "$in": tokens }, "user_id": user.as_str() })
            .await
            .map_err(|error| Error::Driver(error).of_write())?;
        Ok(usize::try_from(gone.deleted_count).unwrap_or(usize::MAX))
    }
}

async fn ids(
    database: &Database,
    collection: Collection,
    field: &str,
    user: &UserId,
    limit: usize,
) -> Result<Vec<Bson>, Error> {
    let find = Find::all(doc! { field: user.as_str() })
        .limited(limit)
        .only(&["_id"]);
    let read = |found: &Document| found.get("_id").cloned().ok_or(Error::Decode("_id"));
    database.list(collection, find, read).await
}

async fn erase(database: &Database, user: &UserId, limit: usize) -> Planned<usize> {
    let mut plan = Plan::default();
    let mut gone = 0;
    for (collection, field) in HIS {
        for id in ids(database, collection, field, user, limit.saturating_sub(gone)).await? {
            plan.bury(collection, id);
            gone += 1;
        }
    }
    Ok((plan, gone))
}

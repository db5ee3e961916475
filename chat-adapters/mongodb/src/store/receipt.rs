use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{ReadAudience, Seq};
use chat_core::store::{MarkTimes, MarksThen, ReceiptStore};
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::{MongoStore, Named};
use crate::codec::receipt::{audience as audience_of, step};
use crate::codec::{key, personal};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, int, texts, time, uuid, uuids};

/// The first step of a kind over a message.
struct First {
    user: UserId,
    kind: i64,
    place: i64,
    at: Option<Timestamp>,
}

#[async_trait]
impl ReceiptStore for MongoStore {
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>> {
        let mut first = self
            .first_steps(conversation, seq, users, audience)
            .await
            .named("mark_times")?;
        first.sort_unstable_by_key(|step| step.place);
        // The first step counts, also when it has lost its time: the next one's would be wrong.
        let mut times: HashMap<UserId, [Option<Option<Timestamp>>; 2]> = HashMap::new();
        for found in first {
            let [delivered, read] = times.entry(found.user).or_default();
            let slot = if found.kind == step(None) { delivered } else { read };
            slot.get_or_insert(found.at);
        }
        let times = times.into_iter().map(|(user, [delivered, read])| {
            let times = MarkTimes {
                delivered_at: delivered.flatten(),
                read_at: read.flatten(),
            };
            (user, times)
        });
        Ok(times.collect())
    }

    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>> {
        self.marks_then(viewer, users, conversations)
            .await
            .named("marks_before_blocks")
    }
}

impl MongoStore {
    /// Of each user and kind the first step that reached `seq`: within a kind a mark only grows.
    async fn first_steps(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> Result<Vec<First>, Error> {
        self.settled().await?;
        let kinds = doc! { "$not": { "$gt": step(None), "$lt": step(Some(audience)) } };
        let pipeline = vec![
            doc! { "$match": {
                "conversation_id": uuid(conversation.as_uuid()),
                "user_id": { "$in": texts(users) },
                "to_seq": { "$gte": int(seq) },
                "step": kinds,
            } },
            doc! { "$sort": { "user_id": 1, "step": 1, "to_seq": 1, "_id": 1 } },
            doc! { "$group": {
                "_id": { "user": "$user_id", "step": "$step" },
                "place": { "$first": "$_id" },
                "at": { "$first": "$at" },
                "timeless": { "$first": "$timeless" },
            } },
        ];
        let read = |found: &Document| {
            let of = found.get_document("_id").map_err(|_| Error::Decode("_id"))?;
            let row = Row(found);
            let at = row.time("at")?;
            Ok(First {
                user: Row(of).user("user")?,
                kind: Row(of).int("step")?,
                place: row.int("place")?,
                at: (!row.flag("timeless")?).then_some(at),
            })
        };
        self.database()
            .aggregate(Collection::Advances, pipeline, read)
            .await
    }

    async fn marks_then(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> Result<HashMap<(ConversationId, UserId), MarksThen>, Error> {
        self.settled().await?;
        let mut marks: HashMap<(ConversationId, UserId), MarksThen> = HashMap::new();
        let pairs = users.iter().flat_map(|other| [(viewer, other), (other, viewer)]);
        let pairs: Vec<String> = pairs.map(|(one, other)| key::about(one, other)).collect();
        let between = doc! { "_id": { "$in": pairs }, "active": true };
        let blocks = self
            .database()
            .list(
                Collection::Blocks,
                Find::all(between),
                personal::block_from_document,
            )
            .await?;
        let mut since: HashMap<UserId, Timestamp> = HashMap::new();
        for block in blocks {
            let other = if block.blocker == *viewer {
                block.blocked
            } else {
                block.blocker
            };
            let at = since.entry(other).or_insert(block.at);
            *at = block.at.min(*at);
        }
        if since.is_empty() || conversations.is_empty() {
            return Ok(marks);
        }
        let ids = uuids(conversations.iter().map(|id| id.as_uuid()));
        let each: Vec<Document> = since
            .iter()
            .map(|(user, at)| doc! { "user_id": user.as_str(), "at": { "$lte": time(*at) } })
            .collect();
        let pipeline = vec![
            doc! { "$match": { "conversation_id": { "$in": ids }, "$or": each } },
            doc! { "$group": {
                "_id": { "conversation": "$conversation_id", "user": "$user_id", "step": "$step" },
                "to": { "$max": "$to_seq" },
            } },
        ];
        let read = |found: &Document| {
            let of = found.get_document("_id").map_err(|_| Error::Decode("_id"))?;
            let of = Row(of);
            let whose = (of.conversation("conversation")?, of.user("user")?);
            Ok((whose, of.int("step")?, Row(found).uint("to")?))
        };
        for (whose, kind, to) in self
            .database()
            .aggregate(Collection::Advances, pipeline, read)
            .await?
        {
            marks.entry(whose).or_default().add(audience_of(kind)?, to);
        }
        Ok(marks)
    }
}

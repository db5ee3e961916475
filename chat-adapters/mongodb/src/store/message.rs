use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::access::{Visibility, visible};
use chat_core::error::BackendResult;
use chat_core::id::{MessageId, UserId};
use chat_core::model::{Message, Reaction};
use chat_core::store::{
    ChangedMessages, ChangesQuery, ExpiryKey, History, HistoryQuery, MessageStore, PersonalFacts, PinsQuery,
    ReactionSummary, SearchQuery,
};
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::eyes::{Eyes, Looker, ranges, unexpired, within};
use super::{MongoStore, Named};
use crate::codec::{key, message, receipt};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, int, time, uuid, uuids};

#[async_trait]
impl MessageStore for MongoStore {
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>> {
        let found = async {
            self.settled().await?;
            self.messages_with(ids).await
        };
        found.await.named("messages")
    }

    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let found = async {
            self.settled().await?;
            let keys: Vec<String> = ids.iter().map(|id| key::of_message(user, *id)).collect();
            let find = Find::all(doc! { "_id": { "$in": keys }, "gone": null }).only(&["message_id"]);
            self.database()
                .list(Collection::Hides, find, |hide| Row(hide).message("message_id"))
                .await
        };
        found.await.named("hidden_among")
    }

    async fn personal_facts(&self, message: MessageId) -> BackendResult<PersonalFacts> {
        let found = async {
            self.settled().await?;
            let of = doc! { "message_id": uuid(message.as_uuid()) };
            let mut standing = of.clone();
            standing.insert("active", true);
            let database = self.database();
            let whose = |row: &Document| Row(row).user("user_id");
            let (hidden_by, starred_by, reactions) = futures::try_join!(
                database.list(Collection::Hides, Find::all(of.clone()).only(&["user_id"]), whose),
                database.list(Collection::Stars, Find::all(standing).only(&["user_id"]), whose),
                database.list(
                    Collection::Reactions,
                    Find::all(of).only(&["user_id", "emoji"]),
                    |row| { Ok((Row(row).user("user_id")?, Row(row).text("emoji")?)) }
                ),
            )?;
            Ok(PersonalFacts {
                hidden_by,
                starred_by,
                reactions,
            })
        };
        found.await.named("personal_facts")
    }

    async fn history(&self, query: &HistoryQuery) -> BackendResult<History> {
        self.page(query).await.named("history")
    }

    async fn search(&self, query: &SearchQuery) -> BackendResult<Vec<Message>> {
        self.search_messages(query).await.named("search")
    }

    async fn pinned(&self, query: &PinsQuery) -> BackendResult<Vec<Message>> {
        self.pinned_messages(query).await.named("pinned")
    }

    async fn changed_messages(&self, query: &ChangesQuery) -> BackendResult<ChangedMessages> {
        self.messages_since(query).await.named("changed_messages")
    }

    async fn reactions(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> BackendResult<HashMap<MessageId, Vec<ReactionSummary>>> {
        let found = async {
            self.settled().await?;
            let ids = uuids(messages.iter().map(|id| id.as_uuid()));
            let find = Find::all(doc! { "message_id": { "$in": ids } })
                .sorted(doc! { "message_id": 1, "at": 1, "place": 1 });
            self.database()
                .list(Collection::Reactions, find, receipt::reaction_from_document)
                .await
        };
        let mut summaries: HashMap<MessageId, Vec<ReactionSummary>> = HashMap::new();
        for reaction in found.await.named("reactions")? {
            if !without.contains(&reaction.user_id) {
                add(
                    summaries.entry(reaction.message_id).or_default(),
                    reaction,
                    viewer,
                );
            }
        }
        Ok(summaries)
    }

    async fn expired_messages(
        &self,
        now: Timestamp,
        after: Option<ExpiryKey>,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "expires_at": { "$lte": time(now) }, "has_content": true };
            if let Some(after) = after {
                let (at, id) = (time(after.expires_at), uuid(after.id.as_uuid()));
                let later = doc! { "expires_at": { "$gt": at } };
                filter.insert(
                    "$or",
                    [later, doc! { "expires_at": at, "id": { "$gt": id } }].to_vec(),
                );
            }
            let find = Find::all(filter)
                .sorted(doc! { "expires_at": 1, "id": 1 })
                .limited(limit);
            self.database()
                .list(Collection::Messages, find, message::from_document)
                .await
        };
        found.await.named("expired_messages")
    }
}

/// Counts one more reaction.
fn add(summaries: &mut Vec<ReactionSummary>, reaction: Reaction, viewer: &UserId) {
    let mine = reaction.user_id == *viewer;
    match summaries.iter_mut().find(|s| s.emoji == reaction.emoji) {
        Some(summary) => {
            summary.count += 1;
            summary.mine |= mine;
            if summary.users.len() < ReactionSummary::USERS {
                summary.users.push(reaction.user_id);
            }
        }
        None => summaries.push(ReactionSummary {
            emoji: reaction.emoji,
            count: 1,
            mine,
            users: vec![reaction.user_id],
        }),
    }
}

impl MongoStore {
    pub(super) async fn messages_with(&self, ids: &[MessageId]) -> Result<Vec<Message>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let find = Find::all(doc! { "id": { "$in": uuids(ids.iter().map(|id| id.as_uuid())) } });
        self.database()
            .list(Collection::Messages, find, message::from_document)
            .await
    }

    async fn pinned_messages(&self, query: &PinsQuery) -> Result<Vec<Message>, Error> {
        self.settled().await?;
        let viewer = &query.viewer;
        let looker = Looker::from(viewer);
        let mut after = query.after.map(|after| (time(after.at), int(after.seq)));
        let mut found: Vec<Message> = Vec::new();
        while found.len() < query.limit {
            let Some(inside) = within(&viewer.member, &ranges(&viewer.member, 0, u64::MAX)) else {
                break;
            };
            let mut filters = vec![
                inside,
                doc! {
                    "pinned_at": { "$exists": true }, "deleted_at": null, "expires_at": unexpired(viewer.now),
                },
            ];
            if let Some((at, seq)) = after {
                let later = doc! { "pinned_at": at, "seq": { "$lt": seq } };
                filters.push(doc! { "$or": [{ "pinned_at": { "$lt": at } }, later] });
            }
            let find = Find::all(doc! { "$and": filters })
                .sorted(doc! { "pinned_at": -1, "seq": -1 })
                .limited(query.limit);
            let some = self
                .database()
                .list(Collection::Messages, find, message::from_document)
                .await?;
            let is_last = some.len() < query.limit;
            after = some
                .last()
                .and_then(|last| Some((time(last.pinned.as_ref()?.at), int(last.seq))));
            let eyes = Eyes::on(self.database(), &looker, &some).await?;
            found.extend(
                some.into_iter().filter(|m| {
                    visible(&eyes.sight(&viewer.member, viewer.group, m), m) == Visibility::Visible
                }),
            );
            if is_last {
                break;
            }
        }
        found.truncate(query.limit);
        Ok(found)
    }
}

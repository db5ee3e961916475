use async_trait::async_trait;
use chat_core::access::{counts_as_unread, is_mention};
use chat_core::error::BackendResult;
use chat_core::model::Message;
use chat_core::store::{MentionQuery, MentionStore};
use mongodb::bson::doc;

use super::eyes::Looker;
use super::search::Walk;
use super::{MongoStore, Named};

#[async_trait]
impl MentionStore for MongoStore {
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>> {
        let walk = Walk {
            looker: Looker {
                user: query.user.clone(),
                now: query.now,
                blocked_in_group: query.blocked_in_group,
            },
            conversation: None,
            filter: doc! {
                "sender_id": { "$ne": query.user.as_str() },
                "$or": [{ "mentions": query.user.as_str() }, { "mentions_all": true }],
            },
            after: query.after,
            limit: query.limit,
        };
        let found = self.walk(walk, |sight, message| {
            is_mention(sight, message) && (!query.unread || counts_as_unread(sight, message))
        });
        found.await.named("mentions")
    }
}

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::MessageId;
use chat_core::model::FormerText;
use chat_core::store::EditStore;
use mongodb::bson::doc;

use super::{MongoStore, Named};
use crate::codec::receipt;
use crate::collection::Collection;
use crate::database::Find;
use crate::row::uuid;

#[async_trait]
impl EditStore for MongoStore {
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "message_id": uuid(message.as_uuid()) };
            if let Some(before) = before {
                filter.insert("version", doc! { "$lt": i64::from(before) });
            }
            let find = Find::all(filter).sorted(doc! { "version": -1 }).limited(limit);
            self.database()
                .list(Collection::FormerTexts, find, receipt::former_text_from_document)
                .await
        };
        found.await.named("former_texts")
    }
}

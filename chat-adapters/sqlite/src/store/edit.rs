//! Former texts of edited messages.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::MessageId;
use chat_core::model::FormerText;
use chat_core::store::EditStore;

use super::SqliteStore;
use crate::error::Error;
use crate::statement::{blob, size, statement};
use crate::transaction::Transaction;

const LIST: &str = "SELECT t.conversation_id, t.message_id, t.version, t.text, t.edited_at FROM chat_former_texts t \
    WHERE t.message_id = ?1 AND (?2 IS NULL OR t.version < ?2) ORDER BY t.version DESC LIMIT ?3";

pub(super) async fn put_former_text(transaction: &mut Transaction, former: &FormerText) -> Result<(), Error> {
    const PUT: &str = "INSERT OR REPLACE INTO chat_former_texts (message_id, version, conversation_id, edited_at, text) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let query = statement(PUT)
        .bind(blob(former.message_id.as_uuid()))
        .bind(i64::from(former.version))
        .bind(blob(former.conversation_id.as_uuid()))
        .bind(former.edited_at.as_millis())
        .bind(former.text.as_str());
    transaction.run(query).await?;
    Ok(())
}

pub(super) async fn clear_former_texts(
    transaction: &mut Transaction,
    message: MessageId,
) -> Result<(), Error> {
    const CLEAR: &str = "DELETE FROM chat_former_texts WHERE message_id = ?1";
    let query = statement(CLEAR).bind(blob(message.as_uuid()));
    transaction.run(query).await?;
    Ok(())
}

#[async_trait]
impl EditStore for SqliteStore {
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>> {
        let query = statement(LIST)
            .bind(blob(message.as_uuid()))
            .bind(before.map(i64::from))
            .bind(size(limit));
        let found = async {
            let mut session = self.read().await?;
            let texts = session.list(query, |cells| {
                Ok(FormerText {
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    version: cells.small()?,
                    text: cells.text()?,
                    edited_at: cells.time()?,
                })
            });
            texts.await
        };
        found.await.map_err(|error| error.into_backend("former_texts"))
    }
}

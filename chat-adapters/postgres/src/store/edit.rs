//! Former texts of edited messages.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::MessageId;
use chat_core::model::FormerText;
use chat_core::store::EditStore;

use super::PostgresStore;
use crate::error::Error;
use crate::statement::{all, size, statement};
use crate::transaction::Transaction;

pub(super) const LIST: &str = "SELECT t.conversation_id, t.message_id, t.version, t.text, t.edited_at \
    FROM chat_former_texts t WHERE t.message_id = $1 AND ($2::int8 IS NULL OR t.version < $2) \
    ORDER BY t.version DESC LIMIT $3";

/// Drops all former texts of the messages in `cleared`, then keeps the new ones.
pub(super) async fn change_former_texts(
    transaction: &mut Transaction,
    cleared: &BTreeSet<MessageId>,
    new: &BTreeMap<(MessageId, u32), FormerText>,
) -> Result<(), Error> {
    const CLEAR: &str = "DELETE FROM chat_former_texts WHERE message_id = ANY($1)";
    const PUT: &str = "INSERT INTO chat_former_texts (message_id, version, conversation_id, edited_at, text) \
        SELECT * FROM unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int8[], $5::text[]) \
        ON CONFLICT (message_id, version) DO UPDATE SET conversation_id = excluded.conversation_id, \
        edited_at = excluded.edited_at, text = excluded.text";
    if !cleared.is_empty() {
        let cleared: Vec<_> = cleared.iter().collect();
        let query = statement(CLEAR).bind(all(&cleared, |id| id.as_uuid()));
        transaction.run(query).await?;
    }
    if !new.is_empty() {
        let new: Vec<_> = new.values().collect();
        let query = statement(PUT)
            .bind(all(&new, |former| former.message_id.as_uuid()))
            .bind(all(&new, |former| i64::from(former.version)))
            .bind(all(&new, |former| former.conversation_id.as_uuid()))
            .bind(all(&new, |former| former.edited_at.as_millis()))
            .bind(all(&new, |former| former.text.as_str()));
        transaction.run(query).await?;
    }
    Ok(())
}

#[async_trait]
impl EditStore for PostgresStore {
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>> {
        let query = statement(LIST)
            .bind(message.as_uuid())
            .bind(before.map(i64::from))
            .bind(size(limit));
        let found = self.database().list(query, |cells| {
            Ok(FormerText {
                conversation_id: cells.conversation()?,
                message_id: cells.message()?,
                version: cells.small()?,
                text: cells.text()?,
                edited_at: cells.time()?,
            })
        });
        found.await.map_err(|error| error.into_backend("former_texts"))
    }
}

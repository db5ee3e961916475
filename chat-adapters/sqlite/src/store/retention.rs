use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::ConversationId;
use chat_core::model::{Conversation, Message};
use chat_core::store::{DueConversations, RetentionClass, RetentionStore};
use chat_core::time::Timestamp;

use super::SqliteStore;
use super::rows::{self, conversation_columns, message_columns};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{blob, json, size, statement};
use crate::transaction::Transaction;

pub(super) const DUE_BY_POLICY: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.retention IS NULL AND c.kind = ?1 AND c.oldest_at < ?2 \
     AND (c.oldest_at, c.id) > (?3, ?4) ORDER BY c.oldest_at, c.id LIMIT ?5"
);
pub(super) const DUE_BY_THEMSELVES: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.retention >= 0 AND c.oldest_at IS NOT NULL \
     AND c.oldest_at + c.retention < ?1 AND (c.oldest_at + c.retention, c.id) > (?2, ?3) \
     ORDER BY c.oldest_at + c.retention, c.id LIMIT ?4"
);
pub(super) const OLDEST: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 ORDER BY m.seq LIMIT ?2"
);
pub(super) const OLD_STEPS: &str = "SELECT a.position FROM chat_advances a WHERE a.timeless = 0 AND a.at < ?1 \
    AND NOT EXISTS (SELECT 1 FROM chat_blocks b WHERE b.blocker = a.user_id AND b.active = 1) \
    AND NOT EXISTS (SELECT 1 FROM chat_blocks b WHERE b.blocked = a.user_id AND b.active = 1) \
    ORDER BY a.at LIMIT ?2";
const FORGET: &str =
    "UPDATE chat_advances SET timeless = 1 WHERE position IN (SELECT value FROM json_each(?1))";
/// Of the steps of one kind without their times the newest says it all.
pub(super) const SUPERSEDED: &str = "DELETE FROM chat_advances WHERE position IN (SELECT o.position \
    FROM json_each(?1) j CROSS JOIN chat_advances n ON n.position = j.value \
    CROSS JOIN chat_advances o ON o.conversation_id = n.conversation_id AND o.user_id = n.user_id \
      AND o.step = n.step AND o.to_seq <= n.to_seq AND o.position < n.position AND o.timeless = 1)";

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>> {
        // Before every time and every id.
        let (at, id) = match query.after {
            Some((at, id)) => (at.as_millis(), blob(id.as_uuid())),
            None => (i64::MIN, Vec::new()),
        };
        let due = match query.class {
            RetentionClass::Policy(kind) => statement(DUE_BY_POLICY).bind(kind.column()),
            RetentionClass::Own => statement(DUE_BY_THEMSELVES),
        };
        let due = due
            .bind(query.before.as_millis())
            .bind(at)
            .bind(id)
            .bind(size(query.limit));
        let found = async { self.read().await?.list(due, rows::conversation).await };
        found
            .await
            .map_err(|error| error.into_backend("conversations_due"))
    }

    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let query = statement(OLDEST)
            .bind(blob(conversation.as_uuid()))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::message).await };
        found.await.map_err(|error| error.into_backend("oldest_messages"))
    }

    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        self.writer()
            .write_step("forget_mark_times", move |transaction| {
                Box::pin(async move { forget(transaction, before, limit).await })
            })
            .await
    }
}

async fn forget(transaction: &mut Transaction, before: Timestamp, limit: usize) -> Result<usize, Error> {
    let query = statement(OLD_STEPS).bind(before.as_millis()).bind(size(limit));
    let old = transaction.list(query, |cells| cells.take::<i64>()).await?;
    if old.is_empty() {
        return Ok(0);
    }
    let list = json(&old)?;
    transaction.run(statement(FORGET).bind(list.clone())).await?;
    transaction.run(statement(SUPERSEDED).bind(list)).await?;
    Ok(old.len())
}

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, Message};
use chat_core::store::{DueConversations, RetentionClass, RetentionStore};
use chat_core::time::Timestamp;
use uuid::Uuid;

use super::PostgresStore;
use super::rows::{self, conversation_columns, message_columns};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{all, size, statement};
use crate::transaction::Transaction;

pub(super) const DUE_BY_POLICY: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.retention IS NULL AND c.kind = $1 AND c.oldest_at IS NOT NULL \
     AND c.oldest_at < $2 AND (c.oldest_at, c.id) > ($3, $4) ORDER BY c.oldest_at, c.id LIMIT $5"
);
/// The time a conversation's own retention ends at, as its index has it.
macro_rules! due_at {
    () => {
        "(c.oldest_at + least(c.retention, 253402300799999))"
    };
}
pub(super) const DUE_BY_THEMSELVES: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.retention >= 0 AND c.oldest_at IS NOT NULL AND ",
    due_at!(),
    " < $1 AND (",
    due_at!(),
    ", c.id) > ($2, $3) ORDER BY ",
    due_at!(),
    ", c.id LIMIT $4"
);
pub(super) const OLDEST: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = $1 ORDER BY m.seq LIMIT $2"
);
/// Steps that another node forgets at this moment are left to it.
pub(super) const FORGET: &str = "WITH old AS (SELECT a.conversation_id, a.user_id, a.step, a.to_seq, a.position \
      FROM chat_advances a WHERE NOT a.timeless AND a.at < $1 \
      AND NOT EXISTS (SELECT 1 FROM chat_blocks b WHERE b.blocker = a.user_id AND b.active) \
      AND NOT EXISTS (SELECT 1 FROM chat_blocks b WHERE b.blocked = a.user_id AND b.active) \
      ORDER BY a.at LIMIT $2 FOR UPDATE OF a SKIP LOCKED) \
    UPDATE chat_advances t SET timeless = true FROM old WHERE t.conversation_id = old.conversation_id \
      AND t.user_id = old.user_id AND t.step = old.step AND t.to_seq = old.to_seq AND t.position = old.position \
    RETURNING t.conversation_id, t.user_id, t.step";
/// Of the steps of one kind without their times the newest says it all.
pub(super) const SUPERSEDED: &str = "DELETE FROM chat_advances o USING (SELECT n.conversation_id, n.user_id, n.step, \
      max(n.to_seq) AS to_seq, max(n.position) AS position FROM chat_advances n \
      JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[], $3::int8[]) u(conversation_id, user_id, step)) k \
        ON k.conversation_id = n.conversation_id AND k.user_id = n.user_id AND k.step = n.step \
      WHERE n.timeless GROUP BY n.conversation_id, n.user_id, n.step) newest \
    WHERE o.conversation_id = newest.conversation_id AND o.user_id = newest.user_id AND o.step = newest.step \
      AND o.timeless AND o.to_seq <= newest.to_seq AND o.position < newest.position";

#[async_trait]
impl RetentionStore for PostgresStore {
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>> {
        // Before every time and every id.
        let (at, id) = query
            .after
            .map_or((i64::MIN, Uuid::nil()), |(at, id)| (at.as_millis(), id.as_uuid()));
        let due = match query.class {
            RetentionClass::Policy(kind) => statement(DUE_BY_POLICY).bind(kind.column()),
            RetentionClass::Own => statement(DUE_BY_THEMSELVES),
        };
        let due = due
            .bind(query.before.as_millis())
            .bind(at)
            .bind(id)
            .bind(size(query.limit));
        let found = self.database().list(due, rows::conversation);
        found
            .await
            .map_err(|error| error.into_backend("conversations_due"))
    }

    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let query = statement(OLDEST).bind(conversation.as_uuid()).bind(size(limit));
        let found = self.database().list(query, rows::message);
        found.await.map_err(|error| error.into_backend("oldest_messages"))
    }

    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        let forgotten = self
            .database()
            .write(move |transaction| Box::pin(async move { forget(transaction, before, limit).await }));
        forgotten
            .await
            .map_err(|error| error.into_backend("forget_mark_times"))
    }
}

async fn forget(transaction: &mut Transaction, before: Timestamp, limit: usize) -> Result<usize, Error> {
    let query = statement(FORGET).bind(before.as_millis()).bind(size(limit));
    let kinds: Vec<(ConversationId, UserId, i64)> = transaction
        .list(query, |cells| {
            Ok((cells.conversation()?, cells.user()?, cells.int()?))
        })
        .await?;
    if !kinds.is_empty() {
        let query = statement(SUPERSEDED)
            .bind(all(&kinds, |kind| kind.0.as_uuid()))
            .bind(all(&kinds, |kind| kind.1.as_str()))
            .bind(all(&kinds, |kind| kind.2));
        transaction.run(query).await?;
    }
    Ok(kinds.len())
}

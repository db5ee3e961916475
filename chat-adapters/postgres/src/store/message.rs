use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{MessageId, UserId};
use chat_core::model::Message;
use chat_core::store::{
    ChangedMessages, ChangesQuery, ExpiryKey, History, HistoryQuery, MessageStore, PersonalFacts, PinsQuery,
    ReactionSummary, SearchQuery,
};
use chat_core::time::Timestamp;
use uuid::Uuid;

use super::PostgresStore;
use super::rows::{self, message_columns};
use super::sight::{bind_viewer, ranges, viewer_sees};
use crate::error::Error;
use crate::statement::{all, int, size, statement};

pub(super) const GET: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.id = ANY($1)"
);
pub(super) const HIDDEN: &str = "SELECT h.message_id FROM chat_hides h \
    WHERE h.user_id = $1 AND h.message_id = ANY($2)";
/// Who has hidden a message, who has starred it, and who reacted to it with what.
pub(super) const PERSONAL: &str = "SELECT f.sort, f.user_id, f.emoji FROM ( \
      SELECT 0::int8 AS sort, h.user_id, '' AS emoji, 0::int8 AS at, 0::int8 AS position \
        FROM chat_hides h WHERE h.message_id = $1 \
      UNION ALL SELECT 1, s.user_id, '', 0, 0 FROM chat_stars s WHERE s.message_id = $1 AND s.active \
      UNION ALL SELECT 2, r.user_id, r.emoji, r.at, r.position FROM chat_reactions r WHERE r.message_id = $1) f \
    ORDER BY f.sort, f.at, f.position";
pub(super) const EXPIRED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.expires_at IS NOT NULL AND m.expires_at <= $1 \
     AND (m.text <> '' OR m.content IS NOT NULL) AND (m.expires_at, m.id) > ($2, $3) \
     ORDER BY m.expires_at, m.id LIMIT $4"
);

pub(super) const PINNED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = $1 AND m.pinned_at IS NOT NULL AND m.deleted_at IS NULL \
     AND ($7::int8 IS NULL OR (m.pinned_at, m.seq) < ($7, $8::int8)) \
     AND EXISTS (SELECT 1 FROM unnest($5::int8[], $6::int8[]) r(low, high) WHERE m.seq BETWEEN r.low AND r.high) AND ",
    viewer_sees!("m"),
    " ORDER BY m.pinned_at DESC, m.seq DESC LIMIT $9"
);

#[async_trait]
impl MessageStore for PostgresStore {
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>> {
        let query = statement(GET).bind(all(ids, |id| id.as_uuid()));
        let found = self.database().list(query, rows::message);
        found.await.map_err(|error| error.into_backend("messages"))
    }

    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let query = statement(HIDDEN)
            .bind(user.as_str())
            .bind(all(ids, |id| id.as_uuid()));
        let found = self.database().list(query, |cells| cells.message());
        found.await.map_err(|error| error.into_backend("hidden_among"))
    }

    async fn personal_facts(&self, message: MessageId) -> BackendResult<PersonalFacts> {
        let facts = self.personal(message).await;
        facts.map_err(|error| error.into_backend("personal_facts"))
    }

    async fn history(&self, query: &HistoryQuery) -> BackendResult<History> {
        let page = self.history_page(query).await;
        page.map_err(|error| error.into_backend("history"))
    }

    async fn search(&self, query: &SearchQuery) -> BackendResult<Vec<Message>> {
        let hits = self.search_messages(query).await;
        hits.map_err(|error| error.into_backend("search"))
    }

    async fn pinned(&self, query: &PinsQuery) -> BackendResult<Vec<Message>> {
        let ranges = ranges(&query.viewer.member, 0, i64::MAX);
        let page = bind_viewer(statement(PINNED), &query.viewer)
            .bind(ranges.low)
            .bind(ranges.high)
            .bind(query.after.map(|after| after.at.as_millis()))
            .bind(query.after.map(|after| int(after.seq)))
            .bind(size(query.limit));
        let found = self.database().list(page, rows::message);
        found.await.map_err(|error| error.into_backend("pinned"))
    }

    async fn changed_messages(&self, query: &ChangesQuery) -> BackendResult<ChangedMessages> {
        let changed = self.messages_since(query).await;
        changed.map_err(|error| error.into_backend("changed_messages"))
    }

    async fn reactions(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> BackendResult<HashMap<MessageId, Vec<ReactionSummary>>> {
        let summaries = self.summaries(messages, viewer, without).await;
        summaries.map_err(|error| error.into_backend("reactions"))
    }

    async fn expired_messages(
        &self,
        now: Timestamp,
        after: Option<ExpiryKey>,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        // Before every time and every id for those who start.
        let (time, id) = after.map_or((i64::MIN, Uuid::nil()), |after| {
            (after.expires_at.as_millis(), after.id.as_uuid())
        });
        let query = statement(EXPIRED)
            .bind(now.as_millis())
            .bind(time)
            .bind(id)
            .bind(size(limit));
        let found = self.database().list(query, rows::message);
        found
            .await
            .map_err(|error| error.into_backend("expired_messages"))
    }
}

impl PostgresStore {
    async fn personal(&self, message: MessageId) -> Result<PersonalFacts, Error> {
        let query = statement(PERSONAL).bind(message.as_uuid());
        let rows = self
            .database()
            .list(query, |cells| Ok((cells.int()?, cells.user()?, cells.text()?)));
        let mut facts = PersonalFacts::default();
        for (sort, user, emoji) in rows.await? {
            match sort {
                0 => facts.hidden_by.push(user),
                1 => facts.starred_by.push(user),
                _ => facts.reactions.push((user, emoji)),
            }
        }
        Ok(facts)
    }
}

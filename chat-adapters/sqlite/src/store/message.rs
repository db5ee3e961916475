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

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{bind_viewer, ranges, viewer_sees};
use crate::error::Error;
use crate::statement::{blob, id_list, int, size, statement};

pub(super) const GET: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.id IN (SELECT unhex(value) FROM json_each(?1))"
);
pub(super) const HIDDEN: &str = "SELECT h.message_id FROM chat_hides h \
    WHERE h.user_id = ?1 AND h.message_id IN (SELECT unhex(value) FROM json_each(?2))";
pub(super) const HIDDEN_BY: &str = "SELECT h.user_id FROM chat_hides h WHERE h.message_id = ?1";
pub(super) const STARRED_BY: &str =
    "SELECT s.user_id FROM chat_stars s WHERE s.message_id = ?1 AND s.active = 1";
pub(super) const REACTED: &str =
    "SELECT r.user_id, r.emoji FROM chat_reactions r WHERE r.message_id = ?1 ORDER BY r.at, r.position";
pub(super) const EXPIRED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.expires_at IS NOT NULL AND m.expires_at <= ?1 \
     AND (m.text <> '' OR m.content IS NOT NULL) AND (m.expires_at, m.id) > (?2, ?3) \
     ORDER BY m.expires_at, m.id LIMIT ?4"
);

pub(super) const PINNED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND m.pinned_at IS NOT NULL AND m.deleted_at IS NULL \
     AND (?6 IS NULL OR (m.pinned_at, m.seq) < (?6, ?7)) \
     AND EXISTS (SELECT 1 FROM json_each(?5) r WHERE m.seq BETWEEN r.value ->> 0 AND r.value ->> 1) AND ",
    viewer_sees!("m"),
    " ORDER BY m.pinned_at DESC, m.seq DESC LIMIT ?8"
);

#[async_trait]
impl MessageStore for SqliteStore {
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>> {
        let query = statement(GET).bind(id_list(ids.iter().map(|id| id.as_uuid())));
        let found = async { self.read().await?.list(query, rows::message).await };
        found.await.map_err(|error| error.into_backend("messages"))
    }

    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let query = statement(HIDDEN)
            .bind(user.as_str())
            .bind(id_list(ids.iter().map(|id| id.as_uuid())));
        let found = async { self.read().await?.list(query, |cells| cells.message()).await };
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
        let found = async {
            let viewer = &query.viewer;
            let ranges = ranges(&viewer.member, 0, i64::MAX);
            let page = bind_viewer(statement(PINNED), viewer, &ranges)?
                .bind(query.after.map(|after| after.at.as_millis()))
                .bind(query.after.map(|after| int(after.seq)))
                .bind(size(query.limit));
            self.read().await?.list(page, rows::message).await
        };
        found.await.map_err(|error: Error| error.into_backend("pinned"))
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
        let (time, id) = after.map_or((i64::MIN, Vec::new()), |after| {
            (after.expires_at.as_millis(), blob(after.id.as_uuid()))
        });
        let query = statement(EXPIRED)
            .bind(now.as_millis())
            .bind(time)
            .bind(id)
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::message).await };
        found
            .await
            .map_err(|error| error.into_backend("expired_messages"))
    }
}

impl SqliteStore {
    async fn personal(&self, message: MessageId) -> Result<PersonalFacts, Error> {
        let id = blob(message.as_uuid());
        let mut session = self.read().await?;
        let hidden_by = session
            .list(statement(HIDDEN_BY).bind(id.clone()), |cells| cells.user())
            .await?;
        let starred_by = session
            .list(statement(STARRED_BY).bind(id.clone()), |cells| cells.user())
            .await?;
        let reactions = session
            .list(statement(REACTED).bind(id), |cells| {
                Ok((cells.user()?, cells.text()?))
            })
            .await?;
        Ok(PersonalFacts {
            hidden_by,
            starred_by,
            reactions,
        })
    }
}

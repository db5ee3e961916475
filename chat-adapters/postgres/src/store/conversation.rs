use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::config::BlockedInGroup;
use chat_core::error::{BackendResult, ChatError};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, ConversationKind, DirectPair, Member};
use chat_core::store::{
    Badge, Change, ChangedConversations, ChangedFor, Contacts, ConversationStore, InboxCounts, InboxEntry,
    InboxQuery, MemberQuery, SyncPosition,
};
use chat_core::time::Timestamp;

use super::PostgresStore;
use super::rows::{self, conversation_columns, member_columns};
use crate::names::Named;
use crate::statement::{all, int, size, statement, users};

pub(super) const GET: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.id = ANY($1)"
);
pub(super) const DIRECT: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM chat_conversations c WHERE c.pair_low = $1 AND c.pair_high = $2"
);
const MEMBER: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = $1 AND mb.user_id = $2"
);
pub(super) const MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = $1 AND mb.state = 'active' AND mb.user_id > $2 \
     AND ($4::text IS NULL OR mb.role = $4) AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM chat_users f \
       WHERE f.id = mb.user_id AND strpos(f.folded_name, $5) > 0)) ORDER BY mb.user_id LIMIT $3"
);
pub(super) const MEMBERS_OF: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM unnest($1::uuid[]) j(id) CROSS JOIN LATERAL (SELECT x.* FROM chat_members x \
     WHERE x.conversation_id = j.id AND x.state = 'active' ORDER BY x.user_id LIMIT $2) mb \
     ORDER BY mb.conversation_id, mb.user_id"
);
pub(super) const MEMBER_IDS: &str = "SELECT mb.user_id FROM chat_members mb \
    WHERE mb.conversation_id = $1 AND mb.state = 'active' ORDER BY mb.user_id";
const CHANGED_MEMBERS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.conversation_id = $1 AND mb.rev > $2 ORDER BY mb.rev DESC, mb.user_id LIMIT $3"
);
const IDS: &str = "SELECT mb.conversation_id FROM chat_members mb \
    JOIN chat_conversations c ON c.id = mb.conversation_id \
    WHERE mb.user_id = $1 AND mb.state = 'active' AND ($2::text IS NULL OR c.kind = $2)";
/// Peers of direct conversations of which the user is a member. The empty text is below every user id.
pub(super) const CONTACTS: &str = "SELECT c.pair_high AS peer FROM chat_conversations c \
      WHERE c.pair_low = $1 AND c.pair_high > $2 AND EXISTS (SELECT 1 FROM chat_members mb \
        WHERE mb.conversation_id = c.id AND mb.user_id = $1 AND mb.state = 'active') \
      AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM chat_users f \
        WHERE f.id = c.pair_high AND strpos(f.folded_name, $4) > 0)) \
    UNION ALL SELECT c.pair_low AS peer FROM chat_conversations c \
      WHERE c.pair_high = $1 AND c.pair_low > $2 AND EXISTS (SELECT 1 FROM chat_members mb \
        WHERE mb.conversation_id = c.id AND mb.user_id = $1 AND mb.state = 'active') \
      AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM chat_users f \
        WHERE f.id = c.pair_low AND strpos(f.folded_name, $4) > 0)) \
    ORDER BY peer LIMIT $3";
const CONTACTS_AMONG: &str = "SELECT c.pair_high AS peer FROM chat_conversations c \
      WHERE c.pair_low = $1 AND c.pair_high = ANY($2) \
      AND EXISTS (SELECT 1 FROM chat_members mb \
        WHERE mb.conversation_id = c.id AND mb.user_id = $1 AND mb.state = 'active') \
    UNION ALL SELECT c.pair_low AS peer FROM chat_conversations c \
      WHERE c.pair_high = $1 AND c.pair_low = ANY($2) \
      AND EXISTS (SELECT 1 FROM chat_members mb \
        WHERE mb.conversation_id = c.id AND mb.user_id = $1 AND mb.state = 'active') \
    ORDER BY peer";

#[async_trait]
impl ConversationStore for PostgresStore {
    async fn commit(&self, changes: &[Change]) -> BackendResult<Vec<Result<(), ChatError>>> {
        self.commit_changes(changes).await
    }

    async fn conversations(&self, ids: &[ConversationId]) -> BackendResult<Vec<Conversation>> {
        let query = statement(GET).bind(all(ids, |id| id.as_uuid()));
        let found = self.database().list(query, rows::conversation);
        found.await.map_err(|error| error.into_backend("conversations"))
    }

    async fn direct(&self, pair: &DirectPair) -> BackendResult<Option<Conversation>> {
        let query = statement(DIRECT)
            .bind(pair.low().as_str())
            .bind(pair.high().as_str());
        let found = self.database().find(query, rows::conversation);
        found.await.map_err(|error| error.into_backend("direct"))
    }

    async fn member(&self, conversation: ConversationId, user: &UserId) -> BackendResult<Option<Member>> {
        let query = statement(MEMBER).bind(conversation.as_uuid()).bind(user.as_str());
        let found = self.database().find(query, rows::member);
        found.await.map_err(|error| error.into_backend("member"))
    }

    async fn members(&self, query: &MemberQuery) -> BackendResult<Vec<Member>> {
        let query = statement(MEMBERS)
            .bind(query.conversation.as_uuid())
            .bind(query.after.as_ref().map_or("", |after| after.as_str()))
            .bind(size(query.limit))
            .bind(query.role.map(Named::column))
            .bind(query.name.as_deref());
        let found = self.database().list(query, rows::member);
        found.await.map_err(|error| error.into_backend("members"))
    }

    async fn members_of(
        &self,
        conversations: &[ConversationId],
        cap: usize,
    ) -> BackendResult<HashMap<ConversationId, Vec<Member>>> {
        let mut ids = conversations.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let query = statement(MEMBERS_OF)
            .bind(all(&ids, |id| id.as_uuid()))
            .bind(size(cap));
        let found = self.database().list(query, rows::member);
        let members = found.await.map_err(|error| error.into_backend("members_of"))?;
        let mut lists: HashMap<ConversationId, Vec<Member>> = HashMap::new();
        for member in members {
            lists.entry(member.conversation_id).or_default().push(member);
        }
        Ok(lists)
    }

    async fn member_ids(&self, conversation: ConversationId) -> BackendResult<Vec<UserId>> {
        let query = statement(MEMBER_IDS).bind(conversation.as_uuid());
        let found = self.database().list(query, |cells| cells.user());
        found.await.map_err(|error| error.into_backend("member_ids"))
    }

    async fn changed_members(
        &self,
        conversation: ConversationId,
        since: u64,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let query = statement(CHANGED_MEMBERS)
            .bind(conversation.as_uuid())
            .bind(int(since))
            .bind(size(limit));
        let found = self.database().list(query, rows::member);
        found.await.map_err(|error| error.into_backend("changed_members"))
    }

    async fn inbox(&self, query: &InboxQuery) -> BackendResult<Vec<InboxEntry>> {
        let entries = self.inbox_entries(query).await;
        entries.map_err(|error| error.into_backend("inbox"))
    }

    async fn inbox_counts(&self, query: &InboxQuery) -> BackendResult<InboxCounts> {
        let counts = self.counted(query).await;
        counts.map_err(|error| error.into_backend("inbox_counts"))
    }

    async fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> BackendResult<Badge> {
        let badge = self.totals(user, now, blocked).await;
        badge.map_err(|error| error.into_backend("badge"))
    }

    async fn conversation_ids(
        &self,
        user: &UserId,
        kind: Option<ConversationKind>,
    ) -> BackendResult<Vec<ConversationId>> {
        let query = statement(IDS).bind(user.as_str()).bind(kind.map(Named::column));
        let found = self.database().list(query, |cells| cells.conversation());
        found
            .await
            .map_err(|error| error.into_backend("conversation_ids"))
    }

    async fn contacts(
        &self,
        user: &UserId,
        name: Option<&str>,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Contacts> {
        let query = statement(CONTACTS)
            .bind(user.as_str())
            .bind(after.map_or("", UserId::as_str))
            .bind(size(limit))
            .bind(name);
        let found = self.database().list(query, |cells| cells.user());
        found.await.map_err(|error| error.into_backend("contacts"))
    }

    async fn contacts_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Contacts> {
        let query = statement(CONTACTS_AMONG).bind(user.as_str()).bind(users(others));
        let found = self.database().list(query, |cells| cells.user());
        found.await.map_err(|error| error.into_backend("contacts_among"))
    }

    async fn sync_position(&self) -> BackendResult<SyncPosition> {
        let newest = self.newest_position().await;
        newest.map_err(|error| error.into_backend("sync_position"))
    }

    async fn sync_epoch(&self) -> BackendResult<u64> {
        let epoch = self.position_epoch().await;
        epoch.map_err(|error| error.into_backend("sync_epoch"))
    }

    async fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<ChangedConversations> {
        let changed = self.conversations_since(user, since, limit).await;
        changed.map_err(|error| error.into_backend("changed_conversations"))
    }

    async fn changed_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<Vec<ChangedFor>> {
        let changed = self.changed_since_for(users, since, limit).await;
        changed.map_err(|error| error.into_backend("changed_for"))
    }
}

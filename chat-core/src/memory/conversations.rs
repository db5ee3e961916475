use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::config::BlockedInGroup;
use crate::error::{BackendResult, ChatError};
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, ConversationKind, DirectPair, Member};
use crate::store::{
    Badge, Change, ChangedConversations, ChangedFor, Contacts, ConversationStore, InboxCounts, InboxEntry,
    InboxQuery, MemberQuery, SyncPosition,
};
use crate::text::fold;
use crate::time::Timestamp;

#[async_trait]
impl ConversationStore for MemoryStore {
    async fn commit(&self, changes: &[Change]) -> BackendResult<Vec<Result<(), ChatError>>> {
        let mut state = self.state();
        Ok(changes
            .iter()
            .map(|change| state.commit(change, self.clock.now()))
            .collect())
    }

    async fn conversations(&self, ids: &[ConversationId]) -> BackendResult<Vec<Conversation>> {
        let state = self.state();
        let ids: HashSet<_> = ids.iter().collect();
        let rooms = ids.into_iter().filter_map(|id| state.rooms.get(id));
        Ok(rooms.map(|room| room.conversation.clone()).collect())
    }

    async fn direct(&self, pair: &DirectPair) -> BackendResult<Option<Conversation>> {
        let state = self.state();
        let room = state.pairs.get(pair).and_then(|id| state.rooms.get(id));
        Ok(room.map(|room| room.conversation.clone()))
    }

    async fn member(&self, conversation: ConversationId, user: &UserId) -> BackendResult<Option<Member>> {
        let state = self.state();
        let room = state.rooms.get(&conversation);
        let row = room.and_then(|room| room.members.get(user));
        Ok(row.map(|row| row.member.clone()))
    }

    async fn members(&self, query: &MemberQuery) -> BackendResult<Vec<Member>> {
        let state = self.state();
        let room = state.rooms.get(&query.conversation);
        Ok(room
            .into_iter()
            .flat_map(|room| room.active_members())
            .filter(|member| query.after.as_ref().is_none_or(|after| member.user_id > *after))
            .filter(|member| query.role.is_none_or(|role| member.role == role))
            .filter(|member| state.is_named(&member.user_id, query.name.as_deref()))
            .take(query.limit)
            .cloned()
            .collect())
    }

    async fn members_of(
        &self,
        conversations: &[ConversationId],
        cap: usize,
    ) -> BackendResult<HashMap<ConversationId, Vec<Member>>> {
        let state = self.state();
        let rooms = conversations.iter().filter_map(|id| state.rooms.get(id));
        Ok(rooms
            .map(|room| {
                (
                    room.conversation.id,
                    room.active_members().take(cap).cloned().collect(),
                )
            })
            .collect())
    }

    async fn member_ids(&self, conversation: ConversationId) -> BackendResult<Vec<UserId>> {
        let state = self.state();
        let room = state.rooms.get(&conversation);
        Ok(room
            .into_iter()
            .flat_map(|room| room.active_members())
            .map(|member| member.user_id.clone())
            .collect())
    }

    async fn changed_members(
        &self,
        conversation: ConversationId,
        since: u64,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else {
            return Ok(Vec::new());
        };
        let rows = room.members.values().map(|row| &row.member);
        let mut changed: Vec<Member> = rows.filter(|member| member.rev > since).cloned().collect();
        changed.sort_by_key(|member| Reverse(member.rev));
        changed.truncate(limit);
        Ok(changed)
    }

    async fn inbox(&self, query: &InboxQuery) -> BackendResult<Vec<InboxEntry>> {
        Ok(self.state().inbox(query))
    }

    async fn inbox_counts(&self, query: &InboxQuery) -> BackendResult<InboxCounts> {
        Ok(self.state().inbox_counts(query))
    }

    async fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> BackendResult<Badge> {
        Ok(self.state().badge(user, now, blocked))
    }

    async fn conversation_ids(
        &self,
        user: &UserId,
        kind: Option<ConversationKind>,
    ) -> BackendResult<Vec<ConversationId>> {
        let state = self.state();
        Ok(state
            .active_rooms(user)
            .map(|(room, _)| &room.conversation)
            .filter(|conversation| kind.is_none_or(|kind| conversation.kind == kind))
            .map(|conversation| conversation.id)
            .collect())
    }

    async fn contacts(
        &self,
        user: &UserId,
        name: Option<&str>,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Contacts> {
        let state = self.state();
        let peers = state.peers(user).into_iter();
        Ok(peers
            .filter(|peer| after.is_none_or(|after| peer > after))
            .filter(|peer| state.is_named(peer, name))
            .take(limit)
            .collect())
    }

    async fn contacts_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Contacts> {
        let peers = self.state().peers(user).into_iter();
        Ok(peers.filter(|peer| others.contains(peer)).collect())
    }

    async fn sync_position(&self) -> BackendResult<SyncPosition> {
        Ok(SyncPosition(self.state().commits))
    }

    async fn sync_epoch(&self) -> BackendResult<u64> {
        Ok(self.epoch)
    }

    async fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<ChangedConversations> {
        Ok(self.state().changed_conversations(user, since, limit))
    }

    async fn changed_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<Vec<ChangedFor>> {
        let state = self.state();
        let changed = users.iter().flat_map(|user| {
            let changes = state.changes_of(user, since);
            changes.map(move |(_, room)| ChangedFor {
                user: user.clone(),
                conversation: room.id,
                rev: room.rev,
            })
        });
        Ok(changed.take(limit).collect())
    }
}

impl State {
    /// Whether a known user's name contains this folded text; everybody's does when there is none.
    fn is_named(&self, user: &UserId, text: Option<&str>) -> bool {
        text.is_none_or(|text| {
            let user = self.users.get(user);
            user.is_some_and(|user| fold(&user.name).contains(text))
        })
    }

    /// Users who share a direct conversation with `user`, in order.
    fn peers(&self, user: &UserId) -> BTreeSet<UserId> {
        self.active_rooms(user)
            .filter_map(|(room, _)| room.conversation.pair.as_ref()?.other(user))
            .cloned()
            .collect()
    }

    /// A user's conversations with a change after a position, and where the newest of it is.
    fn changes_of<'a>(
        &'a self,
        user: &'a UserId,
        since: SyncPosition,
    ) -> impl Iterator<Item = (u64, &'a Conversation)> {
        let rooms = self.rooms_of.get(user).into_iter().flatten();
        rooms.filter_map(move |id| {
            let room = self.rooms.get(id)?;
            let row = room.members.get(user)?;
            // What happens after he left is none of his business, so only his own row counts then.
            let position = if row.member.is_active() {
                room.position.max(row.position)
            } else {
                row.position
            };
            (position > since.0).then_some((position, &room.conversation))
        })
    }

    fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> ChangedConversations {
        let changes = self.changes_of(user, since);
        let mut changed: Vec<(u64, ConversationId)> =
            changes.map(|(position, room)| (position, room.id)).collect();
        changed.sort_unstable();
        let has_more = changed.len() > limit;
        changed.truncate(limit);
        let reached = match changed.last() {
            _ if !has_more => SyncPosition(self.commits),
            Some((position, _)) => SyncPosition(*position),
            None => since,
        };
        ChangedConversations {
            ids: changed.into_iter().map(|(_, id)| id).collect(),
            reached,
            has_more,
        }
    }
}

use std::cmp::Reverse;
use std::collections::HashMap;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{Room, State, View};
use crate::access::{Visibility, has_expired};
use crate::error::BackendResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Hide, Message, MessageKind, Reaction};
use crate::store::{
    Anchor, ChangedMessages, ChangesQuery, ExpiryKey, History, HistoryQuery, MessageStore, PersonalFacts,
    PinsQuery, ReactionSummary, SearchQuery, Viewer,
};
use crate::time::Timestamp;

#[async_trait]
impl MessageStore for MemoryStore {
    async fn messages(&self, ids: &[MessageId]) -> BackendResult<Vec<Message>> {
        let state = self.state();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids
            .into_iter()
            .filter_map(|id| state.message(id))
            .cloned()
            .collect())
    }

    async fn hidden_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let state = self.state();
        let mut hidden = ids.to_vec();
        hidden.sort_unstable();
        hidden.dedup();
        hidden.retain(|id| state.is_hidden(user, *id));
        Ok(hidden)
    }

    async fn personal_facts(&self, message: MessageId) -> BackendResult<PersonalFacts> {
        let state = self.state();
        let hidden_by = state.hides.iter().filter(|(_, list)| list.contains_key(&message));
        let reactions = state.reactions.get(&message).map(|list| in_time(list));
        let starred_by = state.stars.keys().filter(|user| state.is_starred(user, message));
        Ok(PersonalFacts {
            hidden_by: hidden_by.map(|(user, _)| user.clone()).collect(),
            starred_by: starred_by.cloned().collect(),
            reactions: (reactions.into_iter().flatten())
                .map(|reaction| (reaction.user_id.clone(), reaction.emoji.clone()))
                .collect(),
        })
    }

    async fn history(&self, query: &HistoryQuery) -> BackendResult<History> {
        Ok(self.state().history(query))
    }

    async fn search(&self, query: &SearchQuery) -> BackendResult<Vec<Message>> {
        Ok(self.state().search(query))
    }

    async fn pinned(&self, query: &PinsQuery) -> BackendResult<Vec<Message>> {
        Ok(self.state().pinned(query))
    }

    async fn changed_messages(&self, query: &ChangesQuery) -> BackendResult<ChangedMessages> {
        Ok(self.state().changed_messages(query))
    }

    async fn reactions(
        &self,
        messages: &[MessageId],
        viewer: &UserId,
        without: &[UserId],
    ) -> BackendResult<HashMap<MessageId, Vec<ReactionSummary>>> {
        let state = self.state();
        let lists = messages
            .iter()
            .filter_map(|id| Some((*id, state.reactions.get(id)?)));
        Ok(lists
            .map(|(id, list)| (id, summarise(list, viewer, without)))
            .filter(|(_, summary)| !summary.is_empty())
            .collect())
    }

    async fn expired_messages(
        &self,
        now: Timestamp,
        after: Option<ExpiryKey>,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let state = self.state();
        let rows = state.rooms.values().flat_map(|room| room.messages.values());
        let mut expired: Vec<(ExpiryKey, &Message)> = rows
            .map(|row| &row.message)
            .filter(|m| m.is_expired(now) && m.has_content())
            .filter_map(|m| {
                let (expires_at, id) = (m.expires_at?, m.id);
                Some((ExpiryKey { expires_at, id }, m))
            })
            .filter(|(key, _)| after.is_none_or(|after| *key > after))
            .collect();
        expired.sort_unstable_by_key(|(key, _)| *key);
        Ok(expired.into_iter().take(limit).map(|(_, m)| m.clone()).collect())
    }
}

fn view(viewer: &Viewer) -> View<'_> {
    View {
        member: &viewer.member,
        now: viewer.now,
        blocked_in_group: viewer.blocked_in_group,
        group: viewer.group,
    }
}

fn in_time(list: &[Reaction]) -> Vec<&Reaction> {
    let mut list: Vec<&Reaction> = list.iter().collect();
    list.sort_by_key(|reaction| reaction.at);
    list
}

fn summarise(list: &[Reaction], viewer: &UserId, without: &[UserId]) -> Vec<ReactionSummary> {
    let shown = (in_time(list).into_iter()).filter(|reaction| !without.contains(&reaction.user_id));
    ReactionSummary::of(
        shown.map(|reaction| (&reaction.user_id, reaction.emoji.as_str())),
        viewer,
    )
}

impl State {
    fn history(&self, query: &HistoryQuery) -> History {
        let conversation = query.viewer.member.conversation_id;
        let Some(room) = self.rooms.get(&conversation) else {
            return History {
                messages: Vec::new(),
                has_more_before: false,
                has_more_after: false,
            };
        };
        let view = view(&query.viewer);
        let all: Vec<&Message> = room
            .messages
            .values()
            .map(|row| &row.message)
            .filter(|m| query.kind.is_none_or(|kind| m.kind == kind))
            .filter(|m| self.visible(&view, m) != Visibility::Gone)
            .collect();
        let limit = query.limit;
        // The page is all[from..to]; an anchor splits `all` into what lies before and what lies from it on.
        let (from, to) = match query.anchor {
            Anchor::Newest => (all.len().saturating_sub(limit), all.len()),
            Anchor::Before(seq) => {
                let split = all.partition_point(|m| m.seq < seq);
                (split.saturating_sub(limit), split)
            }
            Anchor::After(seq) => {
                let split = all.partition_point(|m| m.seq <= seq);
                (split, split.saturating_add(limit).min(all.len()))
            }
            Anchor::Around(seq) => {
                let split = all.partition_point(|m| m.seq < seq);
                let rest = all.len() - split;
                let after = rest.min(limit - split.min(limit / 2));
                let before = split.min(limit - after);
                (split - before, split + after)
            }
        };
        History {
            messages: all
                .iter()
                .skip(from)
                .take(to - from)
                .map(|m| (*m).clone())
                .collect(),
            has_more_before: from > 0,
            has_more_after: to < all.len(),
        }
    }

    fn search(&self, query: &SearchQuery) -> Vec<Message> {
        let mut hits: Vec<&Message> = Vec::new();
        for (room, member) in self.active_rooms(&query.user) {
            if query.conversation.is_some_and(|id| id != room.conversation.id) {
                continue;
            }
            let view = View {
                member,
                now: query.now,
                blocked_in_group: query.blocked_in_group,
                group: room.is_group(),
            };
            let found = room.messages.values().filter(|row| {
                row.folded.contains(&query.text)
                    && matches_filters(query, &row.message)
                    && self.visible(&view, &row.message) == Visibility::Visible
            });
            hits.extend(found.map(|row| &row.message));
        }
        hits.sort_by_key(|m| Reverse((m.created_at, m.id)));
        hits.into_iter().take(query.limit).cloned().collect()
    }

    fn pinned(&self, query: &PinsQuery) -> Vec<Message> {
        let view = view(&query.viewer);
        let rows = self.rooms.get(&query.viewer.member.conversation_id);
        let rows = rows.into_iter().flat_map(|room| room.messages.values());
        let mut pinned: Vec<((Timestamp, u64), &Message)> = rows
            .map(|row| &row.message)
            .filter(|m| self.visible(&view, m) == Visibility::Visible)
            .filter_map(|m| Some(((m.pinned.as_ref()?.at, m.seq), m)))
            .filter(|(key, _)| query.after.is_none_or(|after| *key < (after.at, after.seq)))
            .collect();
        pinned.sort_by_key(|(key, _)| Reverse(*key));
        pinned
            .into_iter()
            .take(query.limit)
            .map(|(_, m)| m.clone())
            .collect()
    }

    fn changed_messages(&self, query: &ChangesQuery) -> ChangedMessages {
        let conversation = query.viewer.member.conversation_id;
        let room = self.rooms.get(&conversation);
        let since_rev = match query.position {
            Some(position) => room.map_or(0, |room| room.rev_at(position.0)),
            None => query.since_rev,
        };
        let is_new = |rev: u64, position: u64| match query.position {
            Some(since) => position > since.0,
            None => rev > since_rev,
        };
        let view = view(&query.viewer);
        let mut changed: Vec<&Message> = room
            .into_iter()
            .flat_map(|room| room.messages.values())
            .filter(|row| is_new(row.message.rev, row.position))
            .map(|row| &row.message)
            .collect();
        changed.sort_by_key(|m| m.rev);
        let those = |wanted: &dyn Fn(&Message) -> bool| -> Vec<Message> {
            let some = changed.iter().filter(|m| wanted(m));
            some.map(|m| (*m).clone()).collect()
        };
        let mut messages = those(&|m| self.visible(&view, m) != Visibility::Gone);
        let mut expired = those(&|m| has_expired(&self.sight(&view, m), m));
        let mut hidden = self.hides_in(conversation, &query.viewer.member.user_id, is_new);
        hidden.sort_by_key(|hide| (hide.rev, hide.seq));
        let over = messages.len().saturating_sub(query.limit);
        let hidden_over = hidden.len().saturating_sub(query.limit);
        let expired_over = expired.len().saturating_sub(query.limit);
        ChangedMessages {
            messages: messages.split_off(over),
            hidden: hidden.split_off(hidden_over),
            expired: expired.split_off(expired_over),
            limited: over > 0 || hidden_over > 0 || expired_over > 0,
            since_rev,
        }
    }

    fn hides_in(
        &self,
        conversation: ConversationId,
        user: &UserId,
        is_new: impl Fn(u64, u64) -> bool,
    ) -> Vec<Hide> {
        let rows = self.hides.get(user).into_iter().flat_map(HashMap::values);
        rows.filter(|row| row.hide.conversation_id == conversation && is_new(row.hide.rev, row.position))
            .map(|row| row.hide.clone())
            .collect()
    }
}

impl Room {
    /// The conversation's rev as it was at a position.
    fn rev_at(&self, position: u64) -> u64 {
        let split = self.revs.partition_point(|(at, _)| *at <= position);
        let before = split.checked_sub(1).and_then(|last| self.revs.get(last));
        before.map_or(0, |(_, rev)| *rev)
    }
}

fn matches_filters(query: &SearchQuery, message: &Message) -> bool {
    let key = (message.created_at, message.id);
    message.kind != MessageKind::System
        && query.sender.as_ref().is_none_or(|s| message.sender_id == *s)
        && query.kind.is_none_or(|kind| message.kind == kind)
        && query.from.is_none_or(|from| message.created_at >= from)
        && query.to.is_none_or(|to| message.created_at <= to)
        && query.after.is_none_or(|after| key < (after.created_at, after.id))
}

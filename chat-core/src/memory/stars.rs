use std::cmp::Reverse;
use std::collections::HashMap;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{State, View};
use crate::access::Visibility;
use crate::error::BackendResult;
use crate::id::{MessageId, UserId};
use crate::model::Star;
use crate::store::{StarChange, StarOutcome, StarStore, StarredMessage, StarredQuery};

#[async_trait]
impl StarStore for MemoryStore {
    async fn set_star(&self, star: &Star, on: bool, cap: usize) -> BackendResult<StarOutcome> {
        let mut state = self.state();
        if state.is_starred(&star.user_id, star.message_id) == on {
            return Ok(StarOutcome::Unchanged);
        }
        if on && state.stars_of(&star.user_id).filter(|row| row.starred).count() >= cap {
            return Ok(StarOutcome::Full);
        }
        let Some(user) = state.users.get_mut(&star.user_id) else {
            return Ok(StarOutcome::Unchanged);
        };
        user.user_rev += 1;
        let user_rev = user.user_rev;
        let row = StarChange {
            star: star.clone(),
            starred: on,
            user_rev,
        };
        let stars = state.stars.entry(star.user_id.clone()).or_default();
        stars.insert(star.message_id, row);
        Ok(StarOutcome::Changed(user_rev))
    }

    async fn starred_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let state = self.state();
        let mut starred = ids.to_vec();
        starred.sort_unstable();
        starred.dedup();
        starred.retain(|id| state.is_starred(user, *id));
        Ok(starred)
    }

    async fn starred(&self, query: &StarredQuery) -> BackendResult<Vec<StarredMessage>> {
        Ok(self.state().starred(query))
    }

    async fn star_changes(
        &self,
        user: &UserId,
        since_user_rev: u64,
        limit: usize,
    ) -> BackendResult<Vec<StarChange>> {
        let state = self.state();
        let mut changed: Vec<&StarChange> = state
            .stars_of(user)
            .filter(|row| row.user_rev > since_user_rev)
            .collect();
        changed.sort_by_key(|row| Reverse(row.user_rev));
        Ok(changed.into_iter().take(limit).cloned().collect())
    }
}

impl State {
    fn stars_of(&self, user: &UserId) -> impl Iterator<Item = &StarChange> {
        self.stars.get(user).into_iter().flat_map(HashMap::values)
    }

    pub(super) fn is_starred(&self, user: &UserId, message: MessageId) -> bool {
        self.stars
            .get(user)
            .and_then(|stars| stars.get(&message))
            .is_some_and(|row| row.starred)
    }

    fn starred(&self, query: &StarredQuery) -> Vec<StarredMessage> {
        let mut starred = Vec::new();
        for (room, member) in self.active_rooms(&query.user) {
            let id = room.conversation.id;
            if query.conversation.is_some_and(|wanted| wanted != id) {
                continue;
            }
            let view = View {
                member,
                now: query.now,
                blocked_in_group: query.blocked_in_group,
                group: room.is_group(),
            };
            let rows = self
                .stars_of(&query.user)
                .filter(|row| row.starred && row.star.conversation_id == id)
                .filter(|row| query.after.is_none_or(|after| row.user_rev < after));
            let seen = rows
                .filter_map(|row| Some((row.user_rev, self.message(row.star.message_id)?)))
                .filter(|(_, message)| self.visible(&view, message) == Visibility::Visible);
            starred.extend(seen.map(|(user_rev, message)| StarredMessage {
                message: message.clone(),
                user_rev,
            }));
        }
        starred.sort_by_key(|starred| Reverse(starred.user_rev));
        starred.truncate(query.limit);
        starred
    }
}

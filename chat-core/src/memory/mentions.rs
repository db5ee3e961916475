use std::cmp::Reverse;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{State, View};
use crate::access::{counts_as_unread, is_mention};
use crate::error::BackendResult;
use crate::model::Message;
use crate::store::{MentionQuery, MentionStore};

#[async_trait]
impl MentionStore for MemoryStore {
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>> {
        Ok(self.state().mentions(query))
    }
}

impl State {
    fn mentions(&self, query: &MentionQuery) -> Vec<Message> {
        let mut found: Vec<&Message> = Vec::new();
        for (room, member) in self.active_rooms(&query.user) {
            let view = View {
                member,
                now: query.now,
                blocked_in_group: query.blocked_in_group,
                group: room.is_group(),
            };
            found.extend(room.messages.values().map(|row| &row.message).filter(|message| {
                let sight = self.sight(&view, message);
                is_mention(&sight, message) && (!query.unread || counts_as_unread(&sight, message))
            }));
        }
        found.sort_by_key(|m| Reverse((m.created_at, m.id)));
        found
            .into_iter()
            .filter(|m| (query.after).is_none_or(|after| (m.created_at, m.id) < (after.created_at, after.id)))
            .take(query.limit)
            .cloned()
            .collect()
    }
}

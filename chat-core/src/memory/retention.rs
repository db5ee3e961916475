use std::collections::BTreeSet;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{Room, State, Step};
use crate::error::BackendResult;
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, Message, Retention};
use crate::store::{DueConversations, Purge, RetentionClass, RetentionStore};
use crate::time::Timestamp;

#[async_trait]
impl RetentionStore for MemoryStore {
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>> {
        let state = self.state();
        let rooms = state.rooms.values().map(|room| &room.conversation);
        let mut due: Vec<(Timestamp, &Conversation)> = rooms
            .filter_map(|conversation| Some((compared(conversation, query.class)?, conversation)))
            .filter(|(at, conversation)| {
                *at < query.before && query.after.is_none_or(|after| (*at, conversation.id) > after)
            })
            .collect();
        due.sort_unstable_by_key(|(at, conversation)| (*at, conversation.id));
        let due = due.into_iter().take(query.limit);
        Ok(due.map(|(_, conversation)| conversation.clone()).collect())
    }

    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let state = self.state();
        let room = state.rooms.get(&conversation);
        let rows = room.into_iter().flat_map(|room| room.messages.values());
        Ok(rows.take(limit).map(|row| row.message.clone()).collect())
    }

    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        Ok(self.state().forget_mark_times(before, limit))
    }
}

/// The time that says whether a conversation of the class is due.
fn compared(conversation: &Conversation, class: RetentionClass) -> Option<Timestamp> {
    let oldest_at = conversation.horizon.oldest_at?;
    match (class, conversation.horizon.retention) {
        (RetentionClass::Policy(kind), None) if conversation.kind == kind => Some(oldest_at),
        (RetentionClass::Own, Some(Retention::For(time))) => Some(oldest_at.after(time)),
        _ => None,
    }
}

impl State {
    pub(super) fn purge(&mut self, purge: Purge) {
        let Some(room) = self.rooms.get_mut(&purge.conversation_id) else {
            return;
        };
        let kept = room.messages.split_off(&purge.below);
        let gone = std::mem::replace(&mut room.messages, kept);
        room.client_ids.retain(|_, seq| *seq >= purge.below);
        for row in gone.values() {
            self.places.remove(&row.message.id);
            self.reactions.remove(&row.message.id);
            self.former_texts.remove(&row.message.id);
            for stars in self.stars.values_mut() {
                stars.remove(&row.message.id);
            }
            for id in &row.message.content.attachments {
                if let Some(messages) = self.shown.get_mut(id) {
                    messages.remove(&row.message.id);
                }
            }
        }
        for list in self.hides.values_mut() {
            list.retain(|_, row| {
                row.hide.conversation_id != purge.conversation_id || row.hide.seq >= purge.below
            });
        }
    }

    fn forget_mark_times(&mut self, before: Timestamp, limit: usize) -> usize {
        let kept: BTreeSet<UserId> = (self.users.keys())
            .filter(|user| self.is_in_a_block(user))
            .cloned()
            .collect();
        let old =
            |step: &Step| !step.timeless && step.advance.at < before && !kept.contains(&step.advance.user_id);
        let steps = self.rooms.values().flat_map(|room| &room.advances);
        let mut times: Vec<Timestamp> = steps
            .filter(|step| old(step))
            .map(|step| step.advance.at)
            .collect();
        times.sort_unstable();
        // Steps of one time go together or not: which of them comes first does not matter.
        let Some(last) = times.get(times.len().min(limit).wrapping_sub(1)).copied() else {
            return 0;
        };
        let mut left = limit;
        for room in self.rooms.values_mut() {
            for step in room.advances.iter_mut().filter(|step| old(step)) {
                if step.advance.at <= last && left > 0 {
                    step.timeless = true;
                    left -= 1;
                }
            }
            room.drop_superseded();
        }
        limit - left
    }
}

impl Room {
    /// Of steps without their times the newest of each kind says it all.
    fn drop_superseded(&mut self) {
        let mut newer = std::collections::HashSet::new();
        let mut kept: Vec<Step> = Vec::with_capacity(self.advances.len());
        for step in self.advances.drain(..).rev() {
            let kind = (
                step.advance.user_id.clone(),
                step.advance.read.map(|read| read as u8),
            );
            if !step.timeless || newer.insert(kind) {
                kept.push(step);
            }
        }
        kept.reverse();
        self.advances = kept;
    }
}

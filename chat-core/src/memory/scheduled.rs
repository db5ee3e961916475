use std::time::Duration;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::error::BackendResult;
use crate::id::{AttachmentId, ScheduledId, UserId};
use crate::model::{AttachmentState, Scheduled, ScheduledState};
use crate::store::{AddedScheduled, ScheduledKey, ScheduledQuery, ScheduledStamp, ScheduledStore};
use crate::time::Timestamp;

const fn is_open(row: &Scheduled) -> bool {
    matches!(row.state, ScheduledState::Pending | ScheduledState::Failed)
}

const fn key(row: &Scheduled) -> ScheduledKey {
    ScheduledKey {
        send_at: row.send_at,
        id: row.id,
    }
}

#[async_trait]
impl ScheduledStore for MemoryStore {
    async fn add_scheduled(&self, mut new: Scheduled, cap: usize) -> BackendResult<AddedScheduled> {
        let mut state = self.state();
        if let Some(known) = state.scheduled.get(&new.id) {
            return Ok(AddedScheduled::Known(Box::new(known.clone())));
        }
        let pending = state
            .scheduled
            .values()
            .filter(|row| row.user_id == new.user_id && row.state == ScheduledState::Pending);
        if pending.count() >= cap {
            return Ok(AddedScheduled::TooMany);
        }
        let unused = |id: &AttachmentId| {
            state
                .attachments
                .get(id)
                .is_some_and(|file| file.uploader == new.user_id && file.state == AttachmentState::Pending)
        };
        if !new.message.attachment_ids.iter().all(unused) {
            return Ok(AddedScheduled::FileTaken);
        }
        state.move_files(
            &new.message.attachment_ids,
            AttachmentState::Pending,
            AttachmentState::Reserved,
        );
        new.user_rev = state.next_user_rev(&new.user_id);
        state.scheduled.insert(new.id, new.clone());
        Ok(AddedScheduled::Added(Box::new(new)))
    }

    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>> {
        Ok(self.state().scheduled.get(&id).cloned())
    }

    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>> {
        let state = self.state();
        let wanted = |row: &&Scheduled| {
            row.user_id == query.user
                && is_open(row)
                && query.to.as_ref().is_none_or(|(conversation, peer)| {
                    row.conversation_id == Some(*conversation)
                        || (peer.is_some() && row.recipient_id == *peer)
                })
                && query.after.is_none_or(|after| key(row) > after)
        };
        let mut rows: Vec<&Scheduled> = state.scheduled.values().filter(wanted).collect();
        rows.sort_unstable_by_key(|row| key(row));
        Ok(rows.into_iter().take(query.limit).cloned().collect())
    }

    async fn put_scheduled(
        &self,
        mut row: Scheduled,
        seen: ScheduledStamp,
    ) -> BackendResult<Option<Scheduled>> {
        let mut state = self.state();
        let Some(old) = state.scheduled.get(&row.id).filter(|old| old.stamp() == seen) else {
            return Ok(None);
        };
        let files = old.message.attachment_ids.clone();
        if matches!(row.state, ScheduledState::Failed | ScheduledState::Cancelled) {
            state.move_files(&files, AttachmentState::Reserved, AttachmentState::Pending);
        }
        row.user_rev = state.next_user_rev(&row.user_id);
        state.scheduled.insert(row.id, row.clone());
        Ok(Some(row))
    }

    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>> {
        let mut state = self.state();
        let now = self.clock.now();
        let mut due: Vec<&mut Scheduled> = state
            .scheduled
            .values_mut()
            .filter(|row| row.state == ScheduledState::Pending && row.send_at <= now)
            .filter(|row| row.claimed_until.is_none_or(|until| until <= now))
            .collect();
        due.sort_unstable_by_key(|row| key(row));
        Ok(due
            .into_iter()
            .take(limit)
            .map(|row| {
                row.claims = row.claims.saturating_add(1);
                row.claimed_until = Some(now.after(lease));
                row.clone()
            })
            .collect())
    }

    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool> {
        let mut state = self.state();
        let row = state.scheduled.get_mut(&id).filter(|row| row.stamp() == seen);
        Ok(row.is_some_and(|row| row.claimed_until.take().is_some()))
    }

    async fn changed_scheduled(
        &self,
        user: &UserId,
        since: u64,
        open: bool,
        limit: usize,
    ) -> BackendResult<Vec<Scheduled>> {
        let state = self.state();
        let mut rows: Vec<&Scheduled> = state
            .scheduled
            .values()
            .filter(|row| row.user_id == *user && row.user_rev > since && (!open || is_open(row)))
            .collect();
        rows.sort_unstable_by_key(|row| row.user_rev);
        Ok(rows.into_iter().take(limit).cloned().collect())
    }

    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        let mut state = self.state();
        let old = state
            .scheduled
            .values()
            .filter(|row| row.state != ScheduledState::Pending && row.changed_at < before);
        let ids: Vec<ScheduledId> = old.map(|row| row.id).take(limit).collect();
        for id in &ids {
            state.scheduled.remove(id);
        }
        Ok(ids.len())
    }
}

impl State {
    fn move_files(&mut self, ids: &[AttachmentId], from: AttachmentState, to: AttachmentState) {
        for id in ids {
            if let Some(file) = self.attachments.get_mut(id)
                && file.state == from
            {
                file.state = to;
            }
        }
    }

    fn next_user_rev(&mut self, user: &UserId) -> u64 {
        let Some(user) = self.users.get_mut(user) else {
            return 0;
        };
        user.user_rev += 1;
        user.user_rev
    }
}

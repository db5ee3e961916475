use std::cmp::Ordering;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{State, Step};
use crate::error::BackendResult;
use crate::id::{AttachmentId, ConversationId, MessageId, ReportId, UserId};
use crate::model::{Attachment, Block, Hide, Member, Message, Reaction, Report, Seq, User};
use crate::store::{MarkStep, PersonalStore, StepPlace};

/// Those after a place, in order, at most so many.
fn page<T, K: Ord>(
    rows: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
    after: Option<K>,
    limit: usize,
) -> Vec<T> {
    let mut rows: Vec<T> = rows
        .filter(|row| {
            after
                .as_ref()
                .is_none_or(|after| key(row).cmp(after) == Ordering::Greater)
        })
        .collect();
    rows.sort_by_key(key);
    rows.truncate(limit);
    rows
}

#[async_trait]
impl PersonalStore for MemoryStore {
    async fn memberships(
        &self,
        user: &UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let state = self.state();
        let rooms = state.rooms_of.get(user).into_iter().flatten();
        let rows = rooms
            .filter_map(|id| state.rooms.get(id)?.members.get(user))
            .map(|row| row.member.clone());
        Ok(page(rows, |member| member.conversation_id, after, limit))
    }

    async fn sent_messages(
        &self,
        conversation: ConversationId,
        sender: &UserId,
        after: Seq,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else {
            return Ok(Vec::new());
        };
        let rows = room.messages.range(after.saturating_add(1)..);
        Ok(rows
            .map(|(_, row)| &row.message)
            .filter(|message| message.sender_id == *sender)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn reactions_by(
        &self,
        user: &UserId,
        after: Option<(MessageId, String)>,
        limit: usize,
    ) -> BackendResult<Vec<Reaction>> {
        let state = self.state();
        let all = state.reactions.values().flatten();
        let his = all.filter(|reaction| reaction.user_id == *user).cloned();
        let key = |reaction: &Reaction| (reaction.message_id, reaction.emoji.clone());
        Ok(page(his, key, after, limit))
    }

    async fn hides_by(
        &self,
        user: &UserId,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<Hide>> {
        let state = self.state();
        let rows = state.hides.get(user).into_iter().flat_map(|list| list.values());
        let hides = rows.map(|row| row.hide.clone());
        Ok(page(hides, |hide| hide.message_id, after, limit))
    }

    async fn mark_steps(
        &self,
        conversation: ConversationId,
        user: &UserId,
        after: Option<StepPlace>,
        limit: usize,
    ) -> BackendResult<Vec<MarkStep>> {
        let state = self.state();
        let room = state.rooms.get(&conversation);
        let log = room.into_iter().flat_map(|room| &room.advances);
        let steps = log
            .filter(|step| step.advance.user_id == *user)
            .map(|step| MarkStep {
                read: step.advance.read,
                from: step.advance.from,
                to: step.advance.to,
                at: (!step.timeless).then_some(step.advance.at),
            });
        Ok(page(steps, |step| (step.to, step.read), after, limit))
    }

    async fn blocks_by(
        &self,
        user: &UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> BackendResult<Vec<Block>> {
        let state = self.state();
        let rows = state.blocks.get(user).into_iter().flatten();
        let active = rows.filter(|(_, row)| row.on).map(|(blocked, row)| Block {
            blocker: user.clone(),
            blocked: blocked.clone(),
            at: row.at,
        });
        Ok(page(active, |block| block.blocked.clone(), after, limit))
    }

    async fn uploads_by(
        &self,
        user: &UserId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let state = self.state();
        let his = state.attachments.values().filter(|file| file.uploader == *user);
        Ok(page(his.cloned(), |file| file.id, after, limit))
    }

    async fn reports_by(
        &self,
        user: &UserId,
        after: Option<ReportId>,
        limit: usize,
    ) -> BackendResult<Vec<Report>> {
        let state = self.state();
        let his = state.reports.values().filter(|report| report.reporter == *user);
        Ok(page(his.cloned(), |report| report.id, after, limit))
    }

    async fn erase_private(&self, user: &UserId, limit: usize) -> BackendResult<usize> {
        Ok(self.state().erase_private(user, limit))
    }

    async fn unfinished_erasures(&self, limit: usize) -> BackendResult<Vec<User>> {
        let state = self.state();
        let begun = state
            .users
            .values()
            .filter(|user| user.erased.is_some_and(|erasure| !erasure.done));
        Ok(begun.take(limit).cloned().collect())
    }
}

impl State {
    fn erase_private(&mut self, user: &UserId, limit: usize) -> usize {
        let mut left = limit;
        // Takes one of what is left; says whether a row stays.
        let mut stays = |his: bool| {
            if !his || left == 0 {
                return true;
            }
            left -= 1;
            false
        };
        self.devices.retain(|_, device| stays(device.user_id == *user));
        if let Some(hides) = self.hides.get_mut(user) {
            hides.retain(|_, _| stays(true));
        }
        if let Some(blocks) = self.blocks.get_mut(user) {
            blocks.retain(|_, _| stays(true));
        }
        if let Some(mutes) = self.mutes.get_mut(user) {
            mutes.retain(|_, _| stays(true));
        }
        if let Some(stars) = self.stars.get_mut(user) {
            stars.retain(|_, _| stays(true));
        }
        self.reports.retain(|_, report| stays(report.reporter == *user));
        self.scheduled.retain(|_, row| stays(row.user_id == *user));
        for room in self.rooms.values_mut() {
            room.advances
                .retain(|step: &Step| stays(step.advance.user_id == *user));
        }
        limit - left
    }
}

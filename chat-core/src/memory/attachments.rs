use std::collections::BTreeSet;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::error::BackendResult;
use crate::id::{AttachmentId, ConversationId, MessageId};
use crate::model::{Attachment, AttachmentState, Message};
use crate::store::AttachmentStore;
use crate::time::Timestamp;

#[async_trait]
impl AttachmentStore for MemoryStore {
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()> {
        self.state().attachments.insert(attachment.id, attachment);
        Ok(())
    }

    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>> {
        let state = self.state();
        let ids: BTreeSet<_> = ids.iter().collect();
        Ok(ids
            .into_iter()
            .filter_map(|id| state.attachments.get(id))
            .cloned()
            .collect())
    }

    async fn shown_by(
        &self,
        id: AttachmentId,
        within: Option<&[ConversationId]>,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<MessageId>> {
        let state = self.state();
        let lies_within = |message: &&MessageId| {
            state
                .places
                .get(message)
                .is_some_and(|(conversation, _)| within.is_none_or(|within| within.contains(conversation)))
        };
        let messages = state.shown.get(&id).into_iter().flatten();
        Ok(messages
            .filter(|message| after.is_none_or(|after| **message > after))
            .filter(lies_within)
            .take(limit)
            .copied()
            .collect())
    }

    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool> {
        let mut state = self.state();
        match state.attachments.get_mut(&id) {
            Some(attachment) if attachment.state == from => {
                attachment.state = to;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let state = self.state();
        let mut stale: Vec<&Attachment> = state
            .attachments
            .values()
            .filter(|attachment| after.is_none_or(|after| attachment.id > after))
            .filter(|attachment| !state.is_evidence(attachment.id))
            .filter(|attachment| match attachment.state {
                AttachmentState::Deleted => true,
                AttachmentState::Pending => attachment.created_at < pending_before,
                AttachmentState::Reserved | AttachmentState::Attached | AttachmentState::Avatar => false,
            })
            .collect();
        stale.sort_unstable_by_key(|attachment| attachment.id);
        Ok(stale.into_iter().take(limit).cloned().collect())
    }

    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()> {
        self.state().attachments.remove(&id);
        Ok(())
    }
}

impl State {
    /// Takes note of the files a message shows from now on, and of those it does not show any more.
    pub(super) fn note_files(&mut self, message: &Message) {
        let before = self
            .message(message.id)
            .map(|old| old.content.attachments.clone())
            .unwrap_or_default();
        for id in before {
            if let Some(messages) = self.shown.get_mut(&id) {
                messages.remove(&message.id);
            }
        }
        for id in &message.content.attachments {
            self.shown.entry(*id).or_default().insert(message.id);
        }
    }
}

//! Files that messages refer to: several may show one, and the last of them takes it along.

use crate::engine::changeset::ChangeSet;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::AttachmentId;
use crate::model::{Attachment, AttachmentState, Message};
use crate::store::Facts;

impl ChangeSet {
    /// Gives up the files of a message that goes, as far as no message shows them that stays. They must be among
    /// [`Needs::attachments`](crate::store::Needs::attachments). Called for every message that goes in this change.
    pub(crate) fn release_files(&mut self, message: &Message, facts: &Facts) {
        for id in &message.content.attachments {
            let going = self.going_uses.entry(*id).or_default();
            *going += 1;
            let last = facts.file_uses.get(id).is_none_or(|uses| uses <= going);
            let file = facts.attachments.get(id);
            if let Some(file) = file.filter(|file| last && file.state == AttachmentState::Attached) {
                self.writes.attachments.push(Attachment {
                    state: AttachmentState::Deleted,
                    ..file.clone()
                });
            }
        }
    }
}

/// Refuses to show a file once more when it went this very moment. The lock on its row makes that final.
///
/// # Errors
/// `message_not_found`: then the message that showed it is gone as well.
pub(crate) fn still_shown(id: AttachmentId, facts: &Facts) -> ChatResult<()> {
    match facts.attachments.get(&id) {
        Some(file) if file.state == AttachmentState::Attached => Ok(()),
        _ => Err(ChatError::new(ErrorCode::MessageNotFound, "no such message")),
    }
}

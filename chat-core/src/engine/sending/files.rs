//! The files of a message: the sender's own unused uploads, or those a forwarded message shows already.

use super::decision::Request;
use crate::engine::files::still_shown;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::model::{Attachment, AttachmentKind, AttachmentState, MessageKind};
use crate::store::Facts;

impl Request {
    /// The sender's own unused uploads, marked as used. Files of a forwarded message are in use, and stay as they are.
    pub(super) fn claim_files(&self, facts: &Facts) -> ChatResult<Vec<Attachment>> {
        let mut claimed = Vec::with_capacity(self.content.attachments.len());
        let shown_already = self.origin.as_ref().map_or(&[][..], |origin| &origin.files);
        for id in &self.content.attachments {
            if shown_already.contains(id) {
                still_shown(*id, facts)?;
                continue;
            }
            let file = facts
                .attachments
                .get(id)
                .filter(|file| file.uploader == self.sender && file.state != AttachmentState::Deleted)
                .ok_or_else(|| {
                    ChatError::new(ErrorCode::AttachmentNotFound, "no such upload")
                        .with_field("attachment_ids")
                })?;
            if file.state != self.occasion.files() {
                return Err(ChatError::new(ErrorCode::Conflict, "already used").with_field("attachment_ids"));
            }
            let fits = match self.message.kind {
                MessageKind::Image => file.kind == AttachmentKind::Image,
                MessageKind::Video => file.kind == AttachmentKind::Video,
                MessageKind::Audio => file.kind == AttachmentKind::Audio,
                _ => true,
            };
            if !fits {
                return Err(ChatError::invalid(
                    "attachment_ids",
                    "does not fit the kind of the message",
                ));
            }
            let mut file = file.clone();
            file.state = AttachmentState::Attached;
            claimed.push(file);
        }
        Ok(claimed)
    }
}

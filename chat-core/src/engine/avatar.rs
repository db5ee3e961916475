//! Pictures of users and groups: an upload is claimed once, and one that is replaced goes.

use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{AttachmentId, UserId};
use crate::model::{Attachment, AttachmentKind, AttachmentState};

/// The field pictures come in.
const FIELD: &str = "avatar_attachment_id";

/// The caller's own unused picture, marked as somebody's avatar.
///
/// # Errors
/// `attachment_not_found` for an unknown, deleted or foreign upload, `invalid_argument` for one that is no picture,
/// `conflict` for one that is used already.
pub(super) fn claim(file: Option<&Attachment>, user: &UserId) -> ChatResult<Attachment> {
    let file = file
        .filter(|file| file.uploader == *user && file.state != AttachmentState::Deleted)
        .ok_or_else(|| ChatError::new(ErrorCode::AttachmentNotFound, "no such upload").with_field(FIELD))?;
    if file.kind != AttachmentKind::Image {
        return Err(ChatError::invalid(FIELD, "not a picture"));
    }
    if file.state != AttachmentState::Pending {
        return Err(already_used());
    }
    let mut file = file.clone();
    file.state = AttachmentState::Avatar;
    Ok(file)
}

/// What a picture that shows somewhere already is refused with.
pub(super) fn already_used() -> ChatError {
    ChatError::new(ErrorCode::Conflict, "already used").with_field(FIELD)
}

impl Actor {
    /// Gives up a picture nobody shows any more. The change that replaced it is committed by now, so a failure here
    /// costs storage and nothing else.
    pub(super) async fn retire_avatar(&self, id: AttachmentId) {
        let moved = self
            .inner()
            .store
            .move_attachment(id, AttachmentState::Avatar, AttachmentState::Deleted)
            .await;
        if let Err(error) = moved {
            tracing::warn!(%error, attachment = %id, "a replaced picture could not be given up");
        }
    }
}

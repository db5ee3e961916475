use serde::{Deserialize, Serialize};

use crate::id::{AttachmentId, UserId};
use crate::time::Timestamp;

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Anything else.
    File,
}

/// The life of a file: uploaded, used, deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// Uploaded, used by nothing; goes after 24 h.
    Pending,
    /// Waits with a scheduled message.
    Reserved,
    /// Shown by a message, or by several when it was forwarded; the last of them takes it along.
    Attached,
    /// A picture of a user or group, readable by every authenticated user.
    Avatar,
    /// Its bytes are gone or going.
    Deleted,
}

/// What is known of an uploaded file; its bytes are in the media store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its id, which is also the name of its bytes.
    pub id: AttachmentId,
    /// Who uploaded it.
    pub uploader: UserId,
    /// What it is.
    pub kind: AttachmentKind,
    /// The uploader's name for it, made harmless.
    pub filename: String,
    /// Its type by content.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Pixels, for pictures.
    pub width: Option<u32>,
    /// Pixels, for pictures.
    pub height: Option<u32>,
    /// Length in milliseconds, for sound and films, where known.
    pub duration_ms: Option<u64>,
    /// Where it is in its life.
    pub state: AttachmentState,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

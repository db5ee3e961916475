use std::ops::Range;

use crate::engine::Actor;
use crate::error::{ChatResult, ErrorCode};
use crate::id::AttachmentId;
use crate::model::{Attachment, AttachmentKind};
use crate::port::MediaStream;
use crate::view::AttachmentView;

/// What an inbound adapter knows of an upload before its bytes have come: name as given, type by content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The uploader's name for it.
    pub filename: String,
    /// Its type, sniffed from the first bytes.
    pub mime_type: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Pixels, for pictures.
    pub dimensions: Option<(u32, u32)>,
}

/// A file to hand out.
pub struct Upload {
    /// What is known of it.
    pub attachment: Attachment,
    /// The bytes of the range asked for.
    pub bytes: MediaStream,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("attachment", &self.attachment)
            .finish_non_exhaustive()
    }
}

/// An uploaded file as callers see it; `base` is where the mounted API serves attachments.
pub(crate) fn attachment_view(attachment: &Attachment, base: &str) -> AttachmentView {
    AttachmentView {
        id: attachment.id,
        kind: attachment.kind,
        url: format!("{}/{}/content", base.trim_end_matches('/'), attachment.id),
        filename: attachment.filename.clone(),
        mime_type: attachment.mime_type.clone(),
        size: attachment.size,
        width: attachment.width,
        height: attachment.height,
        duration_ms: attachment.duration_ms,
    }
}

impl Actor {
    /// Takes an upload: keeps its bytes, then its metadata. A stream that fails leaves nothing.
    ///
    /// # Errors
    /// `unavailable` without a media store, what the stream fails with otherwise.
    pub async fn upload(&self, _upload: NewUpload, _bytes: MediaStream) -> ChatResult<AttachmentView> {
        Err(ErrorCode::Internal.into())
    }

    /// What is known of a file he may see.
    ///
    /// # Errors
    /// `attachment_not_found`.
    pub async fn attachment(&self, _id: AttachmentId) -> ChatResult<(AttachmentView, Attachment)> {
        Err(ErrorCode::Internal.into())
    }

    /// The bytes of a file he may see; `range` must lie inside it.
    ///
    /// # Errors
    /// `attachment_not_found`.
    pub async fn attachment_content(&self, _id: AttachmentId, _range: Range<u64>) -> ChatResult<Upload> {
        Err(ErrorCode::Internal.into())
    }

    /// Deletes an unused upload of his own.
    ///
    /// # Errors
    /// `attachment_not_found`; `conflict` when a message shows it.
    pub async fn delete_attachment(&self, _id: AttachmentId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
}

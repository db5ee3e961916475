use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::AttachmentId;
use crate::model::{Attachment, AttachmentState};
use crate::time::Timestamp;

/// What is known of uploaded files. Attaching one to a message happens in
/// [`commit`](crate::store::ConversationStore::commit), together with the message.
#[async_trait]
pub trait AttachmentStore: Send + Sync + fmt::Debug {
    /// Adds a file.
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()>;

    /// The files with these ids, in any order.
    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>>;

    /// Moves a file from one state to another, atomically; returns whether it was in the first.
    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool>;

    /// At most `limit` files in `Deleted`, or in `Pending` since before `pending_before`: their bytes can go. In order
    /// of id, those after `after`.
    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>>;

    /// Forgets a file whose bytes are gone.
    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()>;
}

use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{AttachmentId, ConversationId, MessageId};
use crate::model::{Attachment, AttachmentState};
use crate::time::Timestamp;

/// What is known of uploaded files. Attaching one to a message happens in
/// [`commit`](crate::store::ConversationStore::commit), together with the message.
///
/// Which messages show a file follows from their [`Content::attachments`](crate::model::Content::attachments), as they
/// are kept now; a store keeps an index of it.
#[async_trait]
pub trait AttachmentStore: Send + Sync + fmt::Debug {
    /// Adds a file.
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()>;

    /// The files with these ids, in any order.
    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>>;

    /// Messages that show a file, of these conversations or (`None`) of all, in order of id, those after `after`, at most `limit`.
    async fn shown_by(
        &self,
        id: AttachmentId,
        within: Option<&[ConversationId]>,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<MessageId>>;

    /// Moves a file from one state to another, atomically; returns whether it was in the first.
    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool>;

    /// At most `limit` files in `Deleted`, or in `Pending` since before `pending_before`: their bytes can go. Files that
    /// an open report is about are left out. In order
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

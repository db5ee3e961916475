use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::MessageId;
use crate::model::FormerText;

/// What messages said before they were edited. Written by [`commit`](crate::store::ConversationStore::commit), together
/// with the edit.
#[async_trait]
pub trait EditStore: Send + Sync + fmt::Debug {
    /// Former texts of a message, the newest version first: those of versions below `before`, at most `limit`.
    async fn former_texts(
        &self,
        message: MessageId,
        before: Option<u32>,
        limit: usize,
    ) -> BackendResult<Vec<FormerText>>;
}

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{ConversationId, UserId};
use crate::model::{ReadAudience, Seq};
use crate::time::Timestamp;

/// When one user's marks crossed one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarkTimes {
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// The earliest step of the read mark over it, as far as that audience may know.
    pub read_at: Option<Timestamp>,
}

/// The log of marks. Steps are written by [`ConversationStore::commit`](crate::store::ConversationStore::commit).
#[async_trait]
pub trait ReceiptStore: Send + Sync + fmt::Debug {
    /// When the marks of these users crossed `seq`.
    ///
    /// # Contract
    /// - `delivered_at`: of the first step of the delivered mark with `to ≥ seq`.
    /// - `read_at`: of the first step of the read mark with `to ≥ seq` whose audience is at least `audience`
    ///   (`Everyone` ≥ `Contacts` ≥ `Nobody`).
    /// - Users without such a step are left out or have `None`.
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>>;
}

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

/// What others may know of one user's marks in one conversation at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarksThen {
    /// His delivered mark.
    pub delivered_seq: Seq,
    /// His read mark, as far as his contacts may know.
    pub contacts_read_seq: Seq,
    /// His read mark, as far as everyone may know.
    pub public_read_seq: Seq,
}

impl MarksThen {
    /// Adds a step of the log.
    pub fn add(&mut self, read: Option<ReadAudience>, to: Seq) {
        let mark = match read {
            None => &mut self.delivered_seq,
            Some(ReadAudience::Nobody) => return,
            Some(ReadAudience::Contacts) => &mut self.contacts_read_seq,
            Some(ReadAudience::Everyone) => {
                self.contacts_read_seq = self.contacts_read_seq.max(to);
                &mut self.public_read_seq
            }
        };
        *mark = to.max(*mark);
    }
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
    /// - Users without such a step are left out or have `None`, and so are those whose first such step has lost its
    ///   time to [`forget_mark_times`](crate::store::RetentionStore::forget_mark_times).
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>>;

    /// Marks of those of `users` who are in a block relation with `viewer` now, either way, as they were when it began
    /// (the earlier one, when each blocks the other), in each of these conversations.
    ///
    /// # Contract
    /// - Steps of the log with `at` up to the block's own count, and nothing after them.
    /// - Users without such a step in a conversation are left out, and so are users without a block.
    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>>;
}

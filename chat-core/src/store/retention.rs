use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::ConversationId;
use crate::model::{Conversation, ConversationKind, Message};
use crate::time::Timestamp;

/// Conversations whose retention follows from the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionClass {
    /// From the policy for this kind: those without a retention of their own.
    Policy(ConversationKind),
    /// From themselves: those with [`Retention::For`](crate::model::Retention::For).
    Own,
}

/// Asks for conversations with messages past their retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueConversations {
    /// Which ones.
    pub class: RetentionClass,
    /// By policy: whose oldest message is older than this. Of their own: whose oldest message's time plus their
    /// retention is before this.
    pub before: Timestamp,
    /// Those after this one, with the time the order goes by.
    pub after: Option<(Timestamp, ConversationId)>,
    /// At most so many.
    pub limit: usize,
}

/// What the removal of old data asks for. The removal itself is a [`Purge`](crate::store::Purge) in a
/// [`commit`](crate::store::ConversationStore::commit).
#[async_trait]
pub trait RetentionStore: Send + Sync + fmt::Debug {
    /// Conversations with messages past their retention, in the order of the time that is compared with `before`, then
    /// of id. Dissolved ones are among them; those without a message are not.
    async fn conversations_due(&self, query: &DueConversations) -> BackendResult<Vec<Conversation>>;

    /// The oldest messages of a conversation as they are kept, tombstones and expired ones too, by ascending seq.
    async fn oldest_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> BackendResult<Vec<Message>>;

    /// Forgets times of the log of marks; returns how many steps lost theirs.
    ///
    /// # Contract
    /// - At most `limit` steps with `at` before `before` that still have their time; the oldest ones first.
    /// - Of one user's steps of one kind in one conversation that lost their times, only the newest has to stay: it
    ///   says up to where they are unknown.
    /// - [`mark_times`](crate::store::ReceiptStore::mark_times) then has no time where the first step over a message
    ///   is one of them, and never a later step's.
    /// - Steps of users in a block relation, either way, keep their times:
    ///   [`marks_before_blocks`](crate::store::ReceiptStore::marks_before_blocks) needs them.
    async fn forget_mark_times(&self, before: Timestamp, limit: usize) -> BackendResult<usize>;
}

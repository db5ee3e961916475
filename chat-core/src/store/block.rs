use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::time::Timestamp;

/// Block relations between one user and some others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Those he has blocked.
    pub blocked: Vec<UserId>,
    /// Those who have blocked him.
    pub blocked_by: Vec<UserId>,
}

impl Blocks {
    /// Whether there is a block either way.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.blocked.is_empty() || !self.blocked_by.is_empty()
    }

    /// Whether there is a block either way with `user`.
    #[must_use]
    pub fn involves(&self, user: &UserId) -> bool {
        self.blocked.contains(user) || self.blocked_by.contains(user)
    }
}

/// A change of a user's block list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockChange {
    /// Who was blocked or unblocked.
    pub user: UserId,
    /// Whether he is blocked now.
    pub blocked: bool,
}

/// Who blocks whom. Private to the blocker.
#[async_trait]
pub trait BlockStore: Send + Sync + fmt::Debug {
    /// Blocks or unblocks; returns the blocker's new `user_rev`, or `None` when nothing changed.
    ///
    /// # Contract
    /// - Serialised with [`commit`](crate::store::ConversationStore::commit): no change of their direct conversation
    ///   whose commit starts after this answered sees the old relation.
    /// - Idempotent.
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>>;

    /// Users blocked by `blocker`, in order of id, after `after`, at most `limit`.
    async fn blocked_users(
        &self,
        blocker: &UserId,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserId>>;

    /// Block relations between `user` and each of `others`.
    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks>;

    /// Everybody who is in a block relation with `user`, either way.
    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks>;

    /// Last change of each entry of the block list after that `user_rev`, for sync.
    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>>;
}

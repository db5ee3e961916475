use std::fmt;

use async_trait::async_trait;

use crate::config::BlockedInGroup;
use crate::error::BackendResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Message, Star};
use crate::time::Timestamp;

/// What became of a star.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StarOutcome {
    /// It stands, or does not stand any more; the user's new `user_rev`.
    Changed(u64),
    /// It was so already.
    Unchanged,
    /// As many as allowed stand already.
    Full,
}

/// The last change of a star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarChange {
    /// Which.
    pub star: Star,
    /// Whether it stands.
    pub starred: bool,
    /// The user's `user_rev` of the change.
    pub user_rev: u64,
}

/// Asks for a user's starred messages, the newest star first: by the `user_rev` of the star, descending.
#[derive(Debug, Clone)]
pub struct StarredQuery {
    /// Whose. Only messages in conversations of which he is an active member, and only what he sees there: no
    /// tombstones.
    pub user: UserId,
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// What becomes of messages in groups of users he has blocked (`Hide` filters them).
    pub blocked_in_group: BlockedInGroup,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Those with a lower `user_rev` of the star.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// A starred message.
#[derive(Debug, Clone, PartialEq)]
pub struct StarredMessage {
    /// The message as it is kept.
    pub message: Message,
    /// The user's `user_rev` when he starred it.
    pub user_rev: u64,
}

/// Which messages users have starred. Private to each of them.
#[async_trait]
pub trait StarStore: Send + Sync + fmt::Debug {
    /// Stars a message for a user, or takes his star off. Who sees what is not looked at.
    ///
    /// # Contract
    /// - Idempotent. A change moves the user's `user_rev` by one; an unknown user has no stars.
    /// - When `cap` stars of the user stand, a further one is [`StarOutcome::Full`], however concurrent the calls.
    async fn set_star(&self, star: &Star, on: bool, cap: usize) -> BackendResult<StarOutcome>;

    /// Which of these messages `user` has starred, in any order.
    async fn starred_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>>;

    /// A user's starred messages, as far as he sees them.
    async fn starred(&self, query: &StarredQuery) -> BackendResult<Vec<StarredMessage>>;

    /// The last change of each of a user's stars after that `user_rev`, the newest change first, at most `limit`. Stars
    /// taken off are told until their message is purged.
    async fn star_changes(
        &self,
        user: &UserId,
        since_user_rev: u64,
        limit: usize,
    ) -> BackendResult<Vec<StarChange>>;
}

use std::fmt;

use async_trait::async_trait;

use crate::config::BlockedInGroup;
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Message;
use crate::store::SearchKey;
use crate::time::Timestamp;

/// Asks for messages that mention a user, by name or with everybody, newest first: by `created_at`, then id, both
/// descending.
#[derive(Debug, Clone)]
pub struct MentionQuery {
    /// Who is mentioned. Only conversations of which he is an active member, and only what
    /// [`is_mention`](crate::access::is_mention) lets in.
    pub user: UserId,
    /// The time expiry is judged by.
    pub now: Timestamp,
    /// What becomes of messages in groups of users he has blocked: only under `Show` they mention him.
    pub blocked_in_group: BlockedInGroup,
    /// Only those that [count as unread](crate::access::counts_as_unread).
    pub unread: bool,
    /// Those after this one.
    pub after: Option<SearchKey>,
    /// At most so many.
    pub limit: usize,
}

/// Messages by whom they mention, over all conversations of a user.
#[async_trait]
pub trait MentionStore: Send + Sync + fmt::Debug {
    /// A page of mentions.
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>>;
}

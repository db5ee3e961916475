use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What becomes of the messages and reactions of a user who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErasedMessages {
    /// Messages become tombstones and reactions go.
    Delete,
    /// They stay, of a deleted user.
    Keep,
}

/// That a user was erased. His id stays taken for good: nobody comes in under it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it began.
    pub at: Timestamp,
    /// What becomes of what he wrote.
    pub messages: ErasedMessages,
    /// Whether everything of his is gone by now.
    pub done: bool,
}

use std::time::Duration;

use super::{Rev, Seq};
use crate::time::Timestamp;

/// How long messages of a conversation are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Until somebody deletes them.
    Forever,
    /// So long after they were sent, in whole milliseconds; then they are purged.
    For(Duration),
}

/// Where the messages of a conversation begin, and how long they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Messages below this were purged; 1 at first. Never decreases, and is at most one above `last_seq`.
    pub first_seq: Seq,
    /// The highest rev among the purged messages: who knows less missed changes that can be told no more.
    pub min_rev: Rev,
    /// Time of the oldest message that is kept; `None` when there is none.
    pub oldest_at: Option<Timestamp>,
    /// A retention of its own, set by the host; `None` leaves it to the policy.
    pub retention: Option<Retention>,
}

impl Default for Horizon {
    /// Nothing sent and nothing purged, retention by policy.
    fn default() -> Self {
        Self {
            first_seq: 1,
            min_rev: 0,
            oldest_at: None,
            retention: None,
        }
    }
}

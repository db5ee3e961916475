//! The reference store: everything in this process's memory, gone when it ends.
//!
//! It is written to be obviously right. It asks [`access`](crate::access) about every message instead of mirroring
//! the rules in queries, and one lock around the whole state makes every call atomic. Other stores are compared with
//! it by the conformance suite. Cost: a call looks at the caller's own conversations, a search at all their messages.

mod accounts;
mod archive;
mod attachments;
mod blocks;
mod commit;
mod conversations;
mod devices;
mod edits;
mod inbox;
mod mentions;
mod messages;
mod moderation;
mod mutes;
mod outbox;
mod personal;
mod receipts;
mod retention;
mod scheduled;
mod stars;
mod state;
mod users;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::{Clock, SystemClock};
use state::State;

/// A [`Store`](crate::store::Store), and an [`AccountStore`](crate::store::AccountStore), in memory.
///
/// Cloning is cheap and gives another handle to the same data.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    /// Drawn at random: tokens from before a restart are not taken for this store's.
    epoch: u64,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store whose commits read the time from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            epoch: uuid::Uuid::new_v4().as_u64_pair().0 >> 1,
            state: Arc::default(),
        }
    }

    /// The state, locked. A panic inside a decision leaves it as it was, because decisions come before writes, so a
    /// poisoned lock is as good as a whole one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    /// An empty store on the machine's clock.
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

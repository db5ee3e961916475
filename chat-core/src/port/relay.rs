use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::event::ChatEvent;
use crate::store::OutboxEntry;

/// How the engine carries out entries of one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayPolicy {
    /// Deliveries at a time; never two of one conversation. Default 8, at least 1.
    pub concurrency: usize,
    /// How long one delivery may take. Default 20 s.
    pub timeout: Duration,
    /// How long a worker that dies keeps its entries from others. Default 60 s; never less than twice the timeout.
    pub lease: Duration,
    /// The pause after the first failure; it doubles with each further one, and up to half of it is left out by chance.
    /// Default 5 s.
    pub first_retry: Duration,
    /// The longest pause. Default 1 h. A receiver's own wish may be longer, up to a day.
    pub longest_retry: Duration,
    /// An entry that fails when it is older than this is given up. Default 3 days.
    pub max_age: Duration,
    /// How often it is looked for entries that are due again, or of other nodes. New ones of this node are carried out
    /// at once. Default 1 s.
    pub poll: Duration,
}

impl Default for RelayPolicy {
    fn default() -> Self {
        Self {
            concurrency: 8,
            timeout: Duration::from_secs(20),
            lease: Duration::from_secs(60),
            first_retry: Duration::from_secs(5),
            longest_retry: Duration::from_secs(3_600),
            max_age: Duration::from_secs(3 * 86_400),
            poll: Duration::from_secs(1),
        }
    }
}

/// Why an entry was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayFailure {
    /// It may succeed later.
    Retry {
        /// What happened, for the log: no content, no secrets.
        reason: String,
        /// When the receiver wants it at the earliest.
        after: Option<Duration>,
    },
    /// It never will: the entry is given up.
    Refused {
        /// What happened, for the log: no content, no secrets.
        reason: String,
    },
}

/// Carries events out of the system, at least once and in order per conversation.
///
/// For every persistent event that a relay [wants](Relay::wants) an entry is written in the same step as the change
/// that caused it, so it survives a crash at any point. Workers then carry entries to
/// [`deliver`](Relay::deliver) until it succeeds. Several nodes on one store share the work.
#[async_trait]
pub trait Relay: Send + Sync + fmt::Debug {
    /// Its name in the outbox, 1-64 bytes. It has to stay the same over restarts, and to differ from other relays'.
    fn topic(&self) -> &str;

    /// How its entries are carried out.
    fn policy(&self) -> RelayPolicy {
        RelayPolicy::default()
    }

    /// Whether it wants an event. Asked inside a commit, so it must be quick and look at the event only. By default
    /// everything but what concerns one user's own side.
    fn wants(&self, event: &ChatEvent) -> bool {
        !matches!(
            event,
            ChatEvent::MessageHidden { .. } | ChatEvent::InboxUpdated { .. }
        )
    }

    /// Delivers one entry. The receiver may have got it before: after a lost answer or a crash it comes again, with the
    /// same id.
    ///
    /// # Errors
    /// Whether, and when, to try again. A panic or a call that takes longer than the policy says is a retry.
    async fn deliver(&self, entry: &OutboxEntry) -> Result<(), RelayFailure>;
}

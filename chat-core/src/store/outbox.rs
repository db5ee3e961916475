use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::BackendResult;
use crate::time::Timestamp;

/// Something to be carried out of the system. It is written in the same step as the change that caused it
/// ([`Writes::outbox`](crate::store::Writes::outbox)) and goes when it was delivered or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its id, the same over all attempts.
    pub id: Uuid,
    /// For which relay, 1-64 bytes.
    pub topic: String,
    /// What it has to stay in order with, 1-64 bytes: entries of one topic and key are delivered one after the other.
    pub key: String,
    /// What is to be delivered, as JSON text. Kept byte by byte.
    pub payload: String,
    /// When it was caused; it is not due before.
    pub created_at: Timestamp,
}

/// An entry that a worker has to itself for the time of its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedEntry {
    /// The entry.
    pub entry: OutboxEntry,
    /// How often its delivery has failed.
    pub attempts: u32,
}

/// What waits in one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxBacklog {
    /// How many entries, leased ones too.
    pub entries: u64,
    /// When the oldest of them was caused.
    pub oldest_at: Option<Timestamp>,
}

/// Entries on their way out: at least once, in order per key. Entries are added by
/// [`ConversationStore::commit`](crate::store::ConversationStore::commit).
#[async_trait]
pub trait OutboxStore: Send + Sync + fmt::Debug {
    /// Leases entries of a topic to a worker, under a lease id of its own making.
    ///
    /// # Contract
    /// - At most `limit` entries, those that have been due for longest first.
    /// - An entry can be claimed when it is due by the store's clock, no lease on it is in force, and no older entry
    ///   of its topic and key is there, in whatever state. Older: added by an earlier commit, or earlier in
    ///   [`Writes::outbox`](crate::store::Writes::outbox). So of one key at most one entry is claimed at a time.
    /// - The lease is in force until `lasting` from now, exclusive.
    /// - Atomic: of concurrent claims one gets an entry.
    async fn claim_outbox(
        &self,
        topic: &str,
        limit: usize,
        lease: Uuid,
        lasting: Duration,
    ) -> BackendResult<Vec<ClaimedEntry>>;

    /// Removes an entry that was delivered or given up; the next one of its key can be claimed then. `false`, and
    /// nothing happens, when the entry is not leased under this id any more.
    async fn finish_outbox(&self, id: Uuid, lease: Uuid) -> BackendResult<bool>;

    /// Counts a failed attempt and ends the lease; the entry is due again `after` from now. `false`, and nothing
    /// happens, when the entry is not leased under this id any more.
    async fn retry_outbox(&self, id: Uuid, lease: Uuid, after: Duration) -> BackendResult<bool>;

    /// Notes how far the delivery of an entry has come, in one step: `added` entries are added, in this order, and the
    /// entry stays first in its key with the payload `rest`, no failed attempts, no lease and due at once, or is removed
    /// when there is no rest. `false`, and nothing happens, when the entry is not leased under this id any more.
    async fn advance_outbox(
        &self,
        id: Uuid,
        lease: Uuid,
        rest: Option<&str>,
        added: &[OutboxEntry],
    ) -> BackendResult<bool>;

    /// Those of these keys of a topic that have an entry, in whatever state.
    async fn outbox_keys(&self, topic: &str, keys: &[String]) -> BackendResult<Vec<String>>;

    /// Ends leases under this id without counting an attempt; those entries are due at once. Returns how many.
    async fn release_outbox(&self, lease: Uuid) -> BackendResult<usize>;

    /// What waits in a topic.
    async fn outbox_backlog(&self, topic: &str) -> BackendResult<OutboxBacklog>;
}

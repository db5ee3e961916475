//! What can be set when a store is opened.

use std::time::Duration;

/// How a [`MongoStore`](crate::MongoStore) is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MongoConfig {
    /// What the names of all collections begin with. Default `chat_`. Two stores in one database have two prefixes.
    pub prefix: String,
    /// Whether opening makes collections, indexes and the schema entry where they are missing. Default false: a host
    /// calls [`setup`](crate::MongoStore::setup) when it deploys, and opening refuses what is not current.
    pub setup: bool,
    /// Writes waiting for their turn; one more is refused as unavailable. Default 4,096.
    pub queued_writes: usize,
    /// Changes that become one commit at most. Default 256.
    pub batch_changes: usize,
    /// How long a write is tried again while the server is away or other nodes are faster. Default 5 s.
    pub patience: Duration,
}

impl Default for MongoConfig {
    fn default() -> Self {
        Self {
            prefix: "chat_".to_owned(),
            setup: false,
            queued_writes: 4_096,
            batch_changes: 256,
            patience: Duration::from_secs(5),
        }
    }
}

impl MongoConfig {
    /// Collections whose names begin with this.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Whether opening makes what is missing.
    #[must_use]
    pub const fn with_setup(mut self, setup: bool) -> Self {
        self.setup = setup;
        self
    }

    /// So many writes may wait for their turn, at least one.
    #[must_use]
    pub const fn with_queued_writes(mut self, writes: usize) -> Self {
        self.queued_writes = writes;
        self
    }

    /// So many changes become one commit, at least one.
    #[must_use]
    pub const fn with_batch_changes(mut self, changes: usize) -> Self {
        self.batch_changes = changes;
        self
    }

    /// How long a write is tried again.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

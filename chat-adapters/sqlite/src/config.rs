//! What can be set when a store is opened.

use std::path::PathBuf;
use std::time::Duration;

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The database file, made when there is none; `None` is a database in memory that ends with the store.
    pub path: Option<PathBuf>,
    /// Whether opening brings the schema up to date. Default true; a host that migrates by hand says false, calls
    /// [`migrate`](crate::SqliteStore::migrate) itself, and opening refuses a schema that is not current.
    pub migrate: bool,
    /// Connections for reading. Default 4.
    pub read_connections: u32,
    /// Writes waiting for the writer; one more is refused as unavailable. Default 4,096.
    pub queued_writes: usize,
    /// Changes written by one transaction at most. Default 512.
    pub batch_changes: usize,
    /// How long to wait for another process that holds the write lock. Default 2 s.
    pub busy_timeout: Duration,
    /// How long a read waits for a connection. Default 2 s.
    pub acquire_timeout: Duration,
}

impl SqliteConfig {
    /// A store in this file, with the default settings.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::in_memory()
        }
    }

    /// A store in memory, for tests and trials: everything is gone when its last handle is dropped.
    #[must_use]
    pub const fn in_memory() -> Self {
        Self {
            path: None,
            migrate: true,
            read_connections: 4,
            queued_writes: 4_096,
            batch_changes: 512,
            busy_timeout: Duration::from_secs(2),
            acquire_timeout: Duration::from_secs(2),
        }
    }

    /// Whether opening brings the schema up to date.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// So many connections for reading, at least one.
    #[must_use]
    pub const fn with_read_connections(mut self, connections: u32) -> Self {
        self.read_connections = connections;
        self
    }

    /// So many writes may wait for the writer, at least one.
    #[must_use]
    pub const fn with_queued_writes(mut self, writes: usize) -> Self {
        self.queued_writes = writes;
        self
    }

    /// So many changes go into one transaction, at least one.
    #[must_use]
    pub const fn with_batch_changes(mut self, changes: usize) -> Self {
        self.batch_changes = changes;
        self
    }

    /// How long to wait for another process that holds the write lock.
    #[must_use]
    pub const fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }
}

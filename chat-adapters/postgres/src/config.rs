//! What can be set when a store is opened.

use std::time::Duration;

use crate::schema_name::SchemaName;

/// How a [`PostgresStore`](crate::PostgresStore) works on its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// The schema the tables lie in. Default `chat`.
    pub schema: SchemaName,
    /// Whether opening brings the schema up to date. Default false: [`migrate`](crate::PostgresStore::migrate) is a
    /// step of its own, and opening refuses a schema that is not current.
    pub migrate: bool,
    /// Changes written by one transaction at most, 1 to 4,096. Default 512.
    pub batch_changes: usize,
    /// How long the server works on one statement of a writing transaction. Default 5 s.
    pub statement_timeout: Duration,
    /// How long a writing transaction waits for one lock. Default 3 s.
    pub lock_timeout: Duration,
    /// After how long a silent transaction is ended by the server. Default 10 s.
    pub idle_timeout: Duration,
    /// How long a call may take altogether, the wait for a connection included; then it is given up and its connection
    /// closed. Default 10 s.
    pub deadline: Duration,
    /// How often a change is tried that the server took back because of others (deadlock, serialisation). Default 5.
    pub attempts: u32,
    /// Whether statements are prepared once per connection. Default true. Say false behind a pooler that hands a
    /// server connection on after every transaction and knows no prepared statements (PgBouncer before 1.21): then
    /// every read is a transaction too.
    pub prepared: bool,
    /// Connections at most, for [`connect`](crate::PostgresStore::connect). Default 10.
    pub connections: u32,
    /// How long a call waits for a connection, for [`connect`](crate::PostgresStore::connect). Default 3 s.
    pub acquire_timeout: Duration,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            schema: SchemaName::default(),
            migrate: false,
            batch_changes: 512,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
            attempts: 5,
            prepared: true,
            connections: 10,
            acquire_timeout: Duration::from_secs(3),
        }
    }
}

impl PostgresConfig {
    /// The schema the tables lie in.
    #[must_use]
    pub fn with_schema(mut self, schema: SchemaName) -> Self {
        self.schema = schema;
        self
    }

    /// Whether opening brings the schema up to date.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// So many changes go into one transaction, 1 to 4,096.
    #[must_use]
    pub const fn with_batch_changes(mut self, changes: usize) -> Self {
        self.batch_changes = changes;
        self
    }

    /// How long the server works on one statement of a writing transaction.
    #[must_use]
    pub const fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long a writing transaction waits for one lock.
    #[must_use]
    pub const fn with_lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// How long a call may take altogether.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether statements are prepared once per connection; false for poolers that cannot.
    #[must_use]
    pub const fn with_prepared(mut self, prepared: bool) -> Self {
        self.prepared = prepared;
        self
    }

    /// So many connections at most, for [`connect`](crate::PostgresStore::connect).
    #[must_use]
    pub const fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }
}

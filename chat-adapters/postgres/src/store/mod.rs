//! The store: opening, closing, and one file per facet.

mod account;
mod archive;
mod attachment;
mod block;
mod bulk;
mod commit;
mod conversation;
mod device;
mod edit;
mod facts;
mod history;
mod inbox;
mod mention;
mod message;
mod moderation;
mod mute;
mod outbox;
mod pending;
mod personal;
#[cfg(test)]
mod plans;
mod position;
mod purge;
mod reaction;
mod receipt;
mod restore;
mod retention;
mod rows;
mod scheduled;
mod search;
mod sight;
mod slate;
mod star;
mod sync;
mod user;
mod write_conversations;
mod write_members;
mod write_messages;
mod writes;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chat_core::error::BackendResult;
use chat_core::time::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use crate::config::PostgresConfig;
use crate::error::OpenError;
use crate::schema;
use crate::schema_name::Texts;
use crate::session::{Counters, Shared};
use crate::transaction::Database;

/// Every statement of the store fits into a connection's cache.
const STATEMENT_CACHE: usize = 256;

/// A [`Store`](chat_core::store::Store), and an [`AccountStore`](chat_core::store::AccountStore), in a PostgreSQL
/// database.
///
/// Cloning is cheap and gives another handle to the same pool.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    database: Database,
    batch_changes: usize,
    /// Whether the server tells its time line.
    has_time_line: bool,
    /// Whether the pool is this store's own.
    owns_pool: bool,
    /// How far sync positions were known to be complete.
    horizon: position::Horizon,
}

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PostgresStats {
    /// Transactions made durable.
    pub transactions: u64,
    /// Changes in them; many per transaction show that writes are batched.
    pub changes: u64,
    /// Round trips of writing transactions, those for BEGIN and COMMIT among them.
    pub write_statements: u64,
    /// Round trips for reading.
    pub read_statements: u64,
    /// Transactions tried again because the server took them back (deadlock, serialisation, a lost race).
    pub retries: u64,
}

impl PostgresStore {
    /// A store on the host's own pool; commits read the time from `clock`. The pool stays the host's: closing the
    /// store leaves it open.
    ///
    /// # Errors
    /// [`OpenError`]: the database cannot be reached, is too old, or its schema is newer, foreign, or (with
    /// [`migrate`](PostgresConfig::migrate) off) not current.
    pub async fn open(
        pool: PgPool,
        config: PostgresConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        Self::open_with(pool, &config, clock, false).await
    }

    /// A store with a pool of its own: `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`OpenError::Url`].
    pub async fn connect(
        url: &str,
        config: PostgresConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            // Left to itself the driver would take any URL.
            let refusal = "the scheme is not postgres".into();
            return Err(OpenError::Url(sqlx::Error::Configuration(refusal)));
        }
        let mut options = PgConnectOptions::from_str(url)?
            .application_name("chat")
            .statement_cache_capacity(if config.prepared { STATEMENT_CACHE } else { 0 })
            // Statements are ours and hold no data, but they are noise in a host's log.
            .disable_statement_logging();
        if config.prepared {
            // For reads, which are no transactions. Poolers refuse such parameters, and frame reads anyway.
            let limit = config.statement_timeout.as_millis().max(1).to_string();
            options = options.options([("statement_timeout", limit)]);
        }
        // A pool tries on for a while and then says only that time is up; this says what is wrong.
        options.connect().await?.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(config.connections.max(1))
            .acquire_timeout(config.acquire_timeout)
            .connect_lazy_with(options);
        Self::open_with(pool, &config, clock, true).await
    }

    async fn open_with(
        pool: PgPool,
        config: &PostgresConfig,
        clock: Arc<dyn Clock>,
        owns_pool: bool,
    ) -> Result<Self, OpenError> {
        if config.migrate {
            schema::migrate(&pool, &config.schema).await?;
        }
        let mut connection = pool.acquire().await?;
        schema::check(&mut connection, &config.schema).await?;
        let has_time_line = sync::adopt(&mut connection, &config.schema).await?;
        drop(connection);
        let shared = Arc::new(Shared {
            texts: Texts::new(config.schema.clone()),
            counters: Counters::default(),
            prepared: config.prepared,
        });
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                database: Database::new(pool, shared, config),
                batch_changes: config.batch_changes.clamp(1, 1 << position::PLACE_BITS),
                has_time_line,
                owns_pool,
                horizon: position::Horizon::default(),
            }),
        })
    }

    /// Brings the schema up to date. Safe to call from several nodes at once; a schema that is current stays
    /// untouched. Installs the extension `pg_trgm`, which searches use, where the role may.
    ///
    /// # Errors
    /// [`OpenError`]: as for [`open`](Self::open). The database is as it was then.
    pub async fn migrate(pool: &PgPool, config: &PostgresConfig) -> Result<(), OpenError> {
        schema::migrate(pool, &config.schema).await
    }

    /// Begins a new epoch: every client starts its sync anew. To be called once after the database was set back in
    /// a way the store cannot see by itself, such as a snapshot of its disk.
    ///
    /// # Errors
    /// As every write.
    pub async fn renew_epoch(&self) -> BackendResult<()> {
        let renewed = self.new_epoch().await;
        renewed.map_err(|error| error.into_backend("renew_epoch"))
    }

    /// Closes the pool, when it is the store's own.
    pub async fn close(&self) {
        if self.inner.owns_pool {
            self.inner.database.pool.close().await;
        }
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> PostgresStats {
        let counters = &self.inner.database.shared.counters;
        PostgresStats {
            transactions: counters.transactions.load(Ordering::Relaxed),
            changes: counters.changes.load(Ordering::Relaxed),
            write_statements: counters.write_statements.load(Ordering::Relaxed),
            read_statements: counters.read_statements.load(Ordering::Relaxed),
            retries: counters.retries.load(Ordering::Relaxed),
        }
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    fn database(&self) -> &Database {
        &self.inner.database
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where the database is stays out: a store is printed into logs.
        f.debug_struct("PostgresStore")
            .field("schema", self.inner.database.shared.texts.schema())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

//! The store: opening, closing, and one file per facet.

mod account;
mod archive;
mod attachment;
mod block;
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
mod personal;
#[cfg(test)]
mod plans;
mod purge;
mod reaction;
mod receipt;
mod retention;
mod rows;
mod scheduled;
mod search;
mod sight;
mod star;
mod sync;
mod trigram;
mod user;
mod write_member;
mod write_message;
mod writes;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chat_core::time::Clock;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use crate::config::SqliteConfig;
use crate::connect::{self, connect_options};
use crate::error::{Error, OpenError};
use crate::schema;
use crate::statement::{Counters, Session};
use crate::writer::Writer;

/// A [`Store`](chat_core::store::Store), and an [`AccountStore`](chat_core::store::AccountStore), in an SQLite
/// database.
///
/// Cloning is cheap and gives another handle to the same connections. When the last handle is dropped, the writer
/// finishes what is queued and ends; [`close`](Self::close) does the same and waits for it.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    writer: Writer,
    readers: SqlitePool,
    counters: Arc<Counters>,
}

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SqliteStats {
    /// Transactions made durable.
    pub transactions: u64,
    /// Changes in them; many per transaction show that writes are batched.
    pub changes: u64,
    /// Round trips of the writer to SQLite, those for BEGIN and COMMIT among them.
    pub write_statements: u64,
    /// Statements run for reading, those that frame a snapshot left out.
    pub read_statements: u64,
}

impl SqliteStore {
    /// Opens a store; commits read the time from `clock`. Must be called inside a Tokio runtime, where the writer
    /// task runs.
    ///
    /// # Errors
    /// [`OpenError`]: the file cannot be opened, or its schema is newer, foreign, or (with
    /// [`migrate`](SqliteConfig::migrate) off) not current.
    pub async fn open(config: SqliteConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let options = connect_options(&config);
        Self::open_with(config, options, clock).await
    }

    async fn open_with(
        config: SqliteConfig,
        options: SqliteConnectOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let mut connection = connect::patiently(&options, config.busy_timeout).await?;
        if config.migrate {
            schema::migrate(&mut connection).await?;
        } else {
            schema::check(&mut connection).await?;
        }
        // The writer's connection stays open first to last: a database in memory lives as long as one does.
        let readers = SqlitePoolOptions::new()
            .max_connections(config.read_connections.max(1))
            .min_connections(0)
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let counters = Arc::new(Counters::default());
        let writer = Writer::start(
            connection,
            options,
            Arc::clone(&counters),
            config.queued_writes,
            config.batch_changes,
        );
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                writer,
                readers,
                counters,
            }),
        })
    }

    /// Opens the store in this file with the default settings.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn from_path(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open(SqliteConfig::new(path.as_ref()), clock).await
    }

    /// Opens an empty store in memory; it is gone when its last handle is dropped.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open(SqliteConfig::in_memory(), clock).await
    }

    /// Brings the schema in this configuration's database up to date and closes it again, for hosts that migrate as
    /// a step of their own. Safe to call from several processes at once; a schema that is current stays untouched.
    ///
    /// # Errors
    /// [`OpenError`]: as for [`open`](Self::open).
    pub async fn migrate(config: &SqliteConfig) -> Result<(), OpenError> {
        use sqlx::Connection as _;
        let mut connection = connect::patiently(&connect_options(config), config.busy_timeout).await?;
        schema::migrate(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Does and answers every queued write, then closes all connections. Later calls are refused as unavailable.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.readers.close().await;
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        let counters = &self.inner.counters;
        SqliteStats {
            transactions: counters.transactions.load(Ordering::Relaxed),
            changes: counters.changes.load(Ordering::Relaxed),
            write_statements: counters.write_statements.load(Ordering::Relaxed),
            read_statements: counters.read_statements.load(Ordering::Relaxed),
        }
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// A connection for one statement.
    async fn read(&self) -> Result<Session<PoolConnection<Sqlite>>, Error> {
        let connection = self.inner.readers.acquire().await?;
        Ok(Session::reading(connection, Arc::clone(&self.inner.counters)))
    }

    /// A connection whose statements all see the same state.
    async fn snapshot(&self) -> Result<Session<sqlx::Transaction<'static, Sqlite>>, Error> {
        let transaction = self.inner.readers.begin().await?;
        Ok(Session::reading(transaction, Arc::clone(&self.inner.counters)))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path stays out: a store is printed into logs.
        f.debug_struct("SqliteStore")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chat_core::error::BackendErrorKind;
    use chat_core::id::UserId;
    use chat_core::model::{JsonObject, NewUser, UserPatch};
    use chat_core::store::UserStore;
    use chat_core::time::{SystemClock, Timestamp};

    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_and_changes_nothing() {
        for config in [SqliteConfig::in_memory(), SqliteConfig::new("")] {
            let directory = tempfile::tempdir().unwrap();
            let config = SqliteConfig {
                path: config.path.map(|_| directory.path().join("chat.db")),
                ..config
            };
            // As good as a small disk: SQLite answers both with the same code.
            let options = connect_options(&config).pragma("max_page_count", "150");
            let store = SqliteStore::open_with(config, options, Arc::new(SystemClock))
                .await
                .unwrap();
            let name = "x".repeat(8_000);
            let mut made = 0;
            let failure = loop {
                let new = NewUser::new(UserId::new(format!("user-{made}")).unwrap()).with_name(name.clone());
                match store.ensure_user(new, Timestamp::default()).await {
                    Ok(_) => made += 1,
                    Err(failure) => break failure,
                }
            };
            assert_eq!(failure.kind(), BackendErrorKind::Full);
            let lost = UserId::new(format!("user-{made}")).unwrap();
            assert!(store.users(&[lost]).await.unwrap().is_empty());
            // The store goes on: what fits is written.
            let first = UserId::new("user-0").unwrap();
            let patch = UserPatch {
                name: Some("short".to_owned()),
                custom: Some(JsonObject::default()),
                ..UserPatch::default()
            };
            let user = store.update_user(&first, patch).await.unwrap().unwrap();
            assert_eq!(user.name, "short");
            store.close().await;
        }
    }
}

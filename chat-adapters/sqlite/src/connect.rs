//! How connections are made.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::config::SqliteConfig;
use crate::error::{OpenError, is_busy};

/// Every statement of the store fits into a connection's cache.
const STATEMENT_CACHE: usize = 256;
/// Between two attempts at a database that others are just opening.
const PAUSE: Duration = Duration::from_millis(10);

/// The first connection to a database. A file changes into WAL mode under an exclusive lock, and SQLite does not wait
/// for that lock whatever the busy timeout: of several processes that open a new file at once all but one are told that
/// it is locked. They find it changed a moment later, so they try until `patience` ends.
pub(crate) async fn patiently(
    options: &SqliteConnectOptions,
    patience: Duration,
) -> Result<SqliteConnection, OpenError> {
    let end = Instant::now() + patience;
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && Instant::now() < end => sleep(PAUSE).await,
            outcome => return Ok(outcome?),
        }
    }
}

pub(crate) fn connect_options(config: &SqliteConfig) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .create_if_missing(true)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(config.busy_timeout)
        .statement_cache_capacity(STATEMENT_CACHE)
        // After a burst the log shrinks again when it is checkpointed.
        .pragma("journal_size_limit", "67108864")
        // Statements are ours and hold no data, but they are noise in a host's log.
        .disable_statement_logging();
    match &config.path {
        Some(path) => options.filename(path).journal_mode(SqliteJournalMode::Wal),
        // A name of its own in SQLite's memory file system: all connections of this store open the same database.
        None => options
            .filename(format!("/chat-{}", Uuid::now_v7().simple()))
            .vfs("memdb"),
    }
}

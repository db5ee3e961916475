//! What can go wrong here, and what it is called outside.

use chat_core::error::{BackendError, BackendErrorKind};

/// Name of this backend in errors.
pub(crate) const BACKEND: &str = "sqlite";

/// Why a store could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database was written by a newer version of this crate.
    #[error(
        "the database has chat schema version {found}, this version knows up to {known}: use a newer version"
    )]
    SchemaNewer {
        /// Version of the database.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// The database has no chat schema or an old one, and opening was told not to migrate.
    #[error("the database has chat schema version {found}, this version needs {known}: run the migration")]
    SchemaOlder {
        /// Version of the database; 0 when there is none.
        found: i64,
        /// Version needed.
        known: i64,
    },
    /// The database has a chat schema that this crate did not write.
    #[error("the chat schema of the database was not written by this crate (version {version} differs)")]
    SchemaForeign {
        /// The version that differs.
        version: i64,
    },
    /// The file could not be opened, read or written.
    #[error("the database cannot be opened")]
    Database(#[source] sqlx::Error),
    /// A step of the migration failed and was taken back.
    #[error("the database cannot be migrated; it is as it was")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the database refused or failed")]
    Database(#[from] sqlx::Error),
    #[error("a JSON column does not hold what it should")]
    Json(#[from] serde_json::Error),
    #[error("a column does not hold what it should: {0}")]
    Decode(&'static str),
    #[error("the row breaks a rule of the store: {0}")]
    Broken(&'static str),
    #[error("the queue of writes is full")]
    QueueFull,
    #[error("the store is closed")]
    Closed,
    #[error("the write was given up before it was answered")]
    Lost,
    #[error("a step could not be ended")]
    Step(#[source] Box<Error>),
    #[error("a decision panicked")]
    Panicked,
}

/// SQLite's primary result codes (the low byte of the extended ones) that are told apart.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const NOMEM: i32 = 7;
    pub(super) const READONLY: i32 = 8;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const PROTOCOL: i32 = 15;
    pub(super) const NOTADB: i32 = 26;
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Whether another connection held the lock that was needed.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

impl Error {
    fn sqlite_code(&self) -> Option<i32> {
        match self {
            Self::Database(error) => primary_code(error),
            _ => None,
        }
    }

    pub(crate) fn kind(&self) -> BackendErrorKind {
        match self {
            Self::QueueFull | Self::Closed | Self::Step(_) => BackendErrorKind::Unavailable,
            Self::Lost => BackendErrorKind::OutcomeUnknown,
            Self::Json(_) | Self::Decode(_) => BackendErrorKind::Corrupt,
            Self::Broken(_) | Self::Panicked => BackendErrorKind::Other,
            Self::Database(error) => match error {
                sqlx::Error::Database(_) => match self.sqlite_code() {
                    Some(
                        code::BUSY
                        | code::LOCKED
                        | code::NOMEM
                        | code::READONLY
                        | code::INTERRUPT
                        | code::IOERR
                        | code::CANTOPEN
                        | code::PROTOCOL,
                    ) => BackendErrorKind::Unavailable,
                    Some(code::FULL) => BackendErrorKind::Full,
                    Some(code::CORRUPT | code::NOTADB) => BackendErrorKind::Corrupt,
                    _ => BackendErrorKind::Other,
                },
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::Decode(_) => BackendErrorKind::Corrupt,
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Io(_) => BackendErrorKind::Unavailable,
                _ => BackendErrorKind::Other,
            },
        }
    }

    /// Whether the transaction cannot go on: SQLite may have rolled it back by itself already.
    pub(crate) fn ends_transaction(&self) -> bool {
        matches!(
            self.kind(),
            BackendErrorKind::Unavailable | BackendErrorKind::Full | BackendErrorKind::OutcomeUnknown
        )
    }

    /// Whether the connection itself may be gone.
    pub(crate) fn loses_connection(&self) -> bool {
        matches!(self, Self::Database(error) if !matches!(error, sqlx::Error::Database(_)))
    }

    /// What a failed COMMIT means. A full disk stops it before its last page, and a lock before its first; after any
    /// other I/O failure the commit may be found whole when the database is next recovered.
    pub(crate) fn into_commit_failure(self) -> BackendError {
        let kind = match self.sqlite_code() {
            Some(code::BUSY | code::LOCKED | code::FULL) => self.kind(),
            _ => BackendErrorKind::OutcomeUnknown,
        };
        BackendError::new(kind, BACKEND, "commit").with_source(self)
    }

    pub(crate) fn into_backend(self, operation: &'static str) -> BackendError {
        BackendError::new(self.kind(), BACKEND, operation).with_source(self)
    }
}

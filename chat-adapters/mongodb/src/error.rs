//! What can go wrong here, and what it is called outside.

use chat_core::error::{BackendError, BackendErrorKind};
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

/// Name of this backend in errors.
pub(crate) const BACKEND: &str = "mongodb";

/// Why a store could not be opened or set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data was written by a newer version of this crate.
    #[error(
        "the database has chat schema version {found}, this version knows up to {known}: use a newer version"
    )]
    SchemaNewer {
        /// Version of the data.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// There is no chat here, or an old one, and opening was told not to set it up.
    #[error("the database has chat schema version {found}, this version needs {known}: run the setup")]
    SchemaOlder {
        /// Version of the data; 0 when there is none.
        found: i64,
        /// Version needed.
        known: i64,
    },
    /// The prefix cannot begin the name of a collection.
    #[error("a prefix has at most 60 letters, digits, '_' and '-'")]
    Prefix,
    /// The URL names no database.
    #[error("the URL names no database, as in mongodb://host/database")]
    NoDatabase,
    /// The server could not be reached, or refused.
    #[error("the database cannot be opened")]
    Database(#[source] DriverError),
}

impl From<DriverError> for OpenError {
    fn from(error: DriverError) -> Self {
        Self::Database(error)
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the server refused or failed")]
    Driver(#[from] DriverError),
    #[error("the answer of a write was lost")]
    Unsure(#[source] DriverError),
    #[error("an update was refused with code {0}")]
    Refused(i32),
    #[error("a field does not hold the JSON it should")]
    Json(#[from] serde_json::Error),
    #[error("a field does not hold what it should: {0}")]
    Decode(&'static str),
    #[error("the row breaks a rule of the store: {0}")]
    Broken(&'static str),
    #[error("the collections were not set up")]
    NotSetUp,
    #[error("the queue of writes is full")]
    QueueFull,
    #[error("the store is closed")]
    Closed,
    #[error("the write was given up before it was answered")]
    Lost,
    #[error("other nodes were always faster")]
    Contended,
    #[error("a decision panicked")]
    Panicked,
}

/// Codes of MongoDB that are told apart.
pub(crate) mod code {
    pub(crate) const DUPLICATE_KEY: i32 = 11_000;
    pub(crate) const NAMESPACE_EXISTS: i32 = 48;
    const OUT_OF_DISK_SPACE: i32 = 14_031;
    /// The server steps down, shuts down or is not the primary; it has not done the command.
    const NOT_NOW: [i32; 12] = [
        6, 7, 89, 91, 189, 262, 9_001, 10_107, 11_600, 11_602, 13_435, 13_436,
    ];

    pub(super) const fn is_full(code: i32) -> bool {
        code == OUT_OF_DISK_SPACE
    }

    pub(super) fn is_transient(code: i32) -> bool {
        NOT_NOW.contains(&code)
    }
}

/// The server's code, when it answered with one.
pub(crate) fn code_of(error: &DriverError) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}

pub(crate) fn is_duplicate(error: &DriverError) -> bool {
    code_of(error) == Some(code::DUPLICATE_KEY)
}

/// Whether a command may have reached the server although it failed here.
pub(crate) fn may_have_happened(error: &DriverError) -> bool {
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. } | ErrorKind::DnsResolve { .. } => false,
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => true,
        _ => code_of(error).is_some_and(code::is_transient),
    }
}

/// Whether the same command may succeed a moment later.
pub(crate) fn is_transient(error: &DriverError) -> bool {
    match error.kind.as_ref() {
        ErrorKind::ServerSelection { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. } => true,
        _ => code_of(error).is_some_and(code::is_transient),
    }
}

impl Error {
    pub(crate) fn kind(&self) -> BackendErrorKind {
        match self {
            Self::QueueFull | Self::Closed | Self::Contended => BackendErrorKind::Unavailable,
            Self::Unsure(_) | Self::Lost => BackendErrorKind::OutcomeUnknown,
            Self::Json(_) | Self::Decode(_) => BackendErrorKind::Corrupt,
            Self::Refused(code) if code::is_full(*code) => BackendErrorKind::Full,
            Self::Refused(_) | Self::Broken(_) | Self::NotSetUp | Self::Panicked => BackendErrorKind::Other,
            Self::Driver(error) => match error.kind.as_ref() {
                _ if is_transient(error) => BackendErrorKind::Unavailable,
                _ if code_of(error).is_some_and(code::is_full) => BackendErrorKind::Full,
                ErrorKind::Shutdown => BackendErrorKind::Unavailable,
                ErrorKind::InvalidResponse { .. } => BackendErrorKind::Corrupt,
                _ => BackendErrorKind::Other,
            },
        }
    }

    /// The same for a write of one document outside the slot: a lost answer leaves it open.
    pub(crate) fn of_write(self) -> Self {
        match self {
            Self::Driver(error) if may_have_happened(&error) => Self::Unsure(error),
            other => other,
        }
    }

    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Driver(error) if is_transient(error))
    }

    pub(crate) fn into_backend(self, operation: &'static str) -> BackendError {
        BackendError::new(self.kind(), BACKEND, operation).with_source(self)
    }
}

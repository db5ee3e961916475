//! What can go wrong here, and what it is called outside.

use chat_core::error::{BackendError, BackendErrorKind};

/// Name of this backend in errors.
pub(crate) const BACKEND: &str = "postgres";

/// Why a store could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// This is no name for a schema.
    #[error("the schema needs a name of lower-case letters, digits and underscores, at most 63")]
    SchemaName,
    /// The connection string cannot be read.
    #[error("this is no connection string, as in postgres://user:password@host/database")]
    Url(#[source] sqlx::Error),
    /// The server is too old.
    #[error("the server is PostgreSQL {found}, this version needs {needed} or newer")]
    ServerOlder {
        /// Major version of the server.
        found: i64,
        /// Major version needed.
        needed: i64,
    },
    /// The database does not keep texts as UTF-8.
    #[error("the database has the encoding {found}, chats need UTF8")]
    Encoding {
        /// Its encoding.
        found: String,
    },
    /// The schema was written by a newer version of this crate.
    #[error(
        "the database has chat schema version {found}, this version knows up to {known}: use a newer version"
    )]
    SchemaNewer {
        /// Version of the database.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// There is no chat schema or an old one, and opening was told not to migrate.
    #[error("the database has chat schema version {found}, this version needs {known}: run the migration")]
    SchemaOlder {
        /// Version of the database; 0 when there is none.
        found: i64,
        /// Version needed.
        known: i64,
    },
    /// The chat schema of the database was not made by this crate.
    #[error("the chat schema of the database was not written by this crate (version {version} differs)")]
    SchemaForeign {
        /// The version that differs.
        version: i64,
    },
    /// The database could not be reached, read or written.
    #[error("the database cannot be used")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(_) => Self::Url(error),
            error => Self::Database(error),
        }
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the database refused or failed")]
    Database(#[from] sqlx::Error),
    #[error("a column does not hold what it should: {0}")]
    Decode(&'static str),
    #[error("a JSON column does not hold what it should")]
    Json(#[from] serde_json::Error),
    #[error("the row breaks a rule of the store: {0}")]
    Broken(&'static str),
    #[error("somebody else made the same conversation first")]
    Raced,
    #[error("the answer to the commit did not come")]
    Commit(#[source] Box<Error>),
    #[error("the call took longer than allowed")]
    Deadline,
    #[error("a decision panicked")]
    Panicked,
}

impl Error {
    fn state(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map(|code| code.into_owned()),
            _ => None,
        }
    }

    pub(crate) fn kind(&self) -> BackendErrorKind {
        match self {
            Self::Commit(_) => BackendErrorKind::OutcomeUnknown,
            Self::Deadline => BackendErrorKind::Unavailable,
            Self::Json(_) | Self::Decode(_) => BackendErrorKind::Corrupt,
            Self::Broken(_) | Self::Raced | Self::Panicked => BackendErrorKind::Other,
            Self::Database(sqlx::Error::Database(_)) => kind_of(&self.state().unwrap_or_default()),
            Self::Database(error) => match error {
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::Decode(_) => BackendErrorKind::Corrupt,
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::Io(_) => BackendErrorKind::Unavailable,
                _ => BackendErrorKind::Other,
            },
        }
    }

    /// Whether the same may succeed at once, with fresh facts: the server took it back because of others.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Raced) || matches!(self.state().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether one change of several is at fault, and not the server: the others may still be written.
    pub(crate) fn blames_a_change(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Raced | Self::Panicked => true,
            Self::Database(sqlx::Error::Encode(_)) => true,
            // Integrity, data, and limits of a program.
            _ => self
                .state()
                .is_some_and(|state| ["23", "22", "54"].iter().any(|class| state.starts_with(class))),
        }
    }

    /// Whether the connection is of no more use: it broke, or what it has prepared does not fit the tables any more.
    pub(crate) fn spoils_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(_)) => {
                let state = self.state().unwrap_or_default();
                state.starts_with("08") || state.starts_with("57P") || ["0A000", "26000"].contains(&&*state)
            }
            Self::Database(_) | Self::Commit(_) | Self::Deadline => true,
            _ => false,
        }
    }

    /// What a failed COMMIT means: an error of the server about the transaction itself says that it was taken back;
    /// after anything else nobody knows.
    pub(crate) fn of_commit(self) -> Self {
        let taken_back = self.state().is_some_and(|state| {
            ["40", "23", "53", "25"]
                .iter()
                .any(|class| state.starts_with(class))
        });
        if taken_back {
            self
        } else {
            Self::Commit(Box::new(self))
        }
    }

    pub(crate) fn into_backend(self, operation: &'static str) -> BackendError {
        BackendError::new(self.kind(), BACKEND, operation).with_source(self)
    }
}

/// By SQLSTATE.
fn kind_of(state: &str) -> BackendErrorKind {
    match state {
        // Disk full.
        "53100" => BackendErrorKind::Full,
        // Deadlock, serialisation; a lock or a statement took too long; a standby; a silent transaction was ended; I/O.
        "40001" | "40P01" | "55P03" | "57014" | "25006" | "25P03" | "58030" | "0A000" | "26000" => {
            BackendErrorKind::Unavailable
        }
        "XX001" | "XX002" => BackendErrorKind::Corrupt,
        // Connection, resources, authorization, intervention of an operator.
        _ if ["08", "53", "28", "57P"]
            .iter()
            .any(|class| state.starts_with(class)) =>
        {
            BackendErrorKind::Unavailable
        }
        _ => BackendErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_their_kinds() {
        for (state, kind) in [
            ("53100", BackendErrorKind::Full),
            ("53300", BackendErrorKind::Unavailable),
            ("40P01", BackendErrorKind::Unavailable),
            ("57P01", BackendErrorKind::Unavailable),
            ("08006", BackendErrorKind::Unavailable),
            ("25006", BackendErrorKind::Unavailable),
            ("XX001", BackendErrorKind::Corrupt),
            ("23505", BackendErrorKind::Other),
            ("42P01", BackendErrorKind::Other),
        ] {
            assert_eq!(kind_of(state), kind, "{state}");
        }
    }

    #[test]
    fn a_commit_without_an_answer_is_unknown() {
        let lost = Error::Database(sqlx::Error::Io(std::io::Error::other("gone")));
        assert_eq!(lost.kind(), BackendErrorKind::Unavailable);
        assert_eq!(lost.of_commit().kind(), BackendErrorKind::OutcomeUnknown);
    }
}

//! The store: opening, setting up, and one file per facet.

mod account;
mod archive;
mod attachment;
mod block;
mod commit;
mod conversation;
mod device;
mod edit;
mod eyes;
mod facts;
mod history;
mod inbox;
mod mention;
mod message;
mod moderation;
mod mute;
mod outbox;
mod personal;
mod purge;
mod receipt;
mod retention;
mod scheduled;
mod search;
mod star;
mod state;
mod sync;
mod tally;
mod user;
mod writes;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_core::error::BackendResult;
use chat_core::time::Clock;
use futures::future::BoxFuture;
use mongodb::Client;
use mongodb::bson::Document;
use mongodb::options::ClientOptions;

use crate::config::MongoConfig;
use crate::database::Database;
use crate::error::{Error, OpenError};
use crate::schema;
use crate::slot::{Planned, Slot};
use crate::writer::Writer;

/// How long a server is away before a call is given up.
const AWAY: Duration = Duration::from_secs(2);

/// A [`Store`](chat_core::store::Store), and an [`AccountStore`](chat_core::store::AccountStore), in a MongoDB
/// database.
///
/// Cloning is cheap and gives another handle to the same store.
#[derive(Clone)]
pub struct MongoStore {
    inner: Arc<Inner>,
    writer: Writer,
}

struct Inner {
    database: Arc<Database>,
    slot: Slot,
    batch: usize,
}

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MongoStats {
    /// Commits of this process.
    pub commits: u64,
    /// Commands sent for reading.
    pub reads: u64,
    /// Commands sent for writing.
    pub writes: u64,
}

impl MongoStore {
    /// Connects to the server of a `mongodb://` URL that names a database, with a client of the store's own that gives up
    /// on a server that is away after 2 s, unless the URL says otherwise; then opens a store there.
    ///
    /// # Errors
    /// [`OpenError`]: as for [`open`](Self::open), or the URL cannot be used.
    pub async fn connect(url: &str, config: MongoConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let mut options = ClientOptions::parse(url).await?;
        options.server_selection_timeout = options.server_selection_timeout.or(Some(AWAY));
        options.connect_timeout = options.connect_timeout.or(Some(AWAY));
        let name = options.default_database.clone().ok_or(OpenError::NoDatabase)?;
        let client = Client::with_options(options)?;
        Self::open(&client.database(&name), config, clock).await
    }

    /// Opens a store in the host's database; commits read the time from `clock`. The handle's own read and write
    /// concerns do not matter: the store reads from the primary and writes with majority and journal.
    ///
    /// # Errors
    /// [`OpenError`]: the server cannot be reached, or the data is newer or (with [`setup`](MongoConfig::setup) off)
    /// not current.
    pub async fn open(
        host: &mongodb::Database,
        config: MongoConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let database = Database::connect(host, &config, clock).await?;
        if config.setup {
            schema::setup(&database, &config.prefix).await?;
        }
        schema::check(&database).await?;
        let database = Arc::new(database);
        Ok(Self {
            inner: Arc::new(Inner {
                slot: Slot::new(Arc::clone(&database), config.patience),
                database,
                batch: config.batch_changes.max(1),
            }),
            writer: Writer::start(config.queued_writes),
        })
    }

    /// Makes the collections, indexes and the schema entry that are missing, for hosts that do it as a step of their
    /// own. Safe to call from several processes at once.
    ///
    /// # Errors
    /// [`OpenError`]: the server cannot be reached or refuses, or the data is newer.
    pub async fn setup(host: &mongodb::Database, config: &MongoConfig) -> Result<(), OpenError> {
        let clock = Arc::new(chat_core::time::SystemClock);
        let database = Database::connect(host, config, clock).await?;
        schema::setup(&database, &config.prefix).await
    }

    /// The commands that [`setup`](Self::setup) makes indexes with, for hosts that make them by other means.
    #[must_use]
    pub fn index_commands(config: &MongoConfig) -> Vec<Document> {
        schema::commands(&config.prefix)
    }

    /// Does and answers every queued write; later ones are refused as unavailable. The client stays the host's.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> MongoStats {
        let counters = &self.inner.database.counters;
        MongoStats {
            commits: counters.commits.load(Ordering::Relaxed),
            reads: counters.reads.load(Ordering::Relaxed),
            writes: counters.writes.load(Ordering::Relaxed),
        }
    }

    fn database(&self) -> &Arc<Database> {
        &self.inner.database
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.database.clock
    }

    /// The number of the newest commit. Whatever was answered is at or before it and there to be read.
    async fn settled(&self) -> Result<i64, Error> {
        self.inner.slot.settled().await
    }

    /// Plans and commits, whole or not at all, also when the caller stops waiting.
    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        plan: impl Fn(Arc<Database>, i64) -> BoxFuture<'static, Planned<T>> + Send + Sync + 'static,
    ) -> BackendResult<T> {
        let inner = Arc::clone(&self.inner);
        let write = async move {
            inner
                .slot
                .write(|number| plan(Arc::clone(&inner.database), number))
                .await
        };
        self.writer.run(operation, write).await
    }
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Server and names stay out: a store is printed into logs.
        f.debug_struct("MongoStore")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Names the operation in the error of a read.
trait Named<T> {
    fn named(self, operation: &'static str) -> BackendResult<T>;
}

impl<T> Named<T> for Result<T, Error> {
    fn named(self, operation: &'static str) -> BackendResult<T> {
        self.map_err(|error| error.into_backend(operation))
    }
}

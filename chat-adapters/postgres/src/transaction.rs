//! Transactions: their settings, their end, and trying again.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::PgPool;

use crate::config::PostgresConfig;
use crate::error::Error;
use crate::schema_name::{SchemaName, qualify};
use crate::session::{Session, Shared};
use crate::statement::{Cells, Statement};

/// Pauses between attempts: short, and not the same on every node.
const PAUSE: Duration = Duration::from_millis(5);

/// Every writing transaction has the shared lock of this class and of its schema. Nobody waits for it; it shows who
/// is writing.
pub(crate) const WRITERS: i32 = 0x6368_6174;

/// After a crash the numbers of changes go on above all that may have been given before it: ids that were given in its
/// last moments, and are in positions that clients have, may be given again.
const AFTER_A_CRASH: &str = "WITH first AS (INSERT INTO chat_running (id) SELECT 1 \
      WHERE NOT EXISTS (SELECT 1 FROM chat_running) ON CONFLICT DO NOTHING RETURNING id) \
    UPDATE chat_state SET shift = shift + 1048576 WHERE EXISTS (SELECT 1 FROM first)";

/// A number for a schema, the same on every node.
pub(crate) fn writers_of(schema: &SchemaName) -> i32 {
    // FNV-1a, without the sign.
    let hash = schema.as_str().bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    i32::try_from(hash >> 1).unwrap_or(0)
}

/// A transaction under way. Dropped without an end it takes its connection with it, and the server rolls it back.
pub(crate) struct Transaction(Session);

impl Deref for Transaction {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}

impl Transaction {
    async fn begin(mut session: Session, settings: &str) -> Result<Self, Error> {
        session.control(settings.to_owned()).await?;
        Ok(Self(session))
    }

    async fn commit(mut self) -> Result<(), Error> {
        match self.0.control("COMMIT".to_owned()).await {
            Ok(()) => {
                self.0.end();
                Ok(())
            }
            Err(error) => {
                let error = error.of_commit();
                if !error.spoils_connection() {
                    self.0.end();
                }
                Err(error)
            }
        }
    }

    /// Takes everything back; a connection that cannot even do that is closed.
    async fn roll_back(mut self) {
        if self.0.control("ROLLBACK".to_owned()).await.is_ok() {
            self.0.end();
        }
    }

    /// Marks a place to come back to.
    pub(crate) async fn mark(&mut self) -> Result<(), Error> {
        self.0.control("SAVEPOINT change".to_owned()).await
    }

    /// Keeps what was done since the mark.
    pub(crate) async fn keep(&mut self) -> Result<(), Error> {
        self.0.control("RELEASE SAVEPOINT change".to_owned()).await
    }

    /// Takes back what was done since the mark.
    pub(crate) async fn take_back(&mut self) -> Result<(), Error> {
        self.0
            .control("ROLLBACK TO SAVEPOINT change; RELEASE SAVEPOINT change".to_owned())
            .await
    }
}

/// The pool, and how it is used.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) pool: PgPool,
    pub(crate) shared: Arc<Shared>,
    writing: Arc<str>,
    reading: Arc<str>,
    deadline: Duration,
    attempts: u32,
}

impl Database {
    pub(crate) fn new(pool: PgPool, shared: Arc<Shared>, config: &PostgresConfig) -> Self {
        let limits = format!(
            "SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
            millis(config.statement_timeout),
            millis(config.idle_timeout),
        );
        Self {
            pool,
            shared,
            // Everything is local to the transaction: a pooler may hand the connection on after it. An answered write
            // is on disk, whatever the host has set for its own.
            writing: format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {limits}; SET LOCAL lock_timeout = {}; \
                 SELECT set_config('synchronous_commit', 'on', true) \
                 WHERE current_setting('synchronous_commit') = 'off'; \
                 SELECT pg_advisory_xact_lock_shared({WRITERS}, {}); {}",
                millis(config.lock_timeout),
                writers_of(&config.schema),
                qualify(AFTER_A_CRASH, &config.schema),
            )
            .into(),
            reading: format!("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; {limits}").into(),
            deadline: config.deadline,
            attempts: config.attempts.max(1),
        }
    }

    /// Does `work` in a transaction of its own and waits until it is durable. The work may be done again, from the
    /// beginning, when the server took it back because of others.
    ///
    /// The work happens whole or not at all, also when the caller stops waiting.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: for<'a> Fn(&'a mut Transaction) -> BoxFuture<'a, Result<T, Error>> + Send + Sync,
        T: Send,
    {
        let committing = AtomicBool::new(false);
        let attempts = async {
            let mut attempt = 1;
            loop {
                match self.attempt(&work, &committing).await {
                    Err(error) if error.is_transient() && attempt < self.attempts => {
                        self.shared.counters.retries.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(pause(attempt)).await;
                        attempt += 1;
                    }
                    done => return done,
                }
            }
        };
        match tokio::time::timeout(self.deadline, attempts).await {
            Ok(done) => done,
            Err(_) if committing.load(Ordering::Relaxed) => Err(Error::Commit(Box::new(Error::Deadline))),
            Err(_) => Err(Error::Deadline),
        }
    }

    async fn attempt<T, F>(&self, work: &F, committing: &AtomicBool) -> Result<T, Error>
    where
        F: for<'a> Fn(&'a mut Transaction) -> BoxFuture<'a, Result<T, Error>> + Send + Sync,
        T: Send,
    {
        committing.store(false, Ordering::Relaxed);
        let session = Session::writing(self.pool.acquire().await?, Arc::clone(&self.shared));
        let mut transaction = Transaction::begin(session, &self.writing).await?;
        match work(&mut transaction).await {
            Ok(value) => {
                committing.store(true, Ordering::Relaxed);
                transaction.commit().await?;
                self.shared.counters.transactions.fetch_add(1, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) if error.spoils_connection() => Err(error),
            Err(error) => {
                transaction.roll_back().await;
                Err(error)
            }
        }
    }

    /// Rows turned into values.
    pub(crate) async fn list<T>(
        &self,
        statement: Statement,
        read: impl Fn(&mut Cells<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let done = tokio::time::timeout(self.deadline, async {
            let connection = self.pool.acquire().await?;
            let mut session = Session::reading(connection, Arc::clone(&self.shared));
            // A statement that is prepared in one round trip and run in the next needs the same server connection
            // for both, which poolers give inside transactions only.
            let framed = !self.shared.prepared;
            if framed {
                session.control((*self.reading).to_owned()).await?;
            }
            let rows = session.all(statement).await;
            if framed && rows.is_ok() {
                session.control("COMMIT".to_owned()).await?;
            }
            match rows {
                Ok(rows) => {
                    session.end();
                    Ok(rows)
                }
                Err(error) => {
                    if !framed && !error.spoils_connection() {
                        session.end();
                    }
                    Err(error)
                }
            }
        });
        let rows = done.await.map_err(|_| Error::Deadline)??;
        rows.iter().map(|row| read(&mut Cells::new(row))).collect()
    }

    /// The only row, turned into a value.
    pub(crate) async fn find<T>(
        &self,
        statement: Statement,
        read: impl Fn(&mut Cells<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.list(statement, read).await?.into_iter().next())
    }
}

fn millis(duration: Duration) -> u128 {
    // 0 would mean no limit.
    duration.as_millis().clamp(1, 2_147_483_647)
}

/// Longer after each attempt, and spread: nodes that met once would meet again otherwise.
fn pause(attempt: u32) -> Duration {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed) ^ u64::from(std::process::id());
    let spread = Duration::from_micros(turn % 5_000);
    PAUSE * attempt + spread
}

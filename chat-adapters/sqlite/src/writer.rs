//! The writer: one task that owns the one connection that writes.
//!
//! SQLite has one writer at a time, so writers that wait for each other's locks only burn time and time out. Here
//! they wait in a queue instead, and whatever has gathered there while the last transaction was being made durable
//! goes into the next one together: one `fsync` for all of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chat_core::error::{BackendError, BackendResult};
use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::statement::{Counters, Session};
use crate::transaction::Transaction;

/// Work for the writer, from being queued to being answered.
trait Job: Send {
    /// How many numbers it may take from the counter of changes.
    fn changes(&self) -> u64;
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// Does the work and keeps the answer. An error ends the whole transaction.
    fn run<'a>(&'a mut self, transaction: &'a mut Transaction) -> BoxFuture<'a, Result<(), Error>>;
    /// Gives the answer, or the reason why the transaction did not happen.
    fn answer(self: Box<Self>, failure: Option<BackendError>);
}

struct Work<T, F> {
    operation: &'static str,
    changes: u64,
    work: Option<F>,
    result: Option<BackendResult<T>>,
    reply: oneshot::Sender<BackendResult<T>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: for<'a> FnOnce(&'a mut Transaction) -> BoxFuture<'a, Result<T, Error>> + Send,
{
    fn changes(&self) -> u64 {
        self.changes
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run<'a>(&'a mut self, transaction: &'a mut Transaction) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Ok(());
            };
            match work(transaction).await {
                Ok(value) => self.result = Some(Ok(value)),
                Err(error) if error.ends_transaction() => return Err(error),
                Err(error) => self.result = Some(Err(error.into_backend(self.operation))),
            }
            Ok(())
        })
    }

    fn answer(self: Box<Self>, failure: Option<BackendError>) {
        let answer = match failure {
            Some(failure) => Err(failure),
            None => self
                .result
                .unwrap_or_else(|| Err(Error::Lost.into_backend(self.operation))),
        };
        // The caller may have gone; his write stands or falls with the transaction all the same.
        drop(self.reply.send(answer));
    }
}

enum Order {
    Do(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer task. The task ends, with its queue worked off, when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Order>,
}

impl Writer {
    /// Starts the task.
    pub(crate) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        counters: Arc<Counters>,
        queued_writes: usize,
        batch_changes: usize,
    ) -> Self {
        let (queue, orders) = mpsc::channel(queued_writes.max(1));
        let task = Task {
            orders,
            options,
            counters: counters.clone(),
            transaction: Some(Transaction::new(Session::writing(connection, counters))),
            batch_changes: u64::try_from(batch_changes.max(1)).unwrap_or(u64::MAX),
        };
        tokio::spawn(task.run());
        Self { queue }
    }

    /// Has `work` done in the next transaction and waits until it is durable.
    ///
    /// The work happens whole or not at all, also when the caller stops waiting.
    pub(crate) async fn write<T, F>(&self, operation: &'static str, changes: u64, work: F) -> BackendResult<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Transaction) -> BoxFuture<'a, Result<T, Error>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Work {
            operation,
            changes,
            work: Some(work),
            result: None,
            reply,
        };
        self.queue
            .try_send(Order::Do(Box::new(job)))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::QueueFull.into_backend(operation),
                mpsc::error::TrySendError::Closed(_) => Error::Closed.into_backend(operation),
            })?;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Lost.into_backend(operation)),
        }
    }

    /// Like [`write`](Self::write), for work that is one step: what it wrote before it failed is taken back.
    pub(crate) async fn write_step<T, F>(&self, operation: &'static str, work: F) -> BackendResult<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Transaction) -> BoxFuture<'a, Result<T, Error>> + Send + 'static,
    {
        self.write(operation, 1, move |transaction| {
            Box::pin(async move {
                transaction.begin_step().await?;
                let done = work(&mut *transaction).await;
                transaction.end_step(done).await
            })
        })
        .await
    }

    /// Works the queue off, answers everybody and ends the task; later writes are refused.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Order::Close(done)).await.is_ok() {
            // The task drops the sender when it ends in another way; either way it has ended.
            drop(closed.await);
        }
    }
}

struct Task {
    orders: mpsc::Receiver<Order>,
    options: SqliteConnectOptions,
    counters: Arc<Counters>,
    /// The open connection; `None` after it was lost.
    transaction: Option<Transaction>,
    batch_changes: u64,
}

impl Task {
    async fn run(mut self) {
        let mut closing = Vec::new();
        while let Some(order) = self.orders.recv().await {
            let mut jobs = Vec::new();
            let mut changes = 0;
            let mut next = Some(order);
            while let Some(order) = next {
                match order {
                    Order::Close(done) => {
                        // What is queued already is still done; `recv` ends after that.
                        self.orders.close();
                        closing.push(done);
                    }
                    Order::Do(job) if job.is_abandoned() => {}
                    Order::Do(job) => {
                        changes += job.changes();
                        jobs.push(job);
                    }
                }
                next = if changes < self.batch_changes {
                    self.orders.try_recv().ok()
                } else {
                    None
                };
            }
            if !jobs.is_empty() {
                self.batch(jobs, changes).await;
            }
        }
        if let Some(transaction) = self.transaction.take() {
            // A clean close checkpoints the log into the file. Failing that, the next opening does it.
            if let Err(error) = transaction.into_connection().close().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the writer did not close cleanly"
                );
            }
        }
        for done in closing {
            let _ = done.send(());
        }
    }

    /// One transaction with all these jobs, then their answers.
    async fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>, changes: u64) {
        let failure = match self.transaction().await {
            Err(error) => Some(error.into_backend("connect")),
            Ok(transaction) => match work(transaction, &mut jobs, changes).await {
                Ok(()) => None,
                Err((failure, lost)) => {
                    if lost {
                        self.transaction = None;
                    }
                    Some(failure)
                }
            },
        };
        if let Some(failure) = &failure {
            tracing::warn!(
                error = failure as &dyn std::error::Error,
                writes = jobs.len(),
                "a transaction failed and was taken back"
            );
        }
        for job in jobs {
            job.answer(failure.clone());
        }
    }

    async fn transaction(&mut self) -> Result<&mut Transaction, Error> {
        if self.transaction.is_none() {
            let connection = self.options.connect().await?;
            let session = Session::writing(connection, self.counters.clone());
            self.transaction = Some(Transaction::new(session));
        }
        self.transaction.as_mut().ok_or(Error::Closed)
    }
}

/// Runs all jobs between BEGIN and COMMIT. The flag of a failure says whether the connection is unusable.
async fn work(
    transaction: &mut Transaction,
    jobs: &mut [Box<dyn Job>],
    changes: u64,
) -> Result<(), (BackendError, bool)> {
    let alone = jobs.len() == 1 && changes <= 1;
    let mut failure = transaction.begin(changes, alone).await.err();
    if failure.is_none() {
        for job in jobs {
            if let Err(error) = job.run(transaction).await {
                failure = Some(error);
                break;
            }
        }
    }
    let failure = match failure {
        Some(error) => {
            let lost = error.loses_connection();
            (error.into_backend("write"), lost)
        }
        None => match transaction.finish().await {
            Ok(()) => {
                let counters = transaction.counters();
                counters.transactions.fetch_add(1, Ordering::Relaxed);
                counters.changes.fetch_add(changes, Ordering::Relaxed);
                return Ok(());
            }
            Err(failure) => failure,
        },
    };
    let (failure, lost) = failure;
    let lost = lost || transaction.roll_back().await.is_err();
    Err((failure, lost))
}

//! The queue of writes of this process: one after the other, in the order they came, each to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_core::error::BackendResult;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// Hands writes to the task that does them. The task ends when the last handle is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<BoxFuture<'static, ()>>,
    closed: Arc<AtomicBool>,
}

impl Writer {
    /// A queue for so many writes. Must be called inside a Tokio runtime.
    pub(crate) fn start(queued: usize) -> Self {
        let (queue, mut waiting) = mpsc::channel::<BoxFuture<'static, ()>>(queued.max(1));
        tokio::spawn(async move {
            while let Some(write) = waiting.recv().await {
                write.await;
            }
        });
        Self {
            queue,
            closed: Arc::default(),
        }
    }

    /// Refuses what comes from now on, and waits until the rest is done.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let (last, done) = oneshot::channel::<()>();
        let end = async move { drop(last) };
        if self.queue.send(Box::pin(end)).await.is_ok() {
            // Dropped when its turn has come.
            drop(done.await);
        }
    }

    /// Does a write when its turn comes and gives its answer. Once its turn has come it is done to its end, also when
    /// nobody waits for it any more; before, it is skipped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        write: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> BackendResult<T> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Closed.into_backend(operation));
        }
        let (answer, answered) = oneshot::channel();
        let turn = async move {
            if answer.is_closed() {
                return;
            }
            // A panic is one write's own; the queue goes on.
            let done = AssertUnwindSafe(write).catch_unwind().await;
            // Nobody may be waiting any more.
            drop(answer.send(done.unwrap_or(Err(Error::Panicked))));
        };
        let queued = self.queue.try_send(Box::pin(turn)).map_err(|_| Error::QueueFull);
        queued.map_err(|error| error.into_backend(operation))?;
        let done = answered.await.unwrap_or(Err(Error::Lost));
        done.map_err(|error| error.into_backend(operation))
    }
}

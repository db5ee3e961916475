//! A stop that loses nothing: no new sessions, everything that was taken in is finished.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::ChatEngine;

/// Counts work that was taken in and is not finished: changes on their way to the store and events on their way out.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

impl InFlight {
    pub(crate) fn begin(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        if self.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.idle.notify_waiters();
        }
    }

    async fn wait_until_idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl ChatEngine {
    /// Stops gracefully: refuses new sessions, tells the present ones (`session_ending`, each with its own moment to
    /// come back, spread over `spread`), and waits until every change that was taken in is committed and its events
    /// are handed over, and the relays have let go of what they hold, at most `deadline`. Returns whether everything was finished.
    ///
    /// Commands that still come in (over HTTP, say) are carried out, so stop taking requests first.
    pub async fn drain(&self, spread: Duration, deadline: Duration) -> bool {
        self.inner().live.close(spread);
        let idle = self.inner().in_flight.wait_until_idle();
        let carried = self.inner().relays.stop();
        tokio::time::timeout(deadline, futures::future::join(idle, carried))
            .await
            .is_ok()
    }

    /// Whether the engine is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.inner().live.is_closing()
    }
}

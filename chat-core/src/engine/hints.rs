//! Hints on their way to the other nodes, off the road of events: a bus that hangs or panics holds up nobody here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::drain::InFlight;
use crate::port::{Bus, Hint};

/// Hints waiting for the bus. What has no room is dropped: the other nodes find it in the store.
const WAITING: usize = 4_096;
/// How long one hint may take. After that they have found it in the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes hints in; never waits.
#[derive(Debug)]
pub(crate) struct Hints {
    queue: mpsc::Sender<OnItsWay>,
}

/// A hint; it is in flight until this is dropped.
#[derive(Debug)]
struct OnItsWay {
    hint: Hint,
    in_flight: Arc<InFlight>,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.in_flight.end();
    }
}

impl Hints {
    /// Publishes until the last of those who hint is gone.
    pub(crate) fn start(bus: Arc<dyn Bus>) -> Self {
        let (queue, mut waiting) = mpsc::channel::<OnItsWay>(WAITING);
        tokio::spawn(async move {
            while let Some(next) = waiting.recv().await {
                let publishing = AssertUnwindSafe(bus.publish(next.hint.clone())).catch_unwind();
                match tokio::time::timeout(PATIENCE, publishing).await {
                    Ok(Ok(Ok(()))) => {}
                    Ok(Ok(Err(error))) => {
                        tracing::warn!(%error, "the other nodes could not be told; they look into the store by themselves");
                    }
                    Ok(Err(_)) => tracing::error!("telling the other nodes panicked"),
                    Err(_) => {
                        tracing::warn!(
                            "the bus does not answer; the other nodes look into the store by themselves"
                        );
                        // What waited behind it they have found by now, or soon will.
                        while waiting.try_recv().is_ok() {}
                    }
                }
            }
        });
        Self { queue }
    }

    pub(crate) fn send(&self, hint: Hint, in_flight: &Arc<InFlight>) {
        in_flight.begin();
        let next = OnItsWay {
            hint,
            in_flight: Arc::clone(in_flight),
        };
        if self.queue.try_send(next).is_err() {
            tracing::debug!("too many hints wait for the bus; one was dropped");
        }
    }
}

//! Tells the hooks how commands ended, beside the road of their answers.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::drain::InFlight;
use super::{ChatEngine, Inner};
use crate::error::ChatResult;
use crate::port::CommandContext;

/// Outcomes of one actor go through one lane, in order.
const LANES: usize = 8;
/// Outcomes waiting in one lane; more are dropped and counted.
const WAITING: usize = 1024;

/// How one command ended; in flight until this is dropped.
struct Outcome {
    context: CommandContext,
    outcome: ChatResult<()>,
    in_flight: Arc<InFlight>,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.in_flight.end();
    }
}

/// Takes outcomes in.
pub(crate) struct Outcomes {
    lanes: Vec<mpsc::Sender<Outcome>>,
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes")
            .field("lanes", &self.lanes.len())
            .finish()
    }
}

/// The other ends, until the engine stands.
pub(crate) struct OutcomeLanes {
    lanes: Vec<mpsc::Receiver<Outcome>>,
}

impl Outcomes {
    pub(crate) fn new() -> (Self, OutcomeLanes) {
        let (lanes, receivers) = (0..LANES).map(|_| mpsc::channel(WAITING)).unzip();
        (Self { lanes }, OutcomeLanes { lanes: receivers })
    }
}

impl OutcomeLanes {
    /// Runs until the engine is gone; without hooks there is nothing to run.
    pub(crate) fn start(self, inner: &Arc<Inner>) {
        if inner.hooks.is_empty() {
            return;
        }
        for mut lane in self.lanes {
            let hooks = inner.hooks.clone();
            let counters = Arc::clone(&inner.counters);
            let limit = inner.config.limits.command_deadline;
            tokio::spawn(async move {
                while let Some(ended) = lane.recv().await {
                    for hook in &hooks {
                        let outcome = ended.outcome.as_ref().map(|&()| ());
                        let call =
                            AssertUnwindSafe(hook.after_command(&ended.context, outcome)).catch_unwind();
                        let command = ended.context.command.as_str();
                        match timeout(limit, call).await {
                            Ok(Ok(())) => {}
                            Ok(Err(_)) => {
                                counters.hook_failed();
                                tracing::error!(command, "a hook panicked over an outcome");
                            }
                            Err(_) => {
                                counters.hook_failed();
                                tracing::error!(
                                    command,
                                    "a hook took too long over an outcome and was given up"
                                );
                            }
                        }
                    }
                }
            });
        }
    }
}

impl ChatEngine {
    /// Hands an outcome to the hooks. Never waits: neither answers nor other commands depend on a hook's pace.
    pub(crate) fn tell_outcome(&self, context: CommandContext, outcome: ChatResult<()>) {
        let inner = self.inner();
        let mut hasher = DefaultHasher::new();
        context.actor.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        let Some(lane) = inner.outcomes.lanes.get(lane) else {
            return;
        };
        inner.in_flight.begin();
        let ended = Outcome {
            context,
            outcome,
            in_flight: Arc::clone(&inner.in_flight),
        };
        if let Err(refused) = lane.try_send(ended) {
            inner.counters.command_outcome_dropped();
            let command = refused.into_inner().context.command.as_str();
            tracing::warn!(
                command,
                "too many outcomes wait for the hooks; this one is not told"
            );
        }
    }
}

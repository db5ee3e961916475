//! The one road to the store: every change of a conversation is queued, committed together with its neighbours, and
//! its events are handed on in commit order. None of it depends on the life of the task that asked.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::committed;
use super::dispatch::Publication;
use super::doubt::Doubt;
use super::tail::{Moved, MovedConversation};
use super::{ChatEngine, Inner};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::SessionId;
use crate::store::{Change, Facts, Needs, Writes};

/// How many changes go into one commit of the store at most.
const BATCH: usize = 128;
/// After so many times the deadline of a command a store that does not answer is given up. Stores have deadlines of
/// their own and are done long before; without an end here one that hangs would stop everything for good.
const GIVE_UP: u32 = 4;

/// What a decision comes to.
#[derive(Debug)]
pub(crate) struct Decision<T> {
    /// What the store writes.
    pub(crate) writes: Writes,
    /// What happened then, in order of rev.
    pub(crate) events: Vec<ChatEvent>,
    /// What the caller gets.
    pub(crate) answer: T,
}

impl<T> Decision<T> {
    /// Nothing changes.
    pub(crate) fn nothing(answer: T) -> Self {
        Self {
            writes: Writes::none(),
            events: Vec::new(),
            answer,
        }
    }
}

type Finish = Box<dyn FnOnce(ChatResult<()>) -> Option<Publication> + Send>;

struct Job {
    change: Change,
    finish: Finish,
}

/// Takes changes in.
#[derive(Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Job>,
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer")
            .field("free", &self.queue.capacity())
            .finish()
    }
}

/// The other end, until the engine stands.
pub(crate) struct Commits {
    queue: mpsc::Receiver<Job>,
}

impl Committer {
    pub(crate) fn new(capacity: usize) -> (Self, Commits) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self { queue: sender }, Commits { queue: receiver })
    }
}

impl Commits {
    /// Runs until the engine is gone; holds only its parts, so that dropping the last handle ends it.
    pub(crate) fn start(mut self, inner: &Arc<Inner>) {
        let store = Arc::clone(&inner.store);
        let dispatcher = inner.dispatcher.clone();
        let in_flight = Arc::clone(&inner.in_flight);
        let counters = Arc::clone(&inner.counters);
        let doubts = inner.doubts.clone();
        let patience = inner.config.limits.command_deadline * GIVE_UP;
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            while self.queue.recv_many(&mut jobs, BATCH).await > 0 {
                let (changes, finishes): (Vec<Change>, Vec<Finish>) =
                    jobs.drain(..).map(|job| (job.change, job.finish)).unzip();
                let committing = AssertUnwindSafe(store.commit(&changes)).catch_unwind();
                let results: Vec<ChatResult<()>> = match tokio::time::timeout(patience, committing).await {
                    Ok(Ok(Ok(results))) => results,
                    Ok(Ok(Err(error))) => {
                        tracing::warn!(%error, source = ?std::error::Error::source(&error), "a commit failed");
                        finishes.iter().map(|_| Err(error.clone().into())).collect()
                    }
                    // What it had done by then stands or not; only the store knows.
                    Ok(Err(_panic)) => {
                        tracing::error!("a commit panicked");
                        finishes.iter().map(|_| Err(unknown())).collect()
                    }
                    Err(_) => {
                        tracing::error!("a commit was given up, the store does not answer");
                        finishes.iter().map(|_| Err(unknown())).collect()
                    }
                };
                let mut results = results.into_iter();
                for (finish, change) in finishes.into_iter().zip(&changes) {
                    let result = results.next().unwrap_or_else(|| Err(unknown()));
                    counters.commit(result.is_ok());
                    if result
                        .as_ref()
                        .is_err_and(|error| error.code() == ErrorCode::OutcomeUnknown)
                    {
                        doubts.add(Doubt::about(&change.needs));
                    }
                    match finish(result) {
                        // Its events are in flight until their lane has handed them over.
                        Some(publication) => dispatcher.publish(publication, &in_flight),
                        None => in_flight.end(),
                    }
                }
            }
        });
    }
}

/// What writes move, and from where.
fn moved(writes: &Writes, facts: &Facts) -> Moved {
    let before = facts.conversation.as_ref();
    let conversation = writes.conversation.as_ref().map(|after| MovedConversation {
        id: after.id,
        before: before.map_or(0, |before| before.rev),
        after: after.rev,
        rested: before.map_or(Duration::MAX, |before| facts.now.since(before.changed_at)),
    });
    Moved {
        conversation,
        user_revs: writes.user_revs.clone(),
    }
}

fn unknown() -> ChatError {
    ChatError::new(
        ErrorCode::OutcomeUnknown,
        "the store did not answer; it may have happened",
    )
}

impl ChatEngine {
    /// Commits one change and returns the decision's answer once it is durable. Its events are published by the
    /// engine even when the caller is gone by then.
    ///
    /// # Errors
    /// The decision's refusal; `overloaded` when too much is queued; `outcome_unknown` past the deadline; what the
    /// store fails with.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        origin: Option<SessionId>,
        needs: Needs,
        decide: impl Fn(&Facts) -> ChatResult<Decision<T>> + Send + Sync + 'static,
    ) -> ChatResult<T> {
        let decided = Arc::new(Mutex::new(None));
        let change = {
            let decided = Arc::clone(&decided);
            let (relays, ids) = (Arc::clone(&self.inner().relays), Arc::clone(&self.inner().ids));
            Change::new(needs, move |facts| {
                let decision = decide(facts)?;
                let mut writes = decision.writes.clone();
                let moved = moved(&writes, facts);
                // With the change or not at all: what is to be carried out of the system survives like the change.
                writes
                    .outbox
                    .extend(relays.entries(&decision.events, facts, ids.as_ref()));
                *decided.lock().unwrap_or_else(PoisonError::into_inner) = Some((decision, moved));
                Ok(writes)
            })
        };
        let (answer, answered) = oneshot::channel();
        let relays = Arc::clone(&self.inner().relays);
        let finish: Finish = Box::new(move |result| {
            let decision = decided.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (reply, publication) = match (result, decision) {
                (Ok(()), Some((decision, moved))) => {
                    let changed = !decision.writes.is_empty();
                    if !decision.events.is_empty() {
                        relays.wake();
                    }
                    let publication = (!decision.events.is_empty()).then(|| {
                        Publication::committed(decision.writes.conversation, decision.events, origin, moved)
                    });
                    (Ok((decision.answer, changed)), publication)
                }
                (Ok(()), None) => (Err(ErrorCode::Internal.into()), None),
                (Err(error), _) => (Err(error), None),
            };
            // The caller may be gone; the events go out all the same.
            drop(answer.send(reply));
            publication
        });
        self.inner().in_flight.begin();
        self.inner()
            .committer
            .queue
            .try_send(Job { change, finish })
            .map_err(|_| {
                self.inner().in_flight.end();
                ChatError::new(ErrorCode::Overloaded, "too many changes are waiting")
                    .with_retry_after(Duration::from_secs(1))
            })?;
        match tokio::time::timeout(self.config().limits.command_deadline, answered).await {
            Ok(Ok(reply)) => reply.map(|(answer, changed)| {
                if changed {
                    committed::note();
                }
                answer
            }),
            Ok(Err(_)) => Err(ErrorCode::Internal.into()),
            Err(_) => Err(ChatError::new(
                ErrorCode::OutcomeUnknown,
                "the store did not answer in time; it may have happened",
            )),
        }
    }
}

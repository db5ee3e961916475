use std::collections::HashMap;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, select};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Carried, Carrier, Inner, Wired};
use crate::engine::ChatEngine;
use crate::error::BackendResult;
use crate::port::{RelayFailure, RelayPolicy};
use crate::store::{ClaimedEntry, OutboxEntry, Store};
use crate::time::Clock;

/// How long deliveries under way may take when the engine stops.
const GRACE: Duration = Duration::from_secs(5);
/// How often the entries that wait are counted.
const COUNTED: Duration = Duration::from_secs(30);
/// The longest pause a receiver may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(86_400);

/// Carries the entries of one relay. Holds only parts of the engine and ends with it.
pub(super) struct Worker {
    wired: Arc<Wired>,
    inner: Weak<Inner>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<bool>,
    /// Deliveries under way; each ends with its lease.
    calls: JoinSet<Uuid>,
    /// How many calls run under each lease.
    leases: HashMap<Uuid, usize>,
    counted_at: Option<Instant>,
}

impl Worker {
    pub(super) fn new(wired: &Arc<Wired>, inner: &Arc<Inner>, stop: watch::Receiver<bool>) -> Self {
        Self {
            wired: Arc::clone(wired),
            inner: Arc::downgrade(inner),
            store: Arc::clone(&inner.store),
            clock: Arc::clone(&inner.clock),
            stop,
            calls: JoinSet::new(),
            leases: HashMap::new(),
            counted_at: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            if *self.stop.borrow() || self.stop.has_changed().is_err() {
                return self.wind_up().await;
            }
            self.count().await;
            let more = self.claim().await;
            self.wait(more).await;
        }
    }

    /// Starts deliveries while there is room; whether there may be more that is due.
    async fn claim(&mut self) -> bool {
        let policy = &self.wired.policy;
        let free = policy.concurrency.saturating_sub(self.calls.len());
        if free == 0 {
            return false;
        }
        let lease = Uuid::new_v4();
        let claimed = self
            .store
            .claim_outbox(&self.wired.topic, free, lease, policy.lease);
        let claimed = match claimed.await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, topic = self.wired.topic, "entries could not be claimed; it is tried again");
                return false;
            }
        };
        let more = !claimed.is_empty();
        for claimed in claimed {
            *self.leases.entry(lease).or_default() += 1;
            let delivery = Delivery {
                wired: Arc::clone(&self.wired),
                inner: Weak::clone(&self.inner),
                store: Arc::clone(&self.store),
                clock: Arc::clone(&self.clock),
                lease,
            };
            self.calls.spawn(async move {
                delivery.carry(claimed).await;
                lease
            });
        }
        more
    }

    /// Until there is something to do: new entries, a delivery that ended, the time to look again, the end.
    async fn wait(&mut self, more: bool) {
        if more && self.calls.len() < self.wired.policy.concurrency {
            return;
        }
        let room = self.calls.len() < self.wired.policy.concurrency;
        let wired = Arc::clone(&self.wired);
        let news = async {
            if room {
                let _ = tokio::time::timeout(wired.policy.poll, wired.woken.notified()).await;
            } else {
                pending::<()>().await;
            }
        };
        let stop = &mut self.stop;
        let stopped = async {
            let _ = stop.changed().await;
        };
        let calls = &mut self.calls;
        let ended = async {
            match calls.join_next().await {
                Some(ended) => ended.ok(),
                None => pending().await,
            }
        };
        let ended = match select(pin!(ended), select(pin!(stopped), pin!(news))).await {
            Either::Left((ended, _)) => ended,
            Either::Right(_) => None,
        };
        if let Some(lease) = ended {
            self.ended(lease);
        }
    }

    fn ended(&mut self, lease: Uuid) {
        if let Some(calls) = self.leases.get_mut(&lease) {
            *calls -= 1;
            if *calls == 0 {
                self.leases.remove(&lease);
            }
        }
    }

    /// Lets deliveries under way end, for a moment; the entries of the others are free for the next worker at once.
    async fn wind_up(mut self) {
        let deadline = Instant::now() + GRACE;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.calls.join_next()).await {
            if let Ok(lease) = ended {
                self.ended(lease);
            }
        }
        self.calls.shutdown().await;
        for lease in self.leases.into_keys() {
            if let Err(error) = self.store.release_outbox(lease).await {
                tracing::warn!(%error, topic = self.wired.topic, "a lease could not be released; it ends by itself");
            }
        }
    }

    /// Keeps the number of waiting entries for the metrics.
    async fn count(&mut self) {
        if self.counted_at.is_some_and(|at| at.elapsed() < COUNTED) {
            return;
        }
        self.counted_at = Some(Instant::now());
        match self.store.outbox_backlog(&self.wired.topic).await {
            Ok(backlog) => self.wired.waiting.store(backlog.entries, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(%error, topic = self.wired.topic, "waiting entries could not be counted");
            }
        }
    }
}

/// One attempt to deliver one entry.
struct Delivery {
    wired: Arc<Wired>,
    inner: Weak<Inner>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    lease: Uuid,
}

impl Delivery {
    async fn carry(self, claimed: ClaimedEntry) {
        let call = AssertUnwindSafe(self.attempt(&claimed)).catch_unwind();
        let ClaimedEntry { entry, attempts } = &claimed;
        let again = |reason: &str| Carried::Again {
            reason: reason.to_owned(),
            after: None,
            tried: *attempts,
        };
        let outcome = match tokio::time::timeout(self.wired.policy.timeout, call).await {
            Ok(Ok(Some(outcome))) => outcome,
            // The engine has ended; the entry comes again when its lease ends.
            Ok(Ok(None)) => return,
            Ok(Err(_panic)) => again("it panicked"),
            Err(_) => again("it took too long"),
        };
        let noted = match outcome {
            Carried::Done => {
                self.wired.delivered.fetch_add(1, Ordering::Relaxed);
                self.finish(entry).await
            }
            Carried::Further { rest, added } => {
                if rest.is_none() {
                    self.wired.delivered.fetch_add(1, Ordering::Relaxed);
                }
                let rest = rest.as_deref();
                self.store
                    .advance_outbox(entry.id, self.lease, rest, &added)
                    .await
            }
            Carried::Refused { reason } => {
                self.wired.given_up_refused.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    topic = entry.topic, id = %entry.id, key = entry.key, attempts, reason,
                    "an entry was refused for good and is given up"
                );
                self.finish(entry).await
            }
            Carried::Again { reason, after, tried } => self.retry(entry, tried, &reason, after).await,
        };
        match noted {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                topic = entry.topic, id = %entry.id,
                "a lease ended before its delivery did; the entry may be delivered twice"
            ),
            Err(error) => tracing::warn!(
                %error, topic = entry.topic, id = %entry.id,
                "what became of an entry could not be noted; it comes again when its lease ends"
            ),
        }
    }

    /// `None` when there is no engine any more.
    async fn attempt(&self, claimed: &ClaimedEntry) -> Option<Carried> {
        match &self.wired.carrier {
            Carrier::Relay(relay) => Some(match relay.deliver(&claimed.entry).await {
                Ok(()) => Carried::Done,
                Err(RelayFailure::Refused { reason }) => Carried::Refused { reason },
                Err(RelayFailure::Retry { reason, after }) => Carried::Again {
                    reason,
                    after,
                    tried: claimed.attempts,
                },
            }),
            Carrier::Push => {
                let inner = self.inner.upgrade()?;
                Some(ChatEngine { inner }.carry_push(claimed).await)
            }
        }
    }

    async fn finish(&self, entry: &OutboxEntry) -> BackendResult<bool> {
        self.store.finish_outbox(entry.id, self.lease).await
    }

    async fn retry(
        &self,
        entry: &OutboxEntry,
        attempts: u32,
        reason: &str,
        after: Option<Duration>,
    ) -> BackendResult<bool> {
        let policy = &self.wired.policy;
        if entry.created_at.after(policy.max_age) <= self.clock.now() {
            self.wired.given_up_too_old.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                topic = entry.topic, id = %entry.id, key = entry.key, attempts, reason,
                "an entry is too old to be tried again and is given up"
            );
            return self.finish(entry).await;
        }
        self.wired.retried.fetch_add(1, Ordering::Relaxed);
        let pause = pause_after(policy, attempts, after);
        tracing::warn!(
            topic = entry.topic, id = %entry.id, key = entry.key, attempts, reason, ?pause,
            "an entry was not delivered; it is tried again"
        );
        self.store.retry_outbox(entry.id, self.lease, pause).await
    }
}

/// How long to wait after a failure: twice as long after each, less up to a half, and never less than asked for.
fn pause(policy: &RelayPolicy, attempts: u32, wish: Option<Duration>, chance: u32) -> Duration {
    let doubled = policy
        .first_retry
        .saturating_mul(2_u32.saturating_pow(attempts))
        .min(policy.longest_retry);
    let pause = doubled - (doubled / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX));
    pause.max(wish.unwrap_or_default().min(LONGEST_WISH))
}

/// A pause as it is made.
pub(crate) fn pause_after(policy: &RelayPolicy, attempts: u32, wish: Option<Duration>) -> Duration {
    pause(policy, attempts, wish, chance())
}

fn chance() -> u32 {
    u32::try_from(Uuid::new_v4().as_u128() & u128::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_their_bounds() {
        let policy = RelayPolicy::default();
        let seconds = |attempts, wish, chance| pause(&policy, attempts, wish, chance).as_secs();
        assert_eq!(seconds(0, None, 0), 5);
        assert_eq!(seconds(3, None, 0), 40);
        assert_eq!(seconds(3, None, u32::MAX), 20);
        assert_eq!(seconds(99, None, 0), 3_600);
        assert_eq!(seconds(99, None, u32::MAX), 1_800);
        assert_eq!(seconds(0, Some(Duration::from_secs(120)), 0), 120);
        assert_eq!(seconds(5, Some(Duration::from_secs(1)), 0), 160);
        assert_eq!(seconds(0, Some(Duration::MAX), 0), 86_400);
    }
}

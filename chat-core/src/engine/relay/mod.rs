//! Carries events out of the system: entries are written with the change that caused them, and workers bring them to
//! the host's [`Relay`]s.

mod payload;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) use worker::pause_after;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{Inner, push};
use crate::event::ChatEvent;
use crate::id::IdGenerator;
use crate::port::{Relay, RelayPolicy};
use crate::store::{Facts, OutboxEntry};

/// What became of the entries of one relay since the engine was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayStats {
    /// Its topic.
    pub topic: String,
    /// Entries delivered by this node.
    pub delivered: u64,
    /// Attempts that failed and are repeated.
    pub retried: u64,
    /// Entries given up because they were too old.
    pub given_up_too_old: u64,
    /// Entries given up because the receiver refused them for good.
    pub given_up_refused: u64,
    /// Entries that waited when it was last looked, at most a minute ago.
    pub waiting: u64,
}

/// What became of an attempt at an entry.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Nothing is left of it.
    Done,
    /// Part of it is done: `rest` is what is left, and `added` comes in the place of the others.
    Further {
        rest: Option<String>,
        added: Vec<OutboxEntry>,
    },
    /// It is tried again, after a pause that follows from how often it was tried before.
    Again {
        reason: String,
        after: Option<Duration>,
        tried: u32,
    },
    /// It is given up.
    Refused { reason: String },
}

/// Who carries entries of a topic.
enum Carrier {
    /// The host.
    Relay(Arc<dyn Relay>),
    /// The engine, to devices.
    Push,
}

/// A relay with what its worker and the commits share.
pub(crate) struct Wired {
    carrier: Carrier,
    topic: String,
    policy: RelayPolicy,
    /// Told when entries were written here.
    woken: Notify,
    delivered: AtomicU64,
    retried: AtomicU64,
    given_up_too_old: AtomicU64,
    given_up_refused: AtomicU64,
    waiting: AtomicU64,
}

impl Wired {
    /// Whether it wants every event of this kind as it is.
    fn wants(&self, event: &ChatEvent) -> bool {
        match &self.carrier {
            Carrier::Relay(relay) => relay.wants(event),
            Carrier::Push => false,
        }
    }
}

/// All relays of the engine.
pub(crate) struct Relays {
    wired: Vec<Arc<Wired>>,
    /// Tells the workers to stop; its end does too.
    stop: watch::Sender<bool>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Relays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = self.wired.iter().map(|wired| &wired.topic);
        f.debug_list().entries(topics).finish()
    }
}

impl Relays {
    pub(crate) fn new(relays: Vec<Arc<dyn Relay>>, pushes: bool) -> Self {
        let hosts = relays.into_iter().map(|relay| {
            let (topic, policy) = (relay.topic().to_owned(), relay.policy());
            (Carrier::Relay(relay), topic, policy)
        });
        let push = pushes.then(|| (Carrier::Push, push::TOPIC.to_owned(), push::policy()));
        let wired = hosts.chain(push).map(|(carrier, topic, mut policy)| {
            policy.concurrency = policy.concurrency.max(1);
            policy.lease = policy.lease.max(policy.timeout * 2);
            Arc::new(Wired {
                topic,
                policy,
                carrier,
                woken: Notify::new(),
                delivered: AtomicU64::new(0),
                retried: AtomicU64::new(0),
                given_up_too_old: AtomicU64::new(0),
                given_up_refused: AtomicU64::new(0),
                waiting: AtomicU64::new(0),
            })
        });
        Self {
            wired: wired.collect(),
            stop: watch::channel(false).0,
            workers: Mutex::default(),
        }
    }

    /// One entry for each event and relay that wants it.
    pub(crate) fn entries(
        &self,
        events: &[ChatEvent],
        facts: &Facts,
        ids: &dyn IdGenerator,
    ) -> Vec<OutboxEntry> {
        let now = facts.now;
        let mut entries = Vec::new();
        for event in events {
            let Some(conversation) = event.conversation_id() else {
                continue;
            };
            let mut body = None;
            for wired in self.wired.iter().filter(|wired| wired.wants(event)) {
                let body = body.get_or_insert_with(|| payload::body(event, now));
                if let Some(payload) = body {
                    entries.push(OutboxEntry {
                        id: ids.next(),
                        topic: wired.topic.clone(),
                        key: conversation.to_string(),
                        payload: payload.clone(),
                        created_at: now,
                    });
                }
            }
        }
        if self
            .wired
            .iter()
            .any(|wired| matches!(wired.carrier, Carrier::Push))
        {
            entries.extend(push::entries(events, facts, now, ids));
        }
        entries
    }

    /// Entries were written.
    pub(crate) fn wake(&self) {
        for wired in &self.wired {
            wired.woken.notify_one();
        }
    }

    pub(crate) fn start(&self, inner: &Arc<Inner>) {
        let workers = self.wired.iter().map(|wired| {
            let worker = worker::Worker::new(wired, inner, self.stop.subscribe());
            tokio::spawn(worker.run())
        });
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(workers);
    }

    /// Stops the workers: nothing new is started, what runs may end for a moment, the rest is given back.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if worker.await.is_err() {
                tracing::error!("the worker of a relay panicked");
            }
        }
    }

    pub(crate) fn stats(&self) -> Vec<RelayStats> {
        let stats = self.wired.iter().map(|wired| RelayStats {
            topic: wired.topic.clone(),
            delivered: wired.delivered.load(Ordering::Relaxed),
            retried: wired.retried.load(Ordering::Relaxed),
            given_up_too_old: wired.given_up_too_old.load(Ordering::Relaxed),
            given_up_refused: wired.given_up_refused.load(Ordering::Relaxed),
            waiting: wired.waiting.load(Ordering::Relaxed),
        });
        stats.collect()
    }
}

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engineioxide::Socket;
use socketioxide_core::parser::ParserState;
use tokio::sync::mpsc;

use super::service::Event;

/// One client in the transport.
pub(crate) type Client = Arc<Socket<Connection>>;

/// An event of the client, in arrival order.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) event: Event,
    /// Where the answer goes.
    pub(crate) ack: Option<i64>,
}

/// How far a connection has come in a namespace; it begins without a phase.
enum Phase {
    /// It is being looked at who comes.
    Connecting,
    /// It has a session, which takes events here.
    Live(mpsc::Sender<Inbound>),
    /// It takes no more events.
    Leaving,
}

/// What is kept per connection.
#[derive(Default)]
pub struct Connection {
    pub(crate) parser: ParserState,
    phases: Mutex<HashMap<String, Phase>>,
    waiting_bytes: AtomicUsize,
    refusals: AtomicUsize,
    sessions: AtomicUsize,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection(…)")
    }
}

/// What became of an event that was put into the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// It will be worked off.
    Yes,
    /// There is no room; the answer would go there.
    Full(Option<i64>),
    /// The session takes no more.
    Leaving,
    /// There is no session yet.
    NoSession,
}

impl Connection {
    fn phases(&self) -> MutexGuard<'_, HashMap<String, Phase>> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to come in; `false` when that goes on already or is done, as for a second `CONNECT`.
    pub(crate) fn begin(&self, namespace: &str) -> bool {
        let mut phases = self.phases();
        let is_new = !phases.contains_key(namespace);
        if is_new {
            phases.insert(namespace.to_owned(), Phase::Connecting);
        }
        is_new
    }

    /// It was refused and may try again; returns how often it was.
    pub(crate) fn refused(&self, namespace: &str) -> usize {
        self.phases().remove(namespace);
        self.refusals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// It has a session; `false` when it has gone meanwhile.
    pub(crate) fn live(&self, namespace: &str, events: mpsc::Sender<Inbound>) -> bool {
        let mut phases = self.phases();
        let Some(phase @ Phase::Connecting) = phases.get_mut(namespace) else {
            return false;
        };
        *phase = Phase::Live(events);
        self.sessions.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// No more events in a namespace; those that wait are worked off. `false` when it is not there at all.
    pub(crate) fn leave(&self, namespace: &str) -> bool {
        let mut phases = self.phases();
        let phase = phases.get_mut(namespace);
        let is_there = phase.is_some();
        if let Some(phase) = phase {
            *phase = Phase::Leaving;
        }
        is_there
    }

    /// No more events at all; those that wait are worked off.
    pub(crate) fn leave_all(&self) {
        for phase in self.phases().values_mut() {
            *phase = Phase::Leaving;
        }
    }

    /// All of a namespace is over; it may come in again.
    pub(crate) fn left(&self, namespace: &str) {
        self.phases().remove(namespace);
    }

    /// Whether it is in no namespace, and not about to be.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.phases().is_empty()
    }

    /// Whether it is being looked at who comes.
    pub(crate) fn is_connecting(&self) -> bool {
        self.phases()
            .values()
            .any(|phase| matches!(phase, Phase::Connecting))
    }

    /// How many sessions it has had.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Acquire)
    }

    /// Puts an event behind those that wait.
    pub(crate) fn enqueue(&self, namespace: &str, inbound: Inbound, max_bytes: usize) -> Queued {
        let phases = self.phases();
        let events = match phases.get(namespace) {
            Some(Phase::Live(events)) => events,
            Some(Phase::Leaving) => return Queued::Leaving,
            Some(Phase::Connecting) | None => return Queued::NoSession,
        };
        let (bytes, ack) = (inbound.event.arguments.bytes(), inbound.ack);
        if self.waiting_bytes.load(Ordering::Acquire) + bytes > max_bytes {
            return Queued::Full(ack);
        }
        self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        match events.try_send(inbound) {
            Ok(()) => Queued::Yes,
            Err(error) => {
                self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
                match error {
                    mpsc::error::TrySendError::Full(_) => Queued::Full(ack),
                    mpsc::error::TrySendError::Closed(_) => Queued::Leaving,
                }
            }
        }
    }

    /// An event has left the queue.
    pub(crate) fn dequeued(&self, inbound: &Inbound) {
        self.waiting_bytes
            .fetch_sub(inbound.event.arguments.bytes(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::Arguments;
    use super::*;

    fn inbound(text: &str) -> Inbound {
        Inbound {
            event: Event {
                arguments: Arguments::text(text.to_owned()),
                wants_answer: true,
            },
            ack: Some(1),
        }
    }

    #[test]
    fn the_queue_is_bounded_in_count_and_bytes() {
        let connection = Connection::default();
        assert_eq!(connection.enqueue("/", inbound("[]"), 100), Queued::NoSession);
        let (events, mut waiting) = mpsc::channel(2);
        assert!(connection.begin("/") && connection.live("/", events));
        assert_eq!(connection.enqueue("/", inbound("12345678"), 10), Queued::Yes);
        assert_eq!(
            connection.enqueue("/", inbound("123"), 10),
            Queued::Full(Some(1)),
            "bytes"
        );
        let mut binary = inbound("1");
        binary.event.arguments.binary = vec![vec![0; 2].into()];
        assert_eq!(
            connection.enqueue("/", binary, 10),
            Queued::Full(Some(1)),
            "binary data counts"
        );
        assert_eq!(connection.enqueue("/", inbound("12"), 10), Queued::Yes);
        assert_eq!(
            connection.enqueue("/", inbound(""), 10),
            Queued::Full(Some(1)),
            "count"
        );
        connection.dequeued(&waiting.try_recv().unwrap());
        assert_eq!(connection.enqueue("/", inbound("12345678"), 10), Queued::Yes);
        connection.leave_all();
        assert_eq!(connection.enqueue("/", inbound("1"), 10), Queued::Leaving);
    }

    #[test]
    fn a_second_connect_is_ignored_and_a_refused_one_may_be_repeated() {
        let connection = Connection::default();
        assert!(connection.begin("/"));
        assert!(!connection.begin("/"));
        assert_eq!(connection.refused("/"), 1);
        assert!(connection.is_nowhere());
        assert!(connection.begin("/"));
        assert!(connection.leave("/"));
        assert!(!connection.live("/", mpsc::channel(1).0), "gone meanwhile");
        connection.left("/");
        assert!(connection.begin("/"), "and may come again");
    }

    #[test]
    fn namespaces_do_not_touch_each_other() {
        let connection = Connection::default();
        let (events, _waiting) = mpsc::channel(2);
        assert!(connection.begin("/") && connection.live("/", events));
        assert_eq!(connection.enqueue("/b", inbound("1"), 10), Queued::NoSession);
        assert!(connection.begin("/b"));
        assert!(connection.leave("/b") && !connection.leave("/c"));
        assert_eq!(connection.enqueue("/", inbound("1"), 10), Queued::Yes);
        connection.left("/b");
        assert!(!connection.is_nowhere());
    }
}

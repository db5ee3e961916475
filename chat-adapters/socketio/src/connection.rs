use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engineioxide::{Socket, Str};
use socketioxide_core::parser::ParserState;
use tokio::sync::mpsc;

/// One client in the transport.
pub(crate) type Client = Arc<Socket<Connection>>;

/// An event of the client, in arrival order.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// `["name", args…]` as it came.
    pub(crate) text: Str,
    /// Whether attachments came with it; they are not kept.
    pub(crate) binary: bool,
    /// Where the answer goes.
    pub(crate) ack: Option<i64>,
}

/// How far a connection has come.
#[derive(Default)]
enum Phase {
    /// It has to say who it is.
    #[default]
    Waiting,
    /// That is being looked at.
    Authenticating,
    /// It has a session, which takes commands here.
    Live(mpsc::Sender<Inbound>),
    /// It takes no more commands.
    Closed,
}

/// What the gateway keeps per connection.
#[derive(Default)]
pub(crate) struct Connection {
    pub(crate) parser: ParserState,
    phase: Mutex<Phase>,
    waiting_bytes: AtomicUsize,
    refusals: AtomicUsize,
    authenticated: AtomicBool,
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
    /// There is no session to carry it out.
    NoSession,
}

impl Connection {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to authenticate; `false` when that goes on already or is over, as for a second `CONNECT`.
    pub(crate) fn begin(&self) -> bool {
        let mut phase = self.phase();
        let waits = matches!(*phase, Phase::Waiting);
        if waits {
            *phase = Phase::Authenticating;
        }
        waits
    }

    /// It was refused and may try again; returns how often it was.
    pub(crate) fn refused(&self) -> usize {
        let mut phase = self.phase();
        if matches!(*phase, Phase::Authenticating) {
            *phase = Phase::Waiting;
        }
        self.refusals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// It has a session; `false` when it has gone meanwhile.
    pub(crate) fn live(&self, commands: mpsc::Sender<Inbound>) -> bool {
        let mut phase = self.phase();
        let still_there = matches!(*phase, Phase::Authenticating);
        if still_there {
            *phase = Phase::Live(commands);
        }
        still_there
    }

    /// No more commands; those that wait are worked off.
    pub(crate) fn close(&self) {
        *self.phase() = Phase::Closed;
    }

    /// Whether nobody has even started to authenticate.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(*self.phase(), Phase::Waiting)
    }

    /// Whether that has started and is not decided.
    pub(crate) fn is_authenticating(&self) -> bool {
        matches!(*self.phase(), Phase::Authenticating)
    }

    /// Counts it as authenticated, or gone; `true` the first time.
    pub(crate) fn leave_waiting(&self) -> bool {
        !self.authenticated.swap(true, Ordering::AcqRel)
    }

    /// Puts an event behind those that wait.
    pub(crate) fn enqueue(&self, inbound: Inbound, max_bytes: usize) -> Queued {
        let phase = self.phase();
        let Phase::Live(commands) = &*phase else {
            return Queued::NoSession;
        };
        let (bytes, ack) = (inbound.text.len(), inbound.ack);
        if self.waiting_bytes.load(Ordering::Acquire) + bytes > max_bytes {
            return Queued::Full(ack);
        }
        self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        match commands.try_send(inbound) {
            Ok(()) => Queued::Yes,
            Err(error) => {
                self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
                match error {
                    mpsc::error::TrySendError::Full(_) => Queued::Full(ack),
                    mpsc::error::TrySendError::Closed(_) => Queued::NoSession,
                }
            }
        }
    }

    /// An event has left the queue.
    pub(crate) fn dequeued(&self, inbound: &Inbound) {
        self.waiting_bytes.fetch_sub(inbound.text.len(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(text: &'static str) -> Inbound {
        Inbound {
            text: Str::from(text),
            binary: false,
            ack: Some(1),
        }
    }

    #[test]
    fn the_queue_is_bounded_in_count_and_bytes() {
        let connection = Connection::default();
        assert_eq!(connection.enqueue(inbound("[]"), 100), Queued::NoSession);
        let (commands, mut waiting) = mpsc::channel(2);
        assert!(connection.begin() && connection.live(commands));
        assert_eq!(connection.enqueue(inbound("12345678"), 10), Queued::Yes);
        assert_eq!(
            connection.enqueue(inbound("123"), 10),
            Queued::Full(Some(1)),
            "bytes"
        );
        assert_eq!(connection.enqueue(inbound("12"), 10), Queued::Yes);
        assert_eq!(
            connection.enqueue(inbound(""), 10),
            Queued::Full(Some(1)),
            "count"
        );
        connection.dequeued(&waiting.try_recv().unwrap());
        assert_eq!(connection.enqueue(inbound("12345678"), 10), Queued::Yes);
        connection.close();
        assert_eq!(connection.enqueue(inbound("1"), 10), Queued::NoSession);
    }

    #[test]
    fn a_second_connect_is_ignored_and_a_refused_one_may_be_repeated() {
        let connection = Connection::default();
        assert!(connection.begin());
        assert!(!connection.begin());
        assert_eq!(connection.refused(), 1);
        assert!(connection.begin());
        connection.close();
        assert!(!connection.live(mpsc::channel(1).0), "gone meanwhile");
    }
}

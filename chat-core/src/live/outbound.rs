//! The bounded queue of events that wait for one connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::port::WireEvent;

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its credential is over.
    TokenExpired,
    /// Its login or its user was revoked.
    Revoked,
    /// The server stops.
    ServerRestart,
    /// Its queue was full.
    Lagged,
    /// The client went.
    ClientGone,
}

impl EndReason {
    /// The `reason` of `session_ending`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token_expired",
            Self::Revoked => "revoked",
            Self::ServerRestart => "server_restart",
            Self::Lagged => "lagged",
            Self::ClientGone => "client_gone",
        }
    }
}

/// What a gateway gets to write.
#[derive(Debug, Clone)]
pub enum OutboundItem {
    /// An event.
    Event(WireEvent),
    /// The end: write `session_ending` (unless the client is gone) and close.
    End {
        /// Why.
        reason: EndReason,
        /// When to come back, for a restart.
        reconnect_after: Option<Duration>,
    },
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<WireEvent>,
    bytes: usize,
    end: Option<(EndReason, Option<Duration>)>,
    end_taken: bool,
}

/// Shared between the registry, which pushes, and the gateway, which pops.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    max_events: usize,
    max_bytes: usize,
}

impl Queue {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            max_events,
            max_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an event. `false` when there is no room: then what waits is dropped and the queue ends with `lagged`,
    /// so the client hears of the loss.
    pub(crate) fn push(&self, event: &WireEvent) -> bool {
        let mut state = self.lock();
        if state.end.is_some() {
            return true;
        }
        let bytes = state.bytes + event.bytes();
        if state.waiting.len() >= self.max_events || bytes > self.max_bytes {
            state.waiting.clear();
            state.bytes = 0;
            state.end = Some((EndReason::Lagged, None));
            drop(state);
            self.changed.notify_one();
            return false;
        }
        state.bytes = bytes;
        state.waiting.push_back(event.clone());
        drop(state);
        self.changed.notify_one();
        true
    }

    /// Ends the queue after what waits already; the first reason stays.
    pub(crate) fn end(&self, reason: EndReason, reconnect_after: Option<Duration>) {
        let mut state = self.lock();
        state.end.get_or_insert((reason, reconnect_after));
        drop(state);
        self.changed.notify_one();
    }

    /// How many events wait, and their bytes.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting.len(), state.bytes)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    fn pop(&self) -> Option<Option<OutboundItem>> {
        let mut state = self.lock();
        if let Some(event) = state.waiting.pop_front() {
            state.bytes = state.bytes.saturating_sub(event.bytes());
            return Some(Some(OutboundItem::Event(event)));
        }
        let (reason, reconnect_after) = state.end?;
        if std::mem::replace(&mut state.end_taken, true) {
            return Some(None);
        }
        Some(Some(OutboundItem::End {
            reason,
            reconnect_after,
        }))
    }
}

/// The outbound half of a session: what its gateway writes to the socket, in order.
#[derive(Debug)]
pub struct Outbound {
    queue: Arc<Queue>,
}

impl Outbound {
    pub(crate) const fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The next item; after [`OutboundItem::End`] there is none. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<OutboundItem> {
        loop {
            // Taken before looking, so that a push between looking and waiting is not missed.
            let changed = self.queue.changed.notified();
            if let Some(item) = self.queue.pop() {
                return item;
            }
            changed.await;
        }
    }

    /// The next item when one waits already.
    pub fn try_next(&mut self) -> Option<OutboundItem> {
        self.queue.pop().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> WireEvent {
        let payload = serde_json::value::to_raw_value(text).unwrap();
        WireEvent {
            name: "e",
            payload: Arc::from(payload),
        }
    }

    #[tokio::test]
    async fn a_full_queue_tells_the_client_and_ends() {
        let queue = Arc::new(Queue::new(2, 1000));
        let mut out = Outbound::new(Arc::clone(&queue));
        assert!(queue.push(&event("1")));
        assert!(queue.push(&event("2")));
        assert_eq!(queue.waiting(), (2, 2 * event("1").bytes()));
        assert!(!queue.push(&event("3")));
        assert_eq!(
            queue.waiting(),
            (0, 0),
            "nothing is kept for who has to start over"
        );
        assert!(matches!(
            out.next().await,
            Some(OutboundItem::End {
                reason: EndReason::Lagged,
                ..
            })
        ));
        assert!(out.next().await.is_none());
    }

    #[tokio::test]
    async fn bytes_are_bounded_too() {
        let queue = Queue::new(100, 30);
        assert!(queue.push(&event("0123456789")));
        assert!(!queue.push(&event("0123456789012345678901234567890")));
    }

    #[tokio::test]
    async fn what_waits_comes_before_the_end() {
        let queue = Arc::new(Queue::new(10, 1000));
        let mut out = Outbound::new(Arc::clone(&queue));
        queue.push(&event("1"));
        queue.end(EndReason::Revoked, None);
        assert!(matches!(out.next().await, Some(OutboundItem::Event(_))));
        assert!(matches!(
            out.next().await,
            Some(OutboundItem::End {
                reason: EndReason::Revoked,
                ..
            })
        ));
    }
}

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::value::RawValue;

use crate::id::{SessionId, UserId};

/// An event as it goes over the wire: rendered once, shared by all connections that see the same.
#[derive(Debug, Clone)]
pub struct WireEvent {
    /// Its name.
    pub name: &'static str,
    /// Its payload as JSON text.
    pub payload: Arc<RawValue>,
}

impl WireEvent {
    /// What it counts against a connection's limit on waiting bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.name.len() + self.payload.get().len()
    }
}

/// Whose connections get an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Whose.
    pub user: UserId,
    /// Not this one: the session that caused it has its answer already.
    pub except: Option<SessionId>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Connections that took the event into their queue.
    pub reached: usize,
    /// Connections whose queue was full; each is told and closed, and catches up from the store.
    pub full: usize,
}

/// Hands events to live connections. Outbound only: what connections ask goes to the engine directly.
///
/// # Contract
/// - Events handed over for one connection arrive in that order.
/// - `deliver` never waits for a slow connection.
/// - An event is in a connection's queue or the connection is told that it lags: never a silent loss.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Those of `users` who have a connection here; others need no rendering.
    fn connected(&self, users: &[UserId]) -> Vec<UserId>;

    /// Hands an event to all connections of each recipient.
    async fn deliver(&self, recipients: &[Recipient], event: &WireEvent) -> Delivery;
}

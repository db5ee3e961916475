//! What is served: who comes into a namespace, and what becomes of his events.

use std::future::Future;

use axum::body::Bytes;
use axum::http::request::Parts;
use serde_json::Value;

pub use engineioxide::Str as Text;

/// A JSON array as text, and the binary data its placeholders stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// The array.
    pub text: Text,
    /// In the order of the placeholders' numbers.
    pub binary: Vec<Bytes>,
}

impl Arguments {
    /// Arguments without binary data.
    #[must_use]
    pub fn text(array: String) -> Self {
        Self {
            text: array.into(),
            binary: Vec::new(),
        }
    }

    /// How much memory they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.binary
            .iter()
            .fold(self.text.len(), |sum, part| sum + part.len())
    }
}

/// What a client emitted.
#[derive(Debug)]
pub struct Event {
    /// `["name", args…]` as it came; nobody has looked whether it is JSON.
    pub arguments: Arguments,
    /// Whether the client waits for an answer.
    pub wants_answer: bool,
}

/// What is sent to a client unasked.
#[derive(Debug)]
pub enum Item {
    /// An event: `["name", args…]`.
    Event(Arguments),
    /// The end of the connection.
    End(Ending),
}

/// How a connection is ended.
#[derive(Debug)]
pub struct Ending {
    /// The last event.
    pub farewell: Arguments,
    /// Whether the client shall stay away: the official one comes back by itself unless it gets a `DISCONNECT`.
    pub is_final: bool,
}

/// Serves namespaces.
pub trait Service: Send + Sync + 'static {
    /// What carries out the events of one client in one namespace.
    type Session: Session;
    /// What it is told.
    type Events: Events;

    /// The body of the `CONNECT_ERROR` when there is no such namespace.
    fn no_namespace(&self, name: &str) -> Option<Value>;

    /// Lets a client in, or says why not: the body of the `CONNECT_ERROR`. `auth` is what the client sent along.
    fn connect(
        &self,
        namespace: &str,
        request: &Parts,
        auth: Option<&str>,
    ) -> impl Future<Output = Result<(Self::Session, Self::Events), Value>> + Send;

    /// The answer to an event for which there was no room.
    fn overloaded(&self) -> Arguments;
}

/// Carries out events of a client, in their order. Dropped when the client leaves and all are carried out.
pub trait Session: Send + 'static {
    /// The client will know itself by it.
    fn id(&self) -> String;

    /// Carries out one; the next waits for it. The answer is sent if the client wants one.
    fn execute(&mut self, event: Event) -> impl Future<Output = Arguments> + Send;
}

/// What a client is told. Safe to drop while it waits.
pub trait Events: Send + 'static {
    /// The next; `None` when the session is over because the client has left.
    fn next(&mut self) -> impl Future<Output = Option<Item>> + Send;
}

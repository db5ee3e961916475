//! What lies below the chat gateway: an Engine.IO transport, and Socket.IO on it for whatever [`Service`] is given.
//!
//! No part of the crate's interface. It is open for the echo servers in `examples/protocol_echo.rs`, so that the
//! official protocol suites run on the very code that carries the chat.

mod address;
mod connection;
mod handler;
mod lobby;
mod packet;
mod pump;
mod service;
mod transport;
mod upgrade;

pub use connection::Connection;
pub use handler::Handler;
pub use lobby::Lobby;
pub use service::{Arguments, Ending, Event, Events, Item, Service, Session, Text};
pub use transport::{Admitted, Bounds, Transport};

pub(crate) use address::connect_from;
pub(crate) use handler::serve;

/// Serves Socket.IO.
#[must_use]
pub fn socket_io<S: Service>(
    service: S,
    config: crate::SocketIoConfig,
    bounds: Bounds,
) -> Transport<Handler<S>> {
    serve(service, config, bounds)
}

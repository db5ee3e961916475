//! Live connections of this process: sessions, their bounded queues, and what they look at.
//!
//! A gateway authenticates a connection with [`ChatEngine::connect`](crate::ChatEngine::connect), pumps the
//! [`Outbound`] half to its socket, and hands every command to the [`Session`] half, one after the other.

mod outbound;
mod registry;
mod session;

pub use outbound::{EndReason, Outbound, OutboundItem};
pub(crate) use registry::Entry;
pub use registry::{Attention, LiveSessions};
pub use session::{ConnectFrom, Session};

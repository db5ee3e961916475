use std::fmt;
use std::sync::Arc;

use axum::Router;
use chat_core::ChatEngine;
use chat_core::port::Authenticator;

use crate::chat::Chat;
use crate::config::SocketIoConfig;
use crate::protocol::{Bounds, Handler, Transport, serve};

/// Serves an engine to Socket.IO clients. Cheap to clone; all clones are the same gateway.
#[derive(Clone)]
pub struct SocketIoGateway {
    transport: Transport<Handler<Chat>>,
}

impl fmt::Debug for SocketIoGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIoGateway")
            .field("path", &self.transport.path())
            .finish_non_exhaustive()
    }
}

impl SocketIoGateway {
    /// A gateway to this engine; `auth` says who its clients are.
    #[must_use]
    pub fn new(engine: ChatEngine, auth: Arc<dyn Authenticator>, config: SocketIoConfig) -> Self {
        let limits = &engine.config().limits;
        let bounds = Bounds {
            frame_bytes: limits.frame_bytes,
            connections: limits.connections,
            last_event: limits.command_deadline,
        };
        Self {
            transport: serve(Chat { engine, auth }, config, bounds),
        }
    }

    /// The routes of the gateway, to be merged into the host's router. Serve that with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, or put a [`ConnectFrom`](chat_core::live::ConnectFrom)
    /// into the request's extensions; else the limits per address cannot hold.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.transport.router()
    }
}

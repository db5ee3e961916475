use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chat_core::error::{ChatError, ErrorCode};
use chat_gateway::{check_origin, refuse};
use engineioxide::config::EngineIoConfig;
use engineioxide::handler::EngineIoHandler;
use engineioxide::service::EngineIoService;
use engineioxide::{DisconnectReason, Socket, Str};
use tower::ServiceExt;

use super::address::connect_from;
use super::lobby::Lobby;
use super::{pump, upgrade};
use crate::config::SocketIoConfig;

/// Bounds that the configuration of the gateway does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the largest frame, message and polling body.
    pub frame_bytes: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a session that has ended may go on with the event it is at.
    pub last_event: Duration,
}

/// Engine.IO at one path: admission, both kinds of connections, writes that do not wait for ever.
pub struct Transport<H: EngineIoHandler> {
    shared: Arc<Shared<H::Data>>,
    engine: EngineIoService<Admitted<H>>,
}

struct Shared<D: Default + Send + Sync + 'static> {
    config: SocketIoConfig,
    connections: usize,
    lobby: Arc<Lobby<D>>,
}

impl<H: EngineIoHandler> Clone for Transport<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            engine: self.engine.clone(),
        }
    }
}

impl<H: EngineIoHandler> fmt::Debug for Transport<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("path", &self.shared.config.path)
            .finish_non_exhaustive()
    }
}

impl<H: EngineIoHandler> Transport<H> {
    /// A transport for this handler, which finds its clients in `lobby`.
    #[must_use]
    pub fn new(
        handler: Arc<H>,
        lobby: Arc<Lobby<H::Data>>,
        mut config: SocketIoConfig,
        bounds: Bounds,
    ) -> Self {
        config.path = format!("/{}", config.path.trim_matches('/'));
        let frame = bounds.frame_bytes;
        let engine = EngineIoConfig::builder()
            .req_path(config.path.clone())
            .ping_interval(config.ping_interval)
            .ping_timeout(config.ping_timeout)
            .max_buffer_size(pump::TRANSPORT_BUFFER)
            .max_payload(u64::try_from(frame).unwrap_or(u64::MAX))
            .ws_max_message_size(frame)
            .ws_max_frame_size(frame)
            .build();
        let admitted = Arc::new(Admitted {
            handler,
            lobby: Arc::clone(&lobby),
        });
        Self {
            shared: Arc::new(Shared {
                config,
                connections: bounds.connections,
                lobby,
            }),
            engine: EngineIoService::with_config(admitted, engine),
        }
    }

    /// Its path, with a slash in front and none behind.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.shared.config.path
    }

    /// Its routes. Serve them with `into_make_service_with_connect_info::<SocketAddr>()`.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let path = self.path();
        let served = any(serve::<H>).with_state(self.clone());
        Router::new()
            .route(path, served.clone())
            .route(&format!("{path}/"), served)
    }
}

async fn serve<H: EngineIoHandler>(State(transport): State<Transport<H>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let shared = &transport.shared;
    if let Err(error) = check_origin(&shared.config.origins, &parts) {
        return refuse(StatusCode::FORBIDDEN, &error);
    }
    if named(&parts.uri).is_none()
        && let Err(error) = shared.admit(connect_from(&parts).address)
    {
        let status = match error.code() {
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        return refuse(status, &error);
    }
    let polling = named(&parts.uri).and_then(|id| shared.lobby.client(id));
    let request = Request::from_parts(parts, body);
    if upgrade::is_asked_for(&request) {
        return upgrade::accept(transport.engine, polling, shared.config.write_timeout, request);
    }
    let mut poll = OpenPoll(polling.filter(|_| request.method() == Method::GET));
    let response = transport.engine.oneshot(request).await;
    poll.0 = None;
    match response {
        Ok(response) => response.map(Body::new).into_response(),
        Err(never) => match never {},
    }
}

/// A poll that is not answered yet. A client that gives one up is gone, as it is when its WebSocket ends: its session
/// ends now, not when its next heartbeat is missing.
struct OpenPoll<D: Default + Send + Sync + 'static>(Option<Arc<Socket<D>>>);

impl<D: Default + Send + Sync + 'static> Drop for OpenPoll<D> {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            client.close(DisconnectReason::TransportClose);
        }
    }
}

/// The connection a request names; without a name it opens one.
fn named(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("sid="))
}

impl<D: Default + Send + Sync + 'static> Shared<D> {
    /// Whether one more connection may be opened, before anything is known of who opens it.
    fn admit(&self, address: Option<std::net::IpAddr>) -> Result<(), ChatError> {
        if self.lobby.count() >= self.connections {
            return Err(ChatError::new(ErrorCode::Overloaded, "too many connections")
                .with_retry_after(self.config.connect_timeout));
        }
        // Behind a proxy on this machine everybody has its address, as in the engine's own limit.
        let waiting = address
            .filter(|address| !address.is_loopback())
            .map(|address| self.lobby.waiting(address))
            .unwrap_or_default();
        if waiting >= self.config.unauthenticated_per_address {
            return Err(ChatError::new(
                ErrorCode::RateLimited,
                "too many connections from this address are not authenticated",
            )
            .with_retry_after(self.config.connect_timeout));
        }
        Ok(())
    }
}

/// A handler whose clients are in the lobby.
pub struct Admitted<H: EngineIoHandler> {
    handler: Arc<H>,
    lobby: Arc<Lobby<H::Data>>,
}

impl<H: EngineIoHandler> fmt::Debug for Admitted<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Admitted").field(&self.handler).finish()
    }
}

impl<H: EngineIoHandler> EngineIoHandler for Admitted<H> {
    type Data = H::Data;

    fn on_connect(self: Arc<Self>, client: Arc<Socket<H::Data>>) {
        self.lobby
            .opened(&client, connect_from(&client.req_parts).address);
        Arc::clone(&self.handler).on_connect(client);
    }

    fn on_disconnect(&self, client: Arc<Socket<H::Data>>, reason: DisconnectReason) {
        self.lobby.closed(client.id);
        self.handler.on_disconnect(client, reason);
    }

    fn on_message(self: &Arc<Self>, message: Str, client: Arc<Socket<H::Data>>) {
        self.handler.on_message(message, client);
    }

    fn on_binary(self: &Arc<Self>, data: Bytes, client: Arc<Socket<H::Data>>) {
        self.handler.on_binary(data, client);
    }
}

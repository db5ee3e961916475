use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chat_core::ChatEngine;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::port::Authenticator;
use engineioxide::Socket;
use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use engineioxide::socket::Sid;
use socketioxide_core::parser::ParseConfig;
use tower::ServiceExt;

use crate::auth::connect_from;
use crate::config::SocketIoConfig;
use crate::connection::{Client, Connection};
use crate::handler::Handler;
use crate::{pump, upgrade};
use chat_gateway::{check_origin, refuse};

/// Serves an engine to Socket.IO clients. Cheap to clone; all clones are the same gateway.
#[derive(Clone)]
pub struct SocketIoGateway {
    shared: Arc<Shared>,
    transport: EngineIoService<Handler>,
}

impl fmt::Debug for SocketIoGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIoGateway")
            .field("path", &self.shared.config.path)
            .finish_non_exhaustive()
    }
}

impl SocketIoGateway {
    /// A gateway to this engine; `auth` says who its clients are.
    #[must_use]
    pub fn new(engine: ChatEngine, auth: Arc<dyn Authenticator>, mut config: SocketIoConfig) -> Self {
        config.path = format!("/{}", config.path.trim_matches('/'));
        let frame = engine.config().limits.frame_bytes;
        let transport = EngineIoConfig::builder()
            .req_path(config.path.clone())
            .ping_interval(config.ping_interval)
            .ping_timeout(config.ping_timeout)
            .max_buffer_size(pump::TRANSPORT_BUFFER)
            .max_payload(u64::try_from(frame).unwrap_or(u64::MAX))
            .ws_max_message_size(frame)
            .ws_max_frame_size(frame)
            .build();
        let shared = Arc::new(Shared {
            parsing: ParseConfig {
                max_incoming_binary_buf_size: frame,
                max_incoming_binaries: 10,
                packet_completion_timeout: Duration::from_secs(10),
            },
            engine,
            auth,
            config,
            clients: Mutex::default(),
            waiting: Mutex::default(),
        });
        let handler = Arc::new(Handler {
            shared: Arc::clone(&shared),
        });
        Self {
            shared,
            transport: EngineIoService::with_config(handler, transport),
        }
    }

    /// The routes of the gateway, to be merged into the host's router. Serve that with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, or put a [`ConnectFrom`](chat_core::live::ConnectFrom)
    /// into the request's extensions; else the limits per address cannot hold.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let path = &self.shared.config.path;
        let served = any(serve).with_state(self.clone());
        Router::new()
            .route(path, served.clone())
            .route(&format!("{path}/"), served)
    }
}

async fn serve(State(gateway): State<SocketIoGateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let shared = &gateway.shared;
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
    let polling = named(&parts.uri).and_then(|id| shared.client(id));
    let request = Request::from_parts(parts, body);
    if upgrade::is_asked_for(&request) {
        return upgrade::accept(gateway.transport, polling, shared.config.write_timeout, request);
    }
    match gateway.transport.oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(never) => match never {},
    }
}

/// The connection a request names; without a name it opens one.
fn named(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("sid="))
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) engine: ChatEngine,
    pub(crate) auth: Arc<dyn Authenticator>,
    pub(crate) config: SocketIoConfig,
    pub(crate) parsing: ParseConfig,
    clients: Mutex<HashMap<Sid, Weak<Socket<Connection>>>>,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more connection may be opened, before anything is known of who opens it.
    fn admit(&self, address: Option<IpAddr>) -> Result<(), ChatError> {
        if self.clients().len() >= self.engine.config().limits.connections {
            return Err(ChatError::new(ErrorCode::Overloaded, "too many connections")
                .with_retry_after(self.config.connect_timeout));
        }
        // Behind a proxy on this machine everybody has its address, as in the engine's own limit.
        let waiting = address
            .filter(|address| !address.is_loopback())
            .and_then(|address| self.waiting().get(&address).copied())
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

    fn clients(&self) -> MutexGuard<'_, HashMap<Sid, Weak<Socket<Connection>>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self, id: &str) -> Option<Client> {
        let id = id.parse().ok()?;
        self.clients().get(&id)?.upgrade()
    }

    /// A connection was opened; nobody knows whose.
    pub(crate) fn opened(&self, client: &Client, address: Option<IpAddr>) {
        self.clients().insert(client.id, Arc::downgrade(client));
        if let Some(address) = address {
            *self.waiting().entry(address).or_default() += 1;
        }
    }

    /// It is known now, or gone.
    pub(crate) fn not_waiting(&self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        let mut waiting = self.waiting();
        if let Some(count) = waiting.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&address);
            }
        }
    }

    /// It is gone.
    pub(crate) fn closed(&self, client: &Client) {
        self.clients().remove(&client.id);
    }
}

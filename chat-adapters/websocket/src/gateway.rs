use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chat_core::ChatEngine;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::live::ConnectFrom;
use chat_core::port::Authenticator;

use crate::config::WebSocketConfig;
use crate::connection;
use chat_gateway::{check_origin, refuse};

/// Serves an engine over plain WebSocket. Cheap to clone; all clones are the same gateway.
#[derive(Clone)]
pub struct WebSocketGateway {
    shared: Arc<Shared>,
}

impl fmt::Debug for WebSocketGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketGateway")
            .field("path", &self.shared.config.path)
            .finish_non_exhaustive()
    }
}

impl WebSocketGateway {
    /// A gateway to this engine; `auth` says who its clients are.
    #[must_use]
    pub fn new(engine: ChatEngine, auth: Arc<dyn Authenticator>, mut config: WebSocketConfig) -> Self {
        config.path = format!("/{}", config.path.trim_matches('/'));
        Self {
            shared: Arc::new(Shared {
                engine,
                auth,
                config,
                open: AtomicUsize::new(0),
                waiting: Mutex::default(),
            }),
        }
    }

    /// The route of the gateway, to be merged into the host's router. Serve that with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, or put a [`ConnectFrom`] into the request's extensions;
    /// else the limits per address cannot hold.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        Router::new().route(&self.shared.config.path, get(serve).with_state(self.clone()))
    }
}

async fn serve(State(gateway): State<WebSocketGateway>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let shared = gateway.shared;
    if let Err(error) = check_origin(&shared.config.origins, &parts) {
        return refuse(StatusCode::FORBIDDEN, &error);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let from = connect_from(&parts);
    let places = match Places::take(&shared, from.address) {
        Ok(places) => places,
        Err(error) => {
            let status = match error.code() {
                ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            return refuse(status, &error);
        }
    };
    // Frames a little over the limit are read to their end, so that the client gets the close code that tells it why
    // instead of a reset connection.
    let readable = shared.engine.config().limits.frame_bytes.saturating_mul(2);
    upgrade
        .max_message_size(readable)
        .max_frame_size(readable)
        .on_upgrade(move |socket| connection::serve(shared, socket, parts, from, places))
}

/// Where a request comes from: what the host put into its extensions, as it knows its proxies, else the socket's peer.
fn connect_from(request: &Parts) -> ConnectFrom {
    if let Some(from) = request.extensions.get::<ConnectFrom>() {
        return *from;
    }
    ConnectFrom {
        address: request
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip()),
    }
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) engine: ChatEngine,
    pub(crate) auth: Arc<dyn Authenticator>,
    pub(crate) config: WebSocketConfig,
    open: AtomicUsize,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places a connection takes: one of all there are, and one of its address while it is not authenticated.
pub(crate) struct Places {
    shared: Arc<Shared>,
    waiting: Option<IpAddr>,
}

impl Places {
    fn take(shared: &Arc<Shared>, address: Option<IpAddr>) -> Result<Self, ChatError> {
        let config = &shared.config;
        // Behind a proxy on this machine everybody has its address, as in the engine's own limit.
        let address = address.filter(|address| !address.is_loopback());
        if let Some(address) = address {
            let mut waiting = shared.waiting();
            let count = waiting.entry(address).or_default();
            if *count >= config.unauthenticated_per_address {
                return Err(ChatError::new(
                    ErrorCode::RateLimited,
                    "too many connections from this address are not authenticated",
                )
                .with_retry_after(config.auth_timeout));
            }
            *count += 1;
        }
        let open = shared.open.fetch_add(1, Ordering::Relaxed);
        let places = Self {
            shared: Arc::clone(shared),
            waiting: address,
        };
        if open >= shared.engine.config().limits.connections {
            return Err(ChatError::new(ErrorCode::Overloaded, "too many connections")
                .with_retry_after(config.auth_timeout));
        }
        Ok(places)
    }

    /// Its user is known: the engine counts it from here on.
    pub(crate) fn authenticated(&mut self) {
        let Some(address) = self.waiting.take() else {
            return;
        };
        let mut waiting = self.shared.waiting();
        if let Some(count) = waiting.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&address);
            }
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.authenticated();
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

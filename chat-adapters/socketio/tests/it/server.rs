//! A real server on loopback around an engine in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::Request;
use chat_core::ChatEngine;
use chat_core::config::{ChatConfig, Rate};
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::UserId;
use chat_core::live::ConnectFrom;
use chat_core::memory::MemoryStore;
use chat_core::port::{Authenticator, Credentials, Identity, Recipient, Transport, WireEvent};
use chat_core::time::SystemClock;
use chat_socketio::{SocketIoConfig, SocketIoGateway};
use serde_json::json;

/// Takes the token for the user id; some tokens mean trouble.
#[derive(Debug)]
struct TokenIsUser;

#[async_trait]
impl Authenticator for TokenIsUser {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let cookie = credentials.header("cookie").and_then(|c| c.strip_prefix("user="));
        match credentials.token.as_deref().or(cookie) {
            None => Err(ErrorCode::Unauthenticated.into()),
            Some("bad") => Err(ErrorCode::TokenInvalid.into()),
            Some("expired") => Err(ErrorCode::TokenExpired.into()),
            Some("down") => Err(ErrorCode::Unavailable.into()),
            Some("panic") => panic!("a broken authenticator"),
            Some(token) => {
                let id = token.strip_prefix("renewed:").unwrap_or(token);
                let id = UserId::new(id).map_err(|_| ChatError::from(ErrorCode::TokenInvalid))?;
                Ok(Identity::new(id))
            }
        }
    }

    async fn login_stands(&self, _: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: ChatEngine,
}

/// Limits nobody reaches by accident.
pub(crate) fn generous() -> ChatConfig {
    let mut config = ChatConfig::default();
    config.limits.commands = Rate::new(100_000, 6_000_000);
    config
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(generous(), SocketIoConfig::default()).await
    }

    pub(crate) async fn with(chat: ChatConfig, config: SocketIoConfig) -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let engine = ChatEngine::builder(store).with_config(chat).build();
        let gateway = SocketIoGateway::new(engine.clone(), Arc::new(TokenIsUser), config);
        // As a host does that knows its proxies: clients may say that they come from elsewhere.
        let app = gateway
            .router::<()>()
            .layer(axum::middleware::map_request(|mut request: Request| async {
                let address = request.headers().get("x-from").map(|from| from.to_str().unwrap());
                let address = address.map(|address| address.parse().unwrap());
                if address.is_some() {
                    request.extensions_mut().insert(ConnectFrom { address });
                }
                request
            }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, app).await.unwrap();
        });
        Self { address, engine }
    }

    /// Hands an event to all connections of a user, as the engine's dispatcher does.
    pub(crate) async fn push(&self, user: &str, number: usize, padding: usize) {
        let payload = json!({ "number": number, "padding": "x".repeat(padding) });
        let event = WireEvent {
            name: "typing_changed",
            payload: Arc::from(serde_json::value::to_raw_value(&payload).unwrap()),
        };
        let recipient = Recipient {
            user: UserId::new(user).unwrap(),
            except: None,
        };
        self.engine.live().deliver(&[recipient], &event).await;
    }

    /// Waits until so many sessions live.
    pub(crate) async fn sessions(&self, count: usize) {
        for _ in 0..500 {
            if self.engine.live().count() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.engine.live().count(), count, "live sessions");
    }
}

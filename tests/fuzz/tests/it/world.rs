//! A whole server in memory, with something in it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use chat_axum::ChatApi;
use chat_core::command::{CreateGroup, OpenDirect, SendMessage};
use chat_core::config::{ChatConfig, Rate};
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::live::{ConnectFrom, Outbound, Session};
use chat_core::memory::MemoryStore;
use chat_core::model::NewUser;
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::store::Store;
use chat_core::{Actor, ChatEngine};
use chat_media_fs::FsMediaStore;
use chat_socketio::{SocketIoConfig, SocketIoGateway};
use chat_websocket::{WebSocketConfig, WebSocketGateway};
use serde_json::Value;
use tower::ServiceExt;

/// Takes the token for the user id.
#[derive(Debug)]
pub(crate) struct TokenIsUser;

#[async_trait]
impl Authenticator for TokenIsUser {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let token = credentials.token.as_deref().ok_or(ErrorCode::Unauthenticated)?;
        // Only the cast: a broken token names nobody.
        if !["ada", "ben", "cem"].contains(&token) {
            return Err(ChatError::from(ErrorCode::TokenInvalid));
        }
        Ok(Identity::new(user(token)))
    }

    async fn login_stands(&self, _: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) struct World {
    pub(crate) engine: ChatEngine,
    pub(crate) app: Router,
    pub(crate) direct: ConversationId,
    pub(crate) group: ConversationId,
    pub(crate) message: MessageId,
    _media: tempfile::TempDir,
}

/// Limits that let broken input through to where it is read.
pub(crate) fn generous() -> ChatConfig {
    let mut config = ChatConfig::default();
    let much = || Rate::new(1_000_000, 60_000_000);
    config.limits.commands = much();
    config.limits.searches = much();
    config.limits.creates = much();
    config.limits.reports = much();
    config.limits.sends_per_conversation = much();
    config
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(MemoryStore::default())).await
    }

    pub(crate) async fn on(store: Arc<dyn Store>) -> Self {
        let media = tempfile::tempdir().unwrap();
        let engine = ChatEngine::builder(store)
            .with_config(generous())
            .with_media(Arc::new(FsMediaStore::open(media.path()).await.unwrap()))
            .build();
        for name in ["ada", "ben", "cem"] {
            let new = NewUser::new(user(name));
            engine.store().ensure_user(new, engine.now()).await.unwrap();
        }
        let ada = engine.as_user(&user("ada"));
        let open = OpenDirect { user_id: user("ben") };
        let direct = ada.open_direct(open).await.unwrap().conversation.id;
        let create = CreateGroup {
            name: "Everybody".to_owned(),
            member_ids: vec![user("ben"), user("cem")],
            description: None,
            avatar_attachment_id: None,
            permissions: None,
            custom: None,
            client_id: None,
        };
        let group = ada.create_group(create).await.unwrap().conversation.id;
        let mut message = None;
        for n in 0..5 {
            let sent = ada.send(SendMessage::text(direct, format!("hello {n}"))).await;
            message = Some(sent.unwrap().message.id);
        }
        let auth: Arc<dyn Authenticator> = Arc::new(TokenIsUser);
        let (socketio, websocket) = (SocketIoConfig::default(), WebSocketConfig::default());
        let app = Router::new()
            .nest("/api", ChatApi::new(engine.clone(), Arc::clone(&auth)).router())
            .merge(SocketIoGateway::new(engine.clone(), Arc::clone(&auth), socketio).router())
            .merge(WebSocketGateway::new(engine.clone(), auth, websocket).router());
        Self {
            app,
            direct,
            group,
            message: message.unwrap(),
            engine,
            _media: media,
        }
    }

    pub(crate) fn actor(&self, name: &str) -> Actor {
        self.engine.as_user(&user(name))
    }

    pub(crate) async fn connect(&self, name: &str) -> (Session, Outbound) {
        self.engine
            .connect(
                Arc::new(TokenIsUser),
                &Credentials::bearer(name),
                ConnectFrom::default(),
            )
            .await
            .unwrap()
    }

    /// Puts real ids where the corpus has names for them.
    pub(crate) fn filled(&self, input: &[u8]) -> Vec<u8> {
        let mut filled = input.to_vec();
        for (name, id) in [
            ("$DIRECT", self.direct.to_string()),
            ("$GROUP", self.group.to_string()),
            ("$MESSAGE", self.message.to_string()),
            ("$DEEP", "[".repeat(60_000) + &"]".repeat(60_000)),
        ] {
            filled = replaced(&filled, name.as_bytes(), id.as_bytes());
        }
        filled
    }

    /// The answer to a request without a network.
    pub(crate) async fn ask(&self, request: Request<Body>) -> (u16, HeaderMap, Bytes) {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), parts.headers, bytes)
    }

    /// Serves it on a loopback port.
    pub(crate) async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let app = self.app.clone();
        tokio::spawn(async move {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, app).await.unwrap();
        });
        address
    }
}

fn replaced(text: &[u8], name: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(name.len()).position(|window| window == name) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + name.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// That a refusal is one of the catalogue, and none that means a fault of the server.
pub(crate) fn check_code(error: &Value) {
    let code = error["code"]
        .as_str()
        .unwrap_or_else(|| panic!("no code: {error}"));
    let known = ErrorCode::ALL.iter().any(|known| known.as_str() == code);
    assert!(known, "{error}");
    assert!(
        ![
            "internal",
            "outcome_unknown",
            "unavailable",
            "storage_full",
            "overloaded"
        ]
        .contains(&code),
        "{error}"
    );
}

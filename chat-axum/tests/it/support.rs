//! A server in memory and one-line requests to it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_axum::{ChatApi, JwtAuthenticator, JwtKey};
use chat_core::ChatEngine;
use chat_core::memory::MemoryStore;
use chat_media_fs::FsMediaStore;
use ring::hmac;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

/// An engine in memory, with a folder for uploads.
pub(crate) struct Server {
    pub(crate) engine: ChatEngine,
    pub(crate) app: Router,
    pub(crate) _media: tempfile::TempDir,
}

pub(crate) fn jwt() -> Arc<JwtAuthenticator> {
    Arc::new(JwtAuthenticator::new([JwtKey::hs256(SECRET).unwrap()]))
}

pub(crate) async fn engine() -> (ChatEngine, MemoryStore, tempfile::TempDir) {
    let store = MemoryStore::default();
    let media = tempfile::tempdir().unwrap();
    let engine = ChatEngine::builder(Arc::new(store.clone()))
        .with_media(Arc::new(FsMediaStore::open(media.path()).await.unwrap()))
        .build();
    (engine, store, media)
}

/// The API under `/api`.
pub(crate) async fn server() -> Server {
    let (engine, _, media) = engine().await;
    let api = ChatApi::new(engine.clone(), jwt()).router();
    Server {
        engine,
        app: Router::new().nest("/api", api),
        _media: media,
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// Status, code and field of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("field"))
    }
}

pub(crate) async fn ask(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = tokio::time::timeout(Duration::from_secs(20), to_bytes(body, usize::MAX))
        .await
        .unwrap()
        .unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes,
    }
}

impl Server {
    /// A request of `user` (nobody when empty) with a JSON body (none when null).
    pub(crate) async fn call(&self, user: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(format!("/api{path}"));
        if !user.is_empty() {
            request = request.header("authorization", format!("Bearer {}", token(user)));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        ask(&self.app, request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        self.call(user, "GET", path, Value::Null).await
    }

    /// The JSON of a request that must succeed.
    pub(crate) async fn good(&self, user: &str, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(user, method, path, body).await;
        assert!(
            answer.status.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            answer.json()
        );
        answer.json()
    }

    /// A request with a body as it is.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        ask(&self.app, request.body(body.into()).unwrap()).await
    }
}

pub(crate) fn bearer(user: &str) -> String {
    format!("Bearer {}", token(user))
}

pub(crate) fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A good token of `user`.
pub(crate) fn token(user: &str) -> String {
    sign(
        SECRET,
        &json!({"alg": "HS256", "typ": "JWT"}).to_string(),
        &json!({"sub": user, "exp": now() + 600}).to_string(),
    )
}

/// A token with this header and these claims, signed with HMAC-SHA-256.
pub(crate) fn sign(secret: &[u8], header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

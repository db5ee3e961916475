//! The smallest host: an axum application with users and sessions of its own mounts the chat under `/chat-api`.
//!
//! Run with
//! ```text
//! cargo run -p chat-embed
//! curl -H 'cookie: session=a1' http://127.0.0.1:3001/chat-api/me
//! curl -H 'cookie: session=a1' -H 'content-type: application/json' -d '{"recipient_id":"ben","text":"hi"}' \
//!      http://127.0.0.1:3001/chat-api/messages
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Router, routing::get};
use chat_axum::FnAuthenticator;
use chat_core::error::ErrorCode;
use chat_core::id::UserId;
use chat_core::memory::MemoryStore;
use chat_core::port::{Credentials, Identity};
use chat_core::{ChatEngine, ChatResult};

/// The host's own state, whatever it is: here, which session belongs to which user.
type Sessions = Arc<HashMap<&'static str, &'static str>>;

fn user_of(sessions: &Sessions, credentials: &Credentials) -> ChatResult<Identity> {
    let cookie = credentials.header("cookie").ok_or(ErrorCode::Unauthenticated)?;
    let session = cookie.split("; ").find_map(|pair| pair.strip_prefix("session="));
    let user = session
        .and_then(|key| sessions.get(key))
        .ok_or(ErrorCode::TokenInvalid)?;
    Ok(Identity::new(
        UserId::new(*user).map_err(|_| ErrorCode::TokenInvalid)?,
    ))
}

/// The host: its own routes and state, and the chat beside them. Must be called inside a Tokio runtime.
///
/// # Errors
/// `unavailable`: the store cannot be reached.
pub async fn app() -> ChatResult<Router> {
    let sessions: Sessions = Arc::new(HashMap::from([("a1", "ada"), ("b1", "ben")]));
    let engine = ChatEngine::builder(Arc::new(MemoryStore::default()))
        .with_media_url("/chat-api/attachments")
        .build();
    // Users become known when they first come; to let others write to them before, the host brings them in.
    for user in sessions.values() {
        engine
            .admit(&Identity::new(
                UserId::new(*user).map_err(|_| ErrorCode::Internal)?,
            ))
            .await?;
    }
    let known = Arc::clone(&sessions);
    let auth = FnAuthenticator::new(move |credentials| {
        let identity = user_of(&known, &credentials);
        async move { identity }
    });
    Ok(Router::new()
        .route(
            "/",
            get(|State(s): State<Sessions>| async move { format!("a shop with {} users", s.len()) }),
        )
        .nest("/chat-api", chat_axum::router(engine, Arc::new(auth)))
        .with_state(sessions))
}

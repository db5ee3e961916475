//! The smallest host: chat mounted into an axum app that has its own users.
//!
//! Run with `cargo run -p chat-embed`, then `curl -H 'x-user: ada' http://127.0.0.1:3000/api/me`.

use std::sync::Arc;

use axum::Router;
use chat_axum::FnAuthenticator;
use chat_core::error::ErrorCode;
use chat_core::id::UserId;
use chat_core::memory::MemoryStore;
use chat_core::port::{Credentials, Identity};
use chat_core::{ChatEngine, ChatError};

/// The whole application; a real one verifies a session instead of believing a header.
fn app() -> Router {
    // Your users, your login: the engine asks who a request comes from.
    let auth = FnAuthenticator::new(|credentials: Credentials| async move {
        let user = credentials.header("x-user").ok_or(ErrorCode::Unauthenticated)?;
        let id = UserId::new(user).map_err(|_| ChatError::from(ErrorCode::TokenInvalid))?;
        Ok(Identity::new(id))
    });
    let engine = ChatEngine::builder(Arc::new(MemoryStore::default())).build();
    Router::new()
        .nest("/api", chat_axum::router(engine.clone(), Arc::new(auth)))
        .merge(chat_axum::health_router(engine))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app()).await?;
    Ok(())
}

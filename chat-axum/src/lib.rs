//! Mounts the chat engine as a REST API into any axum application.

mod accounts;
mod auth;
mod docs;
mod error;
mod extract;
mod observe;
mod openapi;
mod router;
mod routes;
mod state;

pub use accounts::Accounts;
pub use auth::FnAuthenticator;
pub use router::{ChatApi, health_router, router};

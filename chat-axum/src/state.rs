use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Bytes;
use chat_core::ChatEngine;
use chat_core::port::Authenticator;

use crate::accounts::Accounts;
use crate::docs::Docs;

/// What handlers share. Private: the host's own state stays the host's.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) engine: ChatEngine,
    pub(crate) auth: Arc<dyn Authenticator>,
    pub(crate) accounts: Option<Arc<Accounts>>,
    /// The OpenAPI document, with [`MOUNT`](crate::openapi::MOUNT) for the prefix.
    pub(crate) document: Arc<str>,
    /// The operations that read their query string, as `get /path`; the others are asked for without one.
    pub(crate) with_query: Arc<HashSet<String>>,
    /// `GET /docs`.
    pub(crate) docs: Arc<Docs>,
    /// `GET /capabilities`, which never changes while the engine lives.
    pub(crate) capabilities: Bytes,
}

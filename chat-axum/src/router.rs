//! From an engine to a router the host can mount.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::get;
use chat_core::ChatEngine;
use chat_core::port::Authenticator;

use crate::accounts::Accounts;
use crate::docs::Docs;
use crate::error::ApiError;
use crate::observe::{deadline, observe};
use crate::state::ApiState;
use crate::{openapi, routes};

/// The REST API in the making.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use chat_core::ChatEngine;
/// # use chat_core::port::Authenticator;
/// # fn example(engine: ChatEngine, auth: Arc<dyn Authenticator>) {
/// let api = chat_axum::ChatApi::new(engine, auth).router();
/// let app: axum::Router = axum::Router::new().nest("/api", api);
/// # }
/// ```
#[derive(Debug)]
pub struct ChatApi {
    engine: ChatEngine,
    auth: Arc<dyn Authenticator>,
    accounts: Option<Arc<Accounts>>,
}

impl ChatApi {
    /// The API of this engine; `auth` says who callers are.
    #[must_use]
    pub fn new(engine: ChatEngine, auth: Arc<dyn Authenticator>) -> Self {
        Self {
            engine,
            auth,
            accounts: None,
        }
    }

    /// With sign-up and login under `/auth`. Tokens given there are taken beside what `auth` takes; give gateways the
    /// same with [`Accounts::authenticator`].
    #[must_use]
    pub fn with_accounts(mut self, accounts: Arc<Accounts>) -> Self {
        self.accounts = Some(accounts);
        self
    }

    /// The routes, for a host with any state. Mount them with `nest` under a prefix of your choice, and tell the
    /// engine where with
    /// [`with_media_url`](chat_core::ChatEngineBuilder::with_media_url), so that attachments carry working addresses.
    pub fn router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (router, document) = routes::all(self.accounts.is_some()).split_for_parts();
        let capabilities = serde_json::to_vec(&self.engine.capabilities()).unwrap_or_default();
        // For uploads, the only bodies that axum reads; JSON has a limit of its own.
        let body_limit = self.engine.config().limits.upload_bytes + routes::ENVELOPE_BYTES;
        let limit = self.engine.config().limits.command_deadline * 2;
        let auth = match &self.accounts {
            Some(accounts) => Arc::new(accounts.authenticator(Some(self.auth))),
            None => self.auth,
        };
        let state = ApiState {
            engine: self.engine,
            auth,
            accounts: self.accounts,
            with_query: Arc::new(openapi::with_query(&document)),
            docs: Arc::new(Docs::new()),
            document: openapi::finish(document).into(),
            capabilities: Bytes::from(capabilities),
        };
        router
            .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
            .fallback(|| async { ApiError::no_route() })
            .layer(DefaultBodyLimit::max(body_limit))
            .layer(from_fn(move |request, next| deadline(limit, request, next)))
            .layer(from_fn(observe))
            .with_state(state)
    }
}

/// The REST API of `engine` without accounts: [`ChatApi`] in one call.
pub fn router<S>(engine: ChatEngine, auth: Arc<dyn Authenticator>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    ChatApi::new(engine, auth).router()
}

/// `GET /health` and `GET /ready`, without authentication, for the root of the host.
pub fn health_router<S>(engine: ChatEngine) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/health", get(routes::health))
        .route("/ready", get(routes::ready))
        .layer(from_fn(observe))
        .with_state(engine)
}

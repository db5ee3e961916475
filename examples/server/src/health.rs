//! Whether the process lives, whether it may be given work, and its numbers.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chat_core::ChatEngine;
use chat_core::id::UserId;
use serde_json::json;

use crate::metrics::Metrics;

/// The store has to answer a small question within this.
const STORE: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Watched {
    engine: ChatEngine,
    metrics: Metrics,
}

pub(crate) fn routes(engine: ChatEngine, metrics: Metrics) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(numbers))
        .with_state(Watched { engine, metrics })
}

fn plain(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn health() -> Response {
    plain(StatusCode::OK, json!({ "status": "ok" }))
}

async fn ready(State(watched): State<Watched>) -> Response {
    let no = |reason| {
        plain(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not_ready", "reason": reason }),
        )
    };
    if watched.engine.is_draining() {
        return no("stopping");
    }
    // Nobody has this id; what counts is that the store says so.
    let Ok(nobody) = UserId::new("readiness-check") else {
        return no("store");
    };
    match tokio::time::timeout(STORE, watched.engine.store().users(&[nobody])).await {
        Ok(Ok(_)) => plain(StatusCode::OK, json!({ "status": "ready" })),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store is not ready");
            no("store")
        }
        Err(_) => no("store"),
    }
}

async fn numbers(State(watched): State<Watched>) -> Response {
    let text = watched.metrics.render(&watched.engine);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], text).into_response()
}

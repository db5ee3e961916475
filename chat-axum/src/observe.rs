//! Around every request: an id, a span, the body of refusals, and a net for panics.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chat_core::error::{ChatError, ErrorCode};
use futures::FutureExt;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::Instrument;
use uuid::Uuid;

use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An error answer (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// `urn:chat:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:chat:problem:invalid_argument")]
    kind: String,
    /// The same for every occurrence of a code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong, for people.
    detail: String,
    /// Stable; decide by this.
    code: &'static str,
    /// The request field at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// When a retry makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// Names this request in the server's log.
    request_id: String,
    /// Facts that belong to the code, such as `version`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    details: Map<String, Value>,
}

/// The middleware. Request ids come from here only: a client's own would let it forge log lines.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let method = request.method().clone();
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!(
        "request", %method, path, request_id = %id, status = tracing::field::Empty
    );
    let started = Instant::now();
    async move {
        let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => {
                metrics::counter!("chat_http_panics_total").increment(1);
                tracing::error!("a request handler panicked");
                ApiError::from(ErrorCode::Internal).into_response()
            }
        };
        if let Some(refusal) = response.extensions_mut().remove::<ApiError>() {
            response = problem(&refusal, id, std::mem::take(response.headers_mut()));
        }
        let status = response.status();
        tracing::Span::current().record("status", status.as_u16());
        tracing::debug!("answered");
        let labels = [
            ("method", method.to_string()),
            ("path", path),
            ("status", status.as_u16().to_string()),
        ];
        metrics::counter!("chat_http_requests_total", &labels).increment(1);
        metrics::histogram!("chat_http_request_seconds", &labels[..2])
            .record(started.elapsed().as_secs_f64());
        guard(response.headers_mut(), id);
        response
    }
    .instrument(span)
    .await
}

/// A limit on the whole of a request, so that a hung backend never keeps a caller: twice the engine's own deadline
/// for commits, which speaks first when it is the commit that hangs. Transfers of files take the time they need.
pub(crate) async fn deadline(limit: Duration, request: Request, next: Next) -> Response {
    let transfer = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str().contains("/attachments"));
    if transfer {
        return next.run(request).await;
    }
    let reads = request.method().is_safe();
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) if reads => ApiError::from(ErrorCode::Unavailable).into_response(),
        Err(_) => ApiError::from(ErrorCode::OutcomeUnknown).into_response(),
    }
}

/// What every answer carries unless its handler knows better.
fn guard(headers: &mut HeaderMap, id: Uuid) {
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.as_hyphenated().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}

fn problem(refusal: &ApiError, id: Uuid, headers: HeaderMap) -> Response {
    let (error, status) = (refusal.error(), refusal.status());
    log(error, status);
    let body = Problem {
        kind: format!("urn:chat:problem:{}", error.code()),
        title: error.code().title(),
        status: status.as_u16(),
        detail: error.detail().to_owned(),
        code: error.code().as_str(),
        field: error.field().map(str::to_owned),
        retry_after_ms: error.retry_after_ms(),
        request_id: id.as_hyphenated().to_string(),
        details: error.details().clone(),
    };
    let mut response = (status, serde_json::to_vec(&body).unwrap_or_default()).into_response();
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.remove(axum::http::header::CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §11.6.1 asks for it with every 401.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Faults of the server with their causes; refusals of clients are not worth a line each.
fn log(error: &ChatError, status: StatusCode) {
    if status.is_server_error() {
        let cause = std::error::Error::source(error).map(|source| {
            let mut text = source.to_string();
            let mut next = source.source();
            while let Some(inner) = next {
                text.push_str(": ");
                text.push_str(&inner.to_string());
                next = inner.source();
            }
            text
        });
        tracing::warn!(code = error.code().as_str(), cause, "a request failed");
    }
}

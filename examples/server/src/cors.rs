//! Web pages of other sites: refused unless they are listed (`CHAT_ALLOWED_ORIGINS`).

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chat_core::error::ErrorCode;
use chat_core::origin::OriginPolicy;
use serde_json::json;
use uuid::Uuid;

/// The middleware around the REST API and Socket.IO. The gateways check origins themselves as well.
pub(crate) async fn check(State(policy): State<OriginPolicy>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // What cannot be read is nobody's origin.
    if !policy.allows(Some(origin.to_str().unwrap_or("null")), host) {
        return refused();
    }
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key("access-control-request-method");
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    if let OriginPolicy::AllowList(_) = policy {
        allow(response.headers_mut(), origin, preflight);
    }
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    let rest = if preflight {
        &[
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, range"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ][..]
    } else {
        &[(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            "x-request-id, retry-after, content-range, content-disposition",
        )][..]
    };
    for (name, value) in rest {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn refused() -> Response {
    let code = ErrorCode::Forbidden;
    let problem = json!({
        "type": format!("urn:chat:problem:{}", code.as_str()), "title": code.title(), "status": 403,
        "detail": "pages of this origin may not call here", "code": code.as_str(), "request_id": Uuid::now_v7(),
    });
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (StatusCode::FORBIDDEN, kind, problem.to_string()).into_response()
}

use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use chat_core::ChatEngine;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::UserId;
use chat_core::view::Capabilities;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::CurrentUser;
use crate::error::ApiResult;
use crate::openapi;
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(capabilities))
        .routes(routes!(document))
        .routes(routes!(page))
}

fn json(body: impl Into<Bytes>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body.into())
}

/// Every limit and policy in force, and the names of commands, events and kinds.
#[utoipa::path(
    get, path = "/capabilities", tag = "meta",
    responses((status = 200, description = "What this server takes and does", body = Capabilities)),
)]
async fn capabilities(_: CurrentUser, State(state): State<ApiState>) -> impl IntoResponse {
    json(state.capabilities)
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "meta", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")),
)]
async fn document(State(state): State<ApiState>, OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    json(openapi::mounted(&state.document, uri.path()))
}

/// This document as a page.
#[utoipa::path(
    get, path = "/docs", tag = "meta", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
async fn page(State(state): State<ApiState>) -> impl IntoResponse {
    (
        [(CONTENT_SECURITY_POLICY, state.docs.policy.clone())],
        Html(state.docs.page.clone()),
    )
}

/// Whether this process lives.
pub(crate) async fn health() -> impl IntoResponse {
    json("{\"status\":\"ok\"}")
}

/// Whether this process may be given work: it is not stopping, and its store answers in time.
pub(crate) async fn ready(State(engine): State<ChatEngine>) -> ApiResult<impl IntoResponse> {
    if engine.is_draining() {
        return Err(ChatError::new(ErrorCode::Unavailable, "the server is stopping").into());
    }
    // Nobody has this id; what counts is that the store says so.
    let nobody = UserId::new("readiness-check").map_err(|_| ErrorCode::Internal)?;
    let deadline = engine.config().limits.command_deadline;
    match tokio::time::timeout(deadline, engine.store().users(&[nobody])).await {
        Ok(Ok(_)) => Ok(json("{\"status\":\"ready\"}")),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(ErrorCode::Unavailable.into()),
    }
}

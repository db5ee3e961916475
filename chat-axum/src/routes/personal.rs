use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chat_core::command::EraseMe;
use chat_core::error::ChatResult;
use chat_core::view::ExportRecord;
use futures::StreamExt;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::WritingUser;
use crate::error::ApiResult;
use crate::extract::Payload;
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(export))
        .routes(routes!(erase))
}

/// Everything kept of the caller, one JSON object a line; the last one has `type` `end`.
#[utoipa::path(
    get, path = "/me/export", tag = "me",
    responses((
        status = 200, description = "JSON Lines; cut off without an `end` line when something fails on the way",
        body = String, content_type = "application/x-ndjson",
    )),
)]
async fn export(WritingUser(actor): WritingUser) -> ApiResult<Response> {
    let lines = actor.export_me().await?.map(|record| line(record?));
    Ok((
        [
            (CONTENT_TYPE, "application/x-ndjson"),
            (CONTENT_DISPOSITION, "attachment; filename=\"export.ndjson\""),
            (CACHE_CONTROL, "no-store"),
        ],
        Body::from_stream(lines),
    )
        .into_response())
}

fn line(record: ExportRecord) -> ChatResult<Bytes> {
    let mut line = serde_json::to_vec(&record).map_err(|error| {
        chat_core::error::ChatError::new(
            chat_core::error::ErrorCode::Internal,
            "a record could not be written",
        )
        .with_source(error)
    })?;
    line.push(b'\n');
    Ok(Bytes::from(line))
}

/// Erases the caller for good: he is shut out at once, the rest follows by itself.
#[utoipa::path(
    post, path = "/me/erase", tag = "me", request_body = EraseMe,
    responses((status = 202, description = "Shut out; what was his goes now")),
)]
async fn erase(WritingUser(actor): WritingUser, Payload(erase): Payload<EraseMe>) -> ApiResult<StatusCode> {
    actor.erase_me(erase).await?;
    Ok(StatusCode::ACCEPTED)
}

use axum::Json;
use chat_core::command::SyncRequest;
use chat_core::view::SyncAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::CurrentUser;
use crate::error::ApiResult;
use crate::extract::SyncPayload;
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(sync))
}

/// Everything that changed since the token of the last answer; `{}` to begin.
#[utoipa::path(
    post, path = "/sync", tag = "sync", request_body = SyncRequest,
    responses((status = 200, description = "Changes", body = SyncAnswer)),
)]
async fn sync(
    CurrentUser(actor): CurrentUser,
    SyncPayload(request): SyncPayload,
) -> ApiResult<Json<SyncAnswer>> {
    Ok(Json(actor.sync(request).await?))
}

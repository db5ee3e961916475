use axum::Json;
use axum::http::StatusCode;
use chat_core::command::PageRequest;
use chat_core::id::UserId;
use chat_core::view::{Page, UserView};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, NoBody, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(blocked))
        .routes(routes!(block, unblock))
}

/// Users the caller has blocked.
#[utoipa::path(
    get, path = "/blocks", tag = "blocks", params(PageParams),
    responses((status = 200, description = "Blocked users", body = Page<UserView>)),
)]
async fn blocked(
    CurrentUser(actor): CurrentUser,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<UserView>>> {
    Ok(Json(actor.blocked_users(page).await?))
}

/// Blocks a user; repeating it changes nothing.
#[utoipa::path(
    put, path = "/blocks/{user_id}", tag = "blocks",
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 204, description = "Blocked")),
)]
async fn block(WritingUser(actor): WritingUser, At(user): At<UserId>, _: NoBody) -> ApiResult<StatusCode> {
    actor.block(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unblocks a user; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/blocks/{user_id}", tag = "blocks",
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 204, description = "Not blocked")),
)]
async fn unblock(WritingUser(actor): WritingUser, At(user): At<UserId>) -> ApiResult<StatusCode> {
    actor.unblock(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

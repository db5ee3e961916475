use axum::Json;
use axum::http::StatusCode;
use chat_core::command::PageRequest;
use chat_core::id::UserId;
use chat_core::model::Muted;
use chat_core::view::{MutedUser, Page};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, PayloadOrNothing, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(muted))
        .routes(routes!(mute, unmute))
}

/// Until when a user is muted.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct MuteUser {
    /// A time, or `"forever"`, which is what an absent one means.
    #[schema(value_type = Option<String>, example = "forever")]
    until: Option<Muted>,
}

/// Users the caller mutes now.
#[utoipa::path(
    get, path = "/mutes", tag = "mutes", params(PageParams),
    responses((status = 200, description = "Muted users", body = Page<MutedUser>)),
)]
async fn muted(
    CurrentUser(actor): CurrentUser,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<MutedUser>>> {
    Ok(Json(actor.muted_users(page).await?))
}

/// Mutes a user for the caller: what he writes is not pushed. A new end replaces the old one.
#[utoipa::path(
    put, path = "/mutes/{user_id}", tag = "mutes", request_body = MuteUser,
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 204, description = "Muted")),
)]
async fn mute(
    WritingUser(actor): WritingUser,
    At(user): At<UserId>,
    PayloadOrNothing(mute): PayloadOrNothing<MuteUser>,
) -> ApiResult<StatusCode> {
    actor
        .mute_user(&user, mute.until.unwrap_or(Muted::Forever))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lifts it; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/mutes/{user_id}", tag = "mutes",
    params(("user_id" = UserId, Path, description = "Whom")),
    responses((status = 204, description = "Not muted")),
)]
async fn unmute(WritingUser(actor): WritingUser, At(user): At<UserId>) -> ApiResult<StatusCode> {
    actor.unmute_user(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

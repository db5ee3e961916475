use axum::Json;
use chat_core::command::{ProfilePatch, SetPresence, SettingsPatch};
use chat_core::model::{OwnPresence, UserSettings};
use chat_core::store::Badge;
use chat_core::view::UserView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::Payload;
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(me, update_me))
        .routes(routes!(badge))
        .routes(routes!(settings, update_settings))
        .routes(routes!(presence, set_presence))
}

/// The caller himself.
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, description = "The caller", body = UserView)))]
async fn me(CurrentUser(actor): CurrentUser) -> ApiResult<Json<UserView>> {
    Ok(Json(actor.me().await?))
}

/// Changes the caller's profile.
#[utoipa::path(
    patch, path = "/me", tag = "me", request_body = ProfilePatch,
    responses((status = 200, description = "The caller after the change", body = UserView)),
)]
async fn update_me(
    WritingUser(actor): WritingUser,
    Payload(patch): Payload<ProfilePatch>,
) -> ApiResult<Json<UserView>> {
    Ok(Json(actor.update_me(patch).await?))
}

/// Unread totals, without muted and archived conversations.
#[utoipa::path(get, path = "/me/badge", tag = "me", responses((status = 200, description = "Totals", body = Badge)))]
async fn badge(CurrentUser(actor): CurrentUser) -> ApiResult<Json<Badge>> {
    Ok(Json(actor.badge().await?))
}

/// Private settings.
#[utoipa::path(
    get, path = "/me/settings", tag = "me",
    responses((status = 200, description = "Settings", body = UserSettings)),
)]
async fn settings(CurrentUser(actor): CurrentUser) -> ApiResult<Json<UserSettings>> {
    Ok(Json(actor.settings().await?))
}

/// Changes private settings.
#[utoipa::path(
    patch, path = "/me/settings", tag = "me", request_body = SettingsPatch,
    responses((status = 200, description = "Settings after the change", body = UserSettings)),
)]
async fn update_settings(
    WritingUser(actor): WritingUser,
    Payload(patch): Payload<SettingsPatch>,
) -> ApiResult<Json<UserSettings>> {
    Ok(Json(actor.update_settings(patch).await?))
}

/// How the caller wants to be seen.
#[utoipa::path(
    get, path = "/me/presence", tag = "me",
    responses((status = 200, description = "What holds now", body = OwnPresence)),
)]
async fn presence(CurrentUser(actor): CurrentUser) -> ApiResult<Json<OwnPresence>> {
    Ok(Json(actor.own_presence().await?))
}

/// Says how the caller wants to be seen, in place of what he said before.
#[utoipa::path(
    put, path = "/me/presence", tag = "me", request_body = SetPresence,
    responses((status = 200, description = "What holds now", body = OwnPresence)),
)]
async fn set_presence(
    WritingUser(actor): WritingUser,
    Payload(set): Payload<SetPresence>,
) -> ApiResult<Json<OwnPresence>> {
    Ok(Json(actor.set_presence(set).await?))
}

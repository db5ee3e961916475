use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{AddMembers, ListMembers, SetRole, TransferOwnership};
use chat_core::error::ChatResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Muted, Role};
use chat_core::view::{AddMembersAnswer, MemberView, Page};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, FromQuery, Params, Payload, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(members, add))
        .routes(routes!(set_role, remove))
        .routes(routes!(mute, unmute))
        .routes(routes!(transfer))
}

/// `GET /conversations/{id}/members`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters that ListMembers is read from")]
struct MemberParams {
    /// Part of their name.
    q: Option<String>,
    /// `owner`, `admin` or `member`.
    #[param(pattern = "^(owner|admin|member)$")]
    role: Option<String>,
}

impl FromQuery for ListMembers {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let role = params.value("role", "not one of the known values", |name| {
            Some(match name {
                "owner" => Role::Owner,
                "admin" => Role::Admin,
                "member" => Role::Member,
                _ => return None,
            })
        })?;
        Ok(Self {
            q: params.text("q")?,
            role,
            page: params.page()?,
        })
    }
}

/// Members of a conversation, by a part of their name and by rank, in order of user id.
#[utoipa::path(
    get, path = "/conversations/{id}/members", tag = "members",
    params(("id" = ConversationId, Path, description = "Which conversation"), MemberParams, PageParams),
    responses((status = 200, description = "Members", body = Page<MemberView>)),
)]
async fn members(
    CurrentUser(actor): CurrentUser,
    At(id): At<ConversationId>,
    Query(list): Query<ListMembers>,
) -> ApiResult<Json<Page<MemberView>>> {
    Ok(Json(actor.find_members(id, list).await?))
}

/// Adds members to a group.
#[utoipa::path(
    post, path = "/conversations/{id}/members", tag = "members", request_body = AddMembers,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "What became of each", body = AddMembersAnswer)),
)]
async fn add(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(add): Payload<AddMembers>,
) -> ApiResult<Json<AddMembersAnswer>> {
    Ok(Json(actor.add_members(id, add).await?))
}

/// Changes a member's role.
#[utoipa::path(
    patch, path = "/conversations/{id}/members/{user_id}", tag = "members", request_body = SetRole,
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("user_id" = UserId, Path, description = "Which member"),
    ),
    responses((status = 200, description = "The member after the change", body = MemberView)),
)]
async fn set_role(
    WritingUser(actor): WritingUser,
    At((id, user)): At<(ConversationId, UserId)>,
    Payload(set): Payload<SetRole>,
) -> ApiResult<Json<MemberView>> {
    Ok(Json(actor.set_role(id, &user, set).await?))
}

/// Removes a member; for the caller himself this is leaving.
#[utoipa::path(
    delete, path = "/conversations/{id}/members/{user_id}", tag = "members",
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("user_id" = UserId, Path, description = "Which member"),
    ),
    responses((status = 204, description = "Removed")),
)]
async fn remove(
    WritingUser(actor): WritingUser,
    At((id, user)): At<(ConversationId, UserId)>,
) -> ApiResult<StatusCode> {
    actor.remove_member(id, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Until when somebody may not write.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MuteUntil {
    /// A time, or `"forever"`.
    #[schema(value_type = String, example = "forever")]
    until: Muted,
}

/// Takes the right to write from a member; a new end replaces the old one.
#[utoipa::path(
    put, path = "/conversations/{id}/members/{user_id}/mute", tag = "members", request_body = MuteUntil,
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("user_id" = UserId, Path, description = "Which member"),
    ),
    responses((status = 200, description = "The member after the change", body = MemberView)),
)]
async fn mute(
    WritingUser(actor): WritingUser,
    At((id, user)): At<(ConversationId, UserId)>,
    Payload(mute): Payload<MuteUntil>,
) -> ApiResult<Json<MemberView>> {
    Ok(Json(actor.mute_member(id, &user, mute.until).await?))
}

/// Gives a member the right to write back; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/conversations/{id}/members/{user_id}/mute", tag = "members",
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("user_id" = UserId, Path, description = "Which member"),
    ),
    responses((status = 200, description = "The member after the change", body = MemberView)),
)]
async fn unmute(
    WritingUser(actor): WritingUser,
    At((id, user)): At<(ConversationId, UserId)>,
) -> ApiResult<Json<MemberView>> {
    Ok(Json(actor.unmute_member(id, &user).await?))
}

/// Hands ownership to another member; the former owner becomes admin.
#[utoipa::path(
    put, path = "/conversations/{id}/owner", tag = "members", request_body = TransferOwnership,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The new owner", body = MemberView)),
)]
async fn transfer(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(to): Payload<TransferOwnership>,
) -> ApiResult<Json<MemberView>> {
    Ok(Json(actor.transfer_ownership(id, to).await?))
}

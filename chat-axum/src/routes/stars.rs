use axum::Json;
use chat_core::command::{StarMessage, StarredMessages};
use chat_core::error::ChatResult;
use chat_core::id::{ConversationId, MessageId};
use chat_core::view::{MessageView, Page};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, FromQuery, NoBody, Params, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(starred))
        .routes(routes!(star, unstar))
}

/// `GET /starred`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "describes the parameters that StarredMessages is read from"
)]
struct StarredParams {
    /// Only in this conversation.
    conversation_id: Option<ConversationId>,
}

impl FromQuery for StarredMessages {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            conversation_id: params.value("conversation_id", "not an id", |id| id.parse().ok())?,
            page: params.page()?,
        })
    }
}

/// The caller's starred messages as far as he sees them, the newest star first.
#[utoipa::path(
    get, path = "/starred", tag = "messages", params(StarredParams, PageParams),
    responses((status = 200, description = "Starred messages", body = Page<MessageView>)),
)]
async fn starred(
    CurrentUser(actor): CurrentUser,
    Query(request): Query<StarredMessages>,
) -> ApiResult<Json<Page<MessageView>>> {
    Ok(Json(actor.starred_messages(request).await?))
}

/// Stars a message for the caller alone; repeating it changes nothing.
#[utoipa::path(
    put, path = "/messages/{id}/star", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn star(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
    _: NoBody,
) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.star_message(StarMessage { message_id }).await?))
}

/// Takes the caller's star off a message; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/messages/{id}/star", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn unstar(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.unstar_message(StarMessage { message_id }).await?))
}

use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{
    ConversationPatch, ConversationSettings, CreateGroup, ListConversations, OpenDirect, SetTyping,
};
use chat_core::error::ChatResult;
use chat_core::id::ConversationId;
use chat_core::store::{InboxCounts, InboxFilter};
use chat_core::view::{ConversationPage, ConversationView, CreateGroupAnswer, OpenDirectAnswer};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, FromQuery, NoBody, Params, Payload, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(open_direct))
        .routes(routes!(create_group))
        .routes(routes!(conversation, update, delete))
        .routes(routes!(leave))
        .routes(routes!(clear))
        .routes(routes!(hide))
        .routes(routes!(update_settings))
        .routes(routes!(typing))
}

/// `GET /conversations`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "describes the parameters that ListConversations is read from"
)]
struct InboxParams {
    /// `all`, `unread`, `pinned`, `archived`, `muted`, `direct` or `group`; absent: neither archived nor hidden.
    #[param(pattern = "^(all|unread|pinned|archived|muted|direct|group)$")]
    filter: Option<String>,
    /// Part of the group's or the other user's name.
    q: Option<String>,
    /// The number of a page, from 1 on, instead of `cursor`; the answer then has `total`, `page` and `pages`.
    #[param(minimum = 1)]
    page: Option<usize>,
}

impl FromQuery for ListConversations {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let filter = params.value("filter", "not one of the known values", |name| {
            Some(match name {
                "all" => InboxFilter::All,
                "unread" => InboxFilter::Unread,
                "pinned" => InboxFilter::Pinned,
                "archived" => InboxFilter::Archived,
                "muted" => InboxFilter::Muted,
                "direct" => InboxFilter::Direct,
                "group" => InboxFilter::Group,
                _ => return None,
            })
        })?;
        Ok(Self {
            filter: filter.unwrap_or_default(),
            q: params.text("q")?.filter(|q| !q.is_empty()),
            page: params.page()?,
            number: params.number("page")?,
        })
    }
}

/// The caller's conversations: pinned first, then latest activity.
#[utoipa::path(
    get, path = "/conversations", tag = "conversations", params(InboxParams, PageParams),
    responses((status = 200, description = "Conversations", body = ConversationPage)),
)]
async fn list(
    CurrentUser(actor): CurrentUser,
    Query(list): Query<ListConversations>,
) -> ApiResult<Json<ConversationPage>> {
    Ok(Json(actor.conversations(list).await?))
}

/// How many conversations each filter shows; `listed` is what comes without a filter.
#[utoipa::path(
    get, path = "/conversations/counts", tag = "conversations",
    responses((status = 200, description = "Counts by filter", body = InboxCounts)),
)]
async fn counts(CurrentUser(actor): CurrentUser) -> ApiResult<Json<InboxCounts>> {
    Ok(Json(actor.conversation_counts().await?))
}

fn created(created: bool) -> StatusCode {
    if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

/// Opens the one direct conversation with a user.
#[utoipa::path(
    post, path = "/conversations/direct", tag = "conversations", request_body = OpenDirect,
    responses(
        (status = 200, description = "It was there", body = OpenDirectAnswer),
        (status = 201, description = "It was made", body = OpenDirectAnswer),
    ),
)]
async fn open_direct(
    WritingUser(actor): WritingUser,
    Payload(open): Payload<OpenDirect>,
) -> ApiResult<(StatusCode, Json<OpenDirectAnswer>)> {
    let answer = actor.open_direct(open).await?;
    Ok((created(answer.created), Json(answer)))
}

/// Creates a group with the caller as owner.
#[utoipa::path(
    post, path = "/conversations/group", tag = "conversations", request_body = CreateGroup,
    responses(
        (status = 200, description = "The client id had made it before", body = CreateGroupAnswer),
        (status = 201, description = "It was made", body = CreateGroupAnswer),
    ),
)]
async fn create_group(
    WritingUser(actor): WritingUser,
    Payload(create): Payload<CreateGroup>,
) -> ApiResult<(StatusCode, Json<CreateGroupAnswer>)> {
    let answer = actor.create_group(create).await?;
    Ok((created(answer.created), Json(answer)))
}

/// One conversation.
#[utoipa::path(
    get, path = "/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The conversation", body = ConversationView)),
)]
async fn conversation(
    CurrentUser(actor): CurrentUser,
    At(id): At<ConversationId>,
) -> ApiResult<Json<ConversationView>> {
    Ok(Json(actor.conversation(id).await?))
}

/// Changes a group.
#[utoipa::path(
    patch, path = "/conversations/{id}", tag = "conversations", request_body = ConversationPatch,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The conversation after the change", body = ConversationView)),
)]
async fn update(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(patch): Payload<ConversationPatch>,
) -> ApiResult<Json<ConversationView>> {
    Ok(Json(actor.update_conversation(id, patch).await?))
}

/// Deletes a group for everyone; its owner may.
#[utoipa::path(
    delete, path = "/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 204, description = "Deleted")),
)]
async fn delete(WritingUser(actor): WritingUser, At(id): At<ConversationId>) -> ApiResult<StatusCode> {
    actor.delete_conversation(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves a group.
#[utoipa::path(
    post, path = "/conversations/{id}/leave", tag = "conversations",
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 204, description = "Left")),
)]
async fn leave(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    _: NoBody,
) -> ApiResult<StatusCode> {
    actor.leave(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Clears the history for the caller only.
#[utoipa::path(
    post, path = "/conversations/{id}/clear", tag = "conversations",
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 204, description = "Cleared")),
)]
async fn clear(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    _: NoBody,
) -> ApiResult<StatusCode> {
    actor.clear(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Clears the history and takes the conversation out of the list until something new comes.
#[utoipa::path(
    post, path = "/conversations/{id}/hide", tag = "conversations",
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 204, description = "Hidden")),
)]
async fn hide(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    _: NoBody,
) -> ApiResult<StatusCode> {
    actor.hide(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the caller's own side: pin, mute, archive, alerts.
#[utoipa::path(
    patch, path = "/conversations/{id}/settings", tag = "conversations", request_body = ConversationSettings,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The conversation after the change", body = ConversationView)),
)]
async fn update_settings(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(settings): Payload<ConversationSettings>,
) -> ApiResult<Json<ConversationView>> {
    Ok(Json(actor.update_conversation_settings(id, settings).await?))
}

/// Whether the caller is typing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Typing {
    /// True while he types.
    active: bool,
}

/// Says that the caller types, or has stopped; ends by itself after six seconds.
#[utoipa::path(
    post, path = "/conversations/{id}/typing", tag = "conversations", request_body = Typing,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 204, description = "Taken")),
)]
async fn typing(
    WritingUser(actor): WritingUser,
    At(conversation_id): At<ConversationId>,
    Payload(typing): Payload<Typing>,
) -> ApiResult<StatusCode> {
    actor
        .set_typing(SetTyping {
            conversation_id,
            active: typing.active,
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

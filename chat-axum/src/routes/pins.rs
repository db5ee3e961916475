use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{PageRequest, PinMessage};
use chat_core::id::{ConversationId, MessageId};
use chat_core::view::{MessageView, Page};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, MessageThere, NoBody, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(pinned))
        .routes(routes!(pin, unpin))
}

/// Pinned messages as far as the caller sees them, the newest pin first.
#[utoipa::path(
    get, path = "/conversations/{id}/pins", tag = "messages",
    params(("id" = ConversationId, Path, description = "Which conversation"), PageParams),
    responses((status = 200, description = "Pinned messages", body = Page<MessageView>)),
)]
async fn pinned(
    CurrentUser(actor): CurrentUser,
    At(id): At<ConversationId>,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<MessageView>>> {
    Ok(Json(actor.pinned_messages(id, page).await?))
}

/// Pins a message for everybody; repeating it changes nothing.
#[utoipa::path(
    put, path = "/conversations/{id}/pins/{message_id}", tag = "messages",
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("message_id" = MessageId, Path, description = "Which message of it"),
    ),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn pin(
    WritingUser(actor): WritingUser,
    At((conversation_id, message)): At<(ConversationId, MessageThere)>,
    _: NoBody,
) -> ApiResult<Json<MessageView>> {
    let pin = PinMessage {
        message_id: message.0,
        conversation_id: Some(conversation_id),
    };
    Ok(Json(actor.pin_message(pin).await?))
}

/// Takes a message's pin off; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/conversations/{id}/pins/{message_id}", tag = "messages",
    params(
        ("id" = ConversationId, Path, description = "Which conversation"),
        ("message_id" = MessageId, Path, description = "Which message of it"),
    ),
    responses((status = 204, description = "It is not pinned")),
)]
async fn unpin(
    WritingUser(actor): WritingUser,
    At((conversation_id, message)): At<(ConversationId, MessageThere)>,
) -> ApiResult<StatusCode> {
    let pin = PinMessage {
        message_id: message.0,
        conversation_id: Some(conversation_id),
    };
    actor.unpin_message(pin).await?;
    Ok(StatusCode::NO_CONTENT)
}

use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{
    DeleteMessage, DeletionScope, EditMessage, ForwardMessage, HistoryOrder, HistoryRequest, KeepMessage,
    MoveLocation, PageRequest, ReactTo, SendMessage, StepMeeting,
};
use chat_core::error::{ChatError, ChatResult};
use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::model::{MessageKind, Seq};
use chat_core::time::Timestamp;
use chat_core::view::{
    FormerTextView, HistoryPage, MessageView, Page, ReceiptView, SentMessage, SyncedMessage,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::{self, PageParams};
use crate::auth::{CurrentUser, WritingUser};
use crate::error::ApiResult;
use crate::extract::{At, Emoji, FromQuery, NoBody, Params, Payload, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(history, send))
        .routes(routes!(send_to_user))
        .routes(routes!(message, edit, delete))
        .routes(routes!(forward))
        .routes(routes!(receipts))
        .routes(routes!(edits))
        .routes(routes!(react, toggle_reaction, unreact))
        .routes(routes!(keep, unkeep))
        .routes(routes!(step_meeting))
        .routes(routes!(move_location))
}

/// `GET /conversations/{id}/messages`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "describes the parameters that HistoryRequest is read from"
)]
struct HistoryParams {
    /// Only messages before this seq. At most one of `before`, `after` and `around`.
    before: Option<Seq>,
    /// Only messages after this seq.
    after: Option<Seq>,
    /// Messages around this seq, with it.
    around: Option<Seq>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<usize>,
    /// `desc` (newest first) or `asc`.
    #[param(pattern = "^(asc|desc)$", default = "desc")]
    order: Option<String>,
    /// Only this kind.
    kind: Option<MessageKind>,
}

impl FromQuery for HistoryRequest {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let order = params.value("order", "asc or desc", |order| match order {
            "asc" => Some(HistoryOrder::Ascending),
            "desc" => Some(HistoryOrder::Descending),
            _ => None,
        })?;
        Ok(Self {
            before: params.number("before")?,
            after: params.number("after")?,
            around: params.number("around")?,
            limit: params.number("limit")?,
            order: order.unwrap_or_default(),
            kind: queries::kind(params)?,
        })
    }
}

/// A page of history, by default the newest.
#[utoipa::path(
    get, path = "/conversations/{id}/messages", tag = "messages",
    params(("id" = ConversationId, Path, description = "Which conversation"), HistoryParams),
    responses((status = 200, description = "The page", body = HistoryPage)),
)]
async fn history(
    CurrentUser(actor): CurrentUser,
    At(id): At<ConversationId>,
    Query(request): Query<HistoryRequest>,
) -> ApiResult<Json<HistoryPage>> {
    Ok(Json(actor.history(id, request).await?))
}

fn sent(answer: SentMessage) -> (StatusCode, Json<SentMessage>) {
    let status = if answer.replayed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    (status, Json(answer))
}

/// Sends a message. Neither `conversation_id` nor `recipient_id` is taken here: the path says where to.
#[utoipa::path(
    post, path = "/conversations/{id}/messages", tag = "messages", request_body = SendMessage,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses(
        (status = 200, description = "The client id had sent it before", body = SentMessage),
        (status = 201, description = "Sent", body = SentMessage),
    ),
)]
async fn send(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(mut message): Payload<SendMessage>,
) -> ApiResult<(StatusCode, Json<SentMessage>)> {
    if message.conversation_id.is_some() {
        return Err(ChatError::invalid("conversation_id", "the path names it").into());
    }
    if message.recipient_id.is_some() {
        return Err(ChatError::invalid("recipient_id", "the path names the conversation").into());
    }
    message.conversation_id = Some(id);
    Ok(sent(actor.send(message).await?))
}

/// Sends a message to a user (`recipient_id`): their direct conversation is found or made in the same step.
#[utoipa::path(
    post, path = "/messages", tag = "messages", request_body = SendMessage,
    responses(
        (status = 200, description = "The client id had sent it before", body = SentMessage),
        (status = 201, description = "Sent", body = SentMessage),
    ),
)]
async fn send_to_user(
    WritingUser(actor): WritingUser,
    Payload(message): Payload<SendMessage>,
) -> ApiResult<(StatusCode, Json<SentMessage>)> {
    if message.conversation_id.is_some() {
        return Err(ChatError::invalid("conversation_id", "send to /conversations/{id}/messages").into());
    }
    if message.recipient_id.is_none() {
        return Err(ChatError::invalid("recipient_id", "required").into());
    }
    Ok(sent(actor.send(message).await?))
}

/// Where a copy goes: exactly one of `conversation_id` and `recipient_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forward {
    /// To this conversation.
    #[serde(default)]
    conversation_id: Option<ConversationId>,
    /// To this user: the direct conversation is found or made in the same step.
    #[serde(default)]
    recipient_id: Option<UserId>,
    /// The sender's own key; makes retries safe. Strongly advised.
    #[serde(default)]
    client_id: Option<ClientId>,
    /// Does not count, push or move the list.
    #[serde(default)]
    silent: bool,
    /// The client's own time; kept as data.
    #[serde(default)]
    client_time: Option<Timestamp>,
}

/// Sends a copy of a message on: text, files, place or custom payload, without mentions, reactions and what it answers.
#[utoipa::path(
    post, path = "/messages/{id}/forward", tag = "messages", request_body = Forward,
    params(("id" = MessageId, Path, description = "Which message")),
    responses(
        (status = 200, description = "The client id had forwarded it before", body = SentMessage),
        (status = 201, description = "Forwarded", body = SentMessage),
    ),
)]
async fn forward(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
    Payload(to): Payload<Forward>,
) -> ApiResult<(StatusCode, Json<SentMessage>)> {
    let forward = ForwardMessage {
        message_id,
        conversation_id: to.conversation_id,
        recipient_id: to.recipient_id,
        client_id: to.client_id,
        silent: to.silent,
        client_time: to.client_time,
    };
    Ok(sent(actor.forward(forward).await?))
}

/// One message.
#[utoipa::path(
    get, path = "/messages/{id}", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message", body = MessageView)),
)]
async fn message(CurrentUser(actor): CurrentUser, At(id): At<MessageId>) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.message(id).await?))
}

/// The new words of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// The new text.
    text: String,
    /// The new mentions; absent: those of the old text that are still members.
    #[serde(default)]
    mentions: Option<Vec<UserId>>,
    /// Refuse with `version_conflict` unless this is the current version.
    #[serde(default)]
    expected_version: Option<u32>,
}

/// Edits the caller's own message.
#[utoipa::path(
    patch, path = "/messages/{id}", tag = "messages", request_body = Edit,
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn edit(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
    Payload(edit): Payload<Edit>,
) -> ApiResult<Json<MessageView>> {
    let edit = EditMessage {
        message_id,
        text: edit.text,
        mentions: edit.mentions,
        expected_version: edit.expected_version,
    };
    Ok(Json(actor.edit(edit).await?))
}

/// `DELETE /messages/{id}`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteParams {
    /// For the caller only, or for everyone.
    #[param(rename = "for", inline)]
    scope: DeletionScope,
}

impl FromQuery for DeleteParams {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let scope = params.value("for", "me or everyone", |scope| match scope {
            "me" => Some(DeletionScope::Me),
            "everyone" => Some(DeletionScope::Everyone),
            _ => None,
        })?;
        Ok(Self {
            scope: scope.ok_or_else(|| ChatError::invalid("for", "required"))?,
        })
    }
}

/// Deletes a message; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/messages/{id}", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message"), DeleteParams),
    responses((status = 204, description = "Deleted")),
)]
async fn delete(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
    Query(params): Query<DeleteParams>,
) -> ApiResult<StatusCode> {
    actor
        .delete_message(DeleteMessage {
            message_id,
            scope: params.scope,
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has a message, and since when.
#[utoipa::path(
    get, path = "/messages/{id}/receipts", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message"), PageParams),
    responses((status = 200, description = "One entry per recipient", body = Page<ReceiptView>)),
)]
async fn receipts(
    CurrentUser(actor): CurrentUser,
    At(id): At<MessageId>,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<ReceiptView>>> {
    Ok(Json(actor.receipts(id, page).await?))
}

/// What a message said before it was edited, the newest version first, where the policy `edit_history` lets the caller.
#[utoipa::path(
    get, path = "/messages/{id}/edits", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message"), PageParams),
    responses((status = 200, description = "Former texts", body = Page<FormerTextView>)),
)]
async fn edits(
    CurrentUser(actor): CurrentUser,
    At(id): At<MessageId>,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<FormerTextView>>> {
    Ok(Json(actor.former_texts(id, page).await?))
}

/// Adds the caller's reaction, or removes it when it is there.
#[utoipa::path(
    post, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = MessageId, Path, description = "Which message"),
        ("emoji" = String, Path, description = "Which emoji, percent-encoded"),
    ),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn toggle_reaction(
    WritingUser(actor): WritingUser,
    At((message_id, emoji)): At<(MessageId, Emoji)>,
    _: NoBody,
) -> ApiResult<Json<MessageView>> {
    let emoji = emoji.0;
    Ok(Json(actor.toggle_reaction(ReactTo { message_id, emoji }).await?))
}

/// Adds the caller's reaction; repeating it changes nothing.
#[utoipa::path(
    put, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = MessageId, Path, description = "Which message"),
        ("emoji" = String, Path, description = "Which emoji, percent-encoded"),
    ),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn react(
    WritingUser(actor): WritingUser,
    At((message_id, emoji)): At<(MessageId, Emoji)>,
    _: NoBody,
) -> ApiResult<Json<MessageView>> {
    let emoji = emoji.0;
    Ok(Json(actor.add_reaction(ReactTo { message_id, emoji }).await?))
}

/// Removes the caller's reaction; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = MessageId, Path, description = "Which message"),
        ("emoji" = String, Path, description = "Which emoji, percent-encoded"),
    ),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn unreact(
    WritingUser(actor): WritingUser,
    At((message_id, emoji)): At<(MessageId, Emoji)>,
) -> ApiResult<Json<MessageView>> {
    let emoji = emoji.0;
    Ok(Json(actor.remove_reaction(ReactTo { message_id, emoji }).await?))
}

/// Keeps a disappearing message; repeating it changes nothing.
#[utoipa::path(
    put, path = "/messages/{id}/keep", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn keep(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
    _: NoBody,
) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.keep_message(KeepMessage { message_id }).await?))
}

/// Lets a kept message go: its time counts again, and when that is over it is gone at once. Repeating it changes
/// nothing.
#[utoipa::path(
    delete, path = "/messages/{id}/keep", tag = "messages",
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change, or that it is gone", body = SyncedMessage)),
)]
async fn unkeep(
    WritingUser(actor): WritingUser,
    At(message_id): At<MessageId>,
) -> ApiResult<Json<SyncedMessage>> {
    Ok(Json(actor.unkeep_message(KeepMessage { message_id }).await?))
}

/// A step of a meeting proposal.
#[utoipa::path(
    post, path = "/messages/{id}/meeting", tag = "messages", request_body = StepMeeting,
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the step", body = MessageView)),
)]
async fn step_meeting(
    WritingUser(actor): WritingUser,
    At(id): At<MessageId>,
    Payload(step): Payload<StepMeeting>,
) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.step_meeting(id, step).await?))
}

/// Moves or ends the caller's live location.
#[utoipa::path(
    patch, path = "/messages/{id}/location", tag = "messages", request_body = MoveLocation,
    params(("id" = MessageId, Path, description = "Which message")),
    responses((status = 200, description = "The message after the change", body = MessageView)),
)]
async fn move_location(
    WritingUser(actor): WritingUser,
    At(id): At<MessageId>,
    Payload(change): Payload<MoveLocation>,
) -> ApiResult<Json<MessageView>> {
    Ok(Json(actor.move_location(id, change).await?))
}

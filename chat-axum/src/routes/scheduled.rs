use axum::Json;
use axum::http::StatusCode;
use chat_core::command::{CancelScheduled, ListScheduled, ScheduleMessage, UpdateScheduled};
use chat_core::error::ChatResult;
use chat_core::id::{ConversationId, ScheduledId, UserId};
use chat_core::time::Timestamp;
use chat_core::view::{Page, ScheduledAnswer, ScheduledView};
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
        .routes(routes!(list, schedule))
        .routes(routes!(scheduled, update, cancel))
}

/// `GET /scheduled`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "describes the parameters that ListScheduled is read from"
)]
struct ListParams {
    /// Only those to this conversation.
    conversation_id: Option<ConversationId>,
}

impl FromQuery for ListScheduled {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            conversation_id: params.value("conversation_id", "not an id", |id| id.parse().ok())?,
            page: params.page()?,
        })
    }
}

/// The caller's scheduled messages that are pending or failed, by the time they are to be sent at.
#[utoipa::path(
    get, path = "/scheduled", tag = "scheduled", params(ListParams, PageParams),
    responses((status = 200, description = "Scheduled messages", body = Page<ScheduledView>)),
)]
async fn list(
    CurrentUser(actor): CurrentUser,
    Query(list): Query<ListScheduled>,
) -> ApiResult<Json<Page<ScheduledView>>> {
    Ok(Json(actor.scheduled_messages(list).await?))
}

/// Keeps a message that is to be sent later.
#[utoipa::path(
    post, path = "/scheduled", tag = "scheduled", request_body = ScheduleMessage,
    responses(
        (status = 200, description = "The client id had scheduled it before", body = ScheduledAnswer),
        (status = 201, description = "Scheduled", body = ScheduledAnswer),
    ),
)]
async fn schedule(
    WritingUser(actor): WritingUser,
    Payload(schedule): Payload<ScheduleMessage>,
) -> ApiResult<(StatusCode, Json<ScheduledAnswer>)> {
    let answer = actor.schedule(schedule).await?;
    let status = if answer.replayed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(answer)))
}

/// One of the caller's scheduled messages, in whatever state.
#[utoipa::path(
    get, path = "/scheduled/{id}", tag = "scheduled",
    params(("id" = ScheduledId, Path, description = "Which one")),
    responses((status = 200, description = "The scheduled message", body = ScheduledView)),
)]
async fn scheduled(
    CurrentUser(actor): CurrentUser,
    At(id): At<ScheduledId>,
) -> ApiResult<Json<ScheduledView>> {
    Ok(Json(actor.scheduled(id).await?))
}

/// What to change of a scheduled message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The new text; `null` removes it, where something else is left to show.
    #[serde(default, deserialize_with = "nullable")]
    text: Option<Option<String>>,
    /// The new mentions.
    #[serde(default, deserialize_with = "present")]
    mentions: Option<Vec<UserId>>,
    /// The new time.
    #[serde(default, deserialize_with = "present")]
    send_at: Option<Timestamp>,
    /// Refuse with `version_conflict` unless this is the current version.
    #[serde(default)]
    expected_version: Option<u32>,
}

/// Tells an absent field (`None`) from `null` (`Some(None)`).
fn nullable<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// An absent field is `None`, and `null` is refused: there is nothing to clear.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

/// Changes a pending scheduled message.
#[utoipa::path(
    patch, path = "/scheduled/{id}", tag = "scheduled", request_body = Change,
    params(("id" = ScheduledId, Path, description = "Which one")),
    responses((status = 200, description = "The scheduled message after the change", body = ScheduledView)),
)]
async fn update(
    WritingUser(actor): WritingUser,
    At(scheduled_id): At<ScheduledId>,
    Payload(change): Payload<Change>,
) -> ApiResult<Json<ScheduledView>> {
    let update = UpdateScheduled {
        scheduled_id,
        text: change.text,
        mentions: change.mentions,
        send_at: change.send_at,
        expected_version: change.expected_version,
    };
    Ok(Json(actor.update_scheduled(update).await?))
}

/// Cancels a scheduled message, or takes a failed one off the list; repeating it changes nothing.
#[utoipa::path(
    delete, path = "/scheduled/{id}", tag = "scheduled",
    params(("id" = ScheduledId, Path, description = "Which one")),
    responses((status = 204, description = "Cancelled")),
)]
async fn cancel(WritingUser(actor): WritingUser, At(scheduled_id): At<ScheduledId>) -> ApiResult<StatusCode> {
    actor.cancel_scheduled(CancelScheduled { scheduled_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

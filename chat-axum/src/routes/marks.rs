use axum::Json;
use chat_core::command::{Mark, Marks};
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::Seq;
use chat_core::view::{MarkAnswer, MarksAnswer, ReadAllAnswer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::WritingUser;
use crate::error::ApiResult;
use crate::extract::{At, NoBody, Payload, PayloadOrNothing};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(delivered))
        .routes(routes!(read))
        .routes(routes!(unread))
        .routes(routes!(read_all))
}

/// Up to where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpTo {
    /// The last message it holds for.
    seq: Seq,
}

/// From where on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UnreadFrom {
    /// The first unread message; an empty conversation needs none.
    #[serde(default)]
    seq: Option<Seq>,
}

/// The caller's marks after the change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnMarks)]
struct MarksView {
    /// Everything up to here has reached a device.
    delivered_seq: Seq,
    /// Everything up to here was read.
    read_seq: Seq,
    /// What is left.
    unread_count: u64,
}

/// The one entry of an answer to one mark.
fn only(answer: MarksAnswer) -> ApiResult<Json<MarksView>> {
    match answer.marks.into_iter().next() {
        Some(MarkAnswer::Marked {
            delivered_seq,
            read_seq,
            unread_count,
            ..
        }) => Ok(Json(MarksView {
            delivered_seq,
            read_seq,
            unread_count,
        })),
        // One mark alone is refused as the request itself, and answered as one entry.
        _ => Err(ErrorCode::Internal.into()),
    }
}

fn one(id: ConversationId, up_to: &UpTo) -> Marks {
    Marks {
        conversation_id: Some(id),
        seq: Some(up_to.seq),
        marks: None,
    }
}

/// Moves the delivered mark forward.
#[utoipa::path(
    put, path = "/conversations/{id}/delivered", tag = "marks", request_body = UpTo,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The marks after it", body = MarksView)),
)]
async fn delivered(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(up_to): Payload<UpTo>,
) -> ApiResult<Json<MarksView>> {
    only(actor.mark_delivered(one(id, &up_to)).await?)
}

/// Moves the read mark forward, and the delivered mark with it.
#[utoipa::path(
    put, path = "/conversations/{id}/read", tag = "marks", request_body = UpTo,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The marks after it", body = MarksView)),
)]
async fn read(
    WritingUser(actor): WritingUser,
    At(id): At<ConversationId>,
    Payload(up_to): Payload<UpTo>,
) -> ApiResult<Json<MarksView>> {
    only(actor.mark_read(one(id, &up_to)).await?)
}

/// Marks as unread for the caller; receipts of others do not change.
#[utoipa::path(
    put, path = "/conversations/{id}/unread", tag = "marks", request_body = UnreadFrom,
    params(("id" = ConversationId, Path, description = "Which conversation")),
    responses((status = 200, description = "The marks after it", body = MarksView)),
)]
async fn unread(
    WritingUser(actor): WritingUser,
    At(conversation_id): At<ConversationId>,
    PayloadOrNothing(from): PayloadOrNothing<UnreadFrom>,
) -> ApiResult<Json<MarksView>> {
    let mark = Mark {
        conversation_id,
        seq: from.seq,
    };
    only(actor.mark_unread(mark).await?)
}

/// Reads every conversation to its end.
#[utoipa::path(
    post, path = "/conversations/read-all", tag = "marks",
    responses((status = 200, description = "How many had something unread", body = ReadAllAnswer)),
)]
async fn read_all(WritingUser(actor): WritingUser, _: NoBody) -> ApiResult<Json<ReadAllAnswer>> {
    Ok(Json(actor.read_all().await?))
}

use axum::Json;
use chat_core::command::SearchMessages;
use chat_core::error::ChatResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::MessageKind;
use chat_core::time::Timestamp;
use chat_core::view::{MessageView, Page};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::{self, PageParams};
use crate::auth::CurrentUser;
use crate::error::ApiResult;
use crate::extract::{FromQuery, Params, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(search))
}

/// `GET /search/messages`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "describes the parameters that SearchMessages is read from"
)]
struct SearchParams {
    /// What the text contains, at most 500 bytes.
    q: String,
    /// Only in this conversation.
    conversation_id: Option<ConversationId>,
    /// Only by this user.
    sender_id: Option<UserId>,
    /// Only this kind.
    kind: Option<MessageKind>,
    /// Not before.
    from: Option<Timestamp>,
    /// Not after.
    to: Option<Timestamp>,
}

impl FromQuery for SearchMessages {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            q: params.text("q")?.unwrap_or_default(),
            conversation_id: params.value("conversation_id", "not an id", |id| id.parse().ok())?,
            sender_id: params.value("sender_id", "not an id", |id| id.parse().ok())?,
            kind: queries::kind(params)?,
            from: params.time("from")?,
            to: params.time("to")?,
            page: params.page()?,
        })
    }
}

/// Messages the caller may see, by their text, newest first.
#[utoipa::path(
    get, path = "/search/messages", tag = "search", params(SearchParams, PageParams),
    responses((status = 200, description = "Messages that match", body = Page<MessageView>)),
)]
async fn search(
    CurrentUser(actor): CurrentUser,
    Query(search): Query<SearchMessages>,
) -> ApiResult<Json<Page<MessageView>>> {
    Ok(Json(actor.search_messages(search).await?))
}

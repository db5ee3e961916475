use axum::Json;
use chat_core::command::ListMentions;
use chat_core::error::ChatResult;
use chat_core::view::{MessageView, Page};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::CurrentUser;
use crate::error::ApiResult;
use crate::extract::{FromQuery, Params, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(mentions))
}

/// `GET /mentions`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters that ListMentions is read from")]
struct MentionParams {
    /// Only those that count as unread.
    #[param(default = false)]
    unread: Option<bool>,
}

impl FromQuery for ListMentions {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let unread = params.value("unread", "true or false", |text| text.parse().ok())?;
        Ok(Self {
            unread: unread.unwrap_or(false),
            page: params.page()?,
        })
    }
}

/// Messages that mention the caller, by name or with everybody, newest first, over all conversations.
#[utoipa::path(
    get, path = "/mentions", tag = "messages", params(MentionParams, PageParams),
    responses((status = 200, description = "Mentions", body = Page<MessageView>)),
)]
async fn mentions(
    CurrentUser(actor): CurrentUser,
    Query(list): Query<ListMentions>,
) -> ApiResult<Json<Page<MessageView>>> {
    Ok(Json(actor.mentions(list).await?))
}

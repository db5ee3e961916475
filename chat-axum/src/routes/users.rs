use axum::Json;
use chat_core::command::PageRequest;
use chat_core::error::{ChatError, ChatResult};
use chat_core::id::UserId;
use chat_core::view::{ConversationView, Page, UserPresence, UserView};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::queries::PageParams;
use crate::auth::CurrentUser;
use crate::error::ApiResult;
use crate::extract::{At, FromQuery, Params, Query};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(online))
        .routes(routes!(user))
        .routes(routes!(in_common))
        .routes(routes!(contacts))
        .routes(routes!(presence))
}

/// `GET /users`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Part of a name, or a whole e-mail address or phone number.
    q: String,
    #[param(ignore)]
    page: PageRequest,
}

impl FromQuery for UserQuery {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            q: params.text("q")?.unwrap_or_default(),
            page: params.page()?,
        })
    }
}

/// Searches users by name, e-mail address or phone number.
#[utoipa::path(
    get, path = "/users", tag = "users", params(UserQuery, PageParams),
    responses((status = 200, description = "Users who match", body = Page<UserView>)),
)]
async fn search(
    CurrentUser(actor): CurrentUser,
    Query(query): Query<UserQuery>,
) -> ApiResult<Json<Page<UserView>>> {
    Ok(Json(actor.search_users(&query.q, query.page).await?))
}

/// One user. (A user whose id is `online` can be found by search only.)
#[utoipa::path(
    get, path = "/users/{user_id}", tag = "users",
    params(("user_id" = UserId, Path, description = "Which user")),
    responses((status = 200, description = "The user", body = UserView)),
)]
async fn user(CurrentUser(actor): CurrentUser, At(id): At<UserId>) -> ApiResult<Json<UserView>> {
    Ok(Json(actor.user(&id).await?))
}

/// Conversations of which both the caller and this user are members, in the order of the list.
#[utoipa::path(
    get, path = "/users/{user_id}/conversations", tag = "users",
    params(("user_id" = UserId, Path, description = "Which user"), PageParams),
    responses((status = 200, description = "Conversations in common", body = Page<ConversationView>)),
)]
async fn in_common(
    CurrentUser(actor): CurrentUser,
    At(id): At<UserId>,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<ConversationView>>> {
    Ok(Json(actor.conversations_with(&id, page).await?))
}

/// `GET /contacts`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ContactQuery {
    /// Part of their name.
    q: Option<String>,
    #[param(ignore)]
    page: PageRequest,
}

impl FromQuery for ContactQuery {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        Ok(Self {
            q: params.text("q")?,
            page: params.page()?,
        })
    }
}

/// Users with whom the caller has a direct conversation, in order of id.
#[utoipa::path(
    get, path = "/contacts", tag = "users", params(ContactQuery, PageParams),
    responses((status = 200, description = "Contacts", body = Page<UserView>)),
)]
async fn contacts(
    CurrentUser(actor): CurrentUser,
    Query(query): Query<ContactQuery>,
) -> ApiResult<Json<Page<UserView>>> {
    Ok(Json(actor.find_contacts(query.q.as_deref(), query.page).await?))
}

/// Users who are online, as far as the caller may know: contacts first, then who came last.
#[utoipa::path(
    get, path = "/users/online", tag = "users", params(PageParams),
    responses((status = 200, description = "Users who are online", body = Page<UserView>)),
)]
async fn online(
    CurrentUser(actor): CurrentUser,
    Query(page): Query<PageRequest>,
) -> ApiResult<Json<Page<UserView>>> {
    Ok(Json(actor.online_users(page).await?))
}

/// `GET /presence`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct PresenceQuery {
    /// At most 500 users, separated by commas; a comma inside an id is percent-encoded.
    #[param(style = Form, explode = false)]
    user_ids: Vec<UserId>,
}

impl FromQuery for PresenceQuery {
    fn from_query(params: &mut Params) -> ChatResult<Self> {
        let user_ids = params
            .list("user_ids", |id| id.parse().ok())?
            .ok_or_else(|| ChatError::invalid("user_ids", "required"))?;
        Ok(Self { user_ids })
    }
}

/// Presence of these users, as far as the caller may know.
#[utoipa::path(
    get, path = "/presence", tag = "users", params(PresenceQuery),
    responses((status = 200, description = "One entry per user", body = Page<UserPresence>)),
)]
async fn presence(
    CurrentUser(actor): CurrentUser,
    Query(query): Query<PresenceQuery>,
) -> ApiResult<Json<Page<UserPresence>>> {
    Ok(Json(Page {
        items: actor.presence(&query.user_ids).await?,
        next_cursor: None,
    }))
}

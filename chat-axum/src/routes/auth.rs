use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use chat_core::live::ConnectFrom;
use chat_core::time::Timestamp;
use chat_core::view::UserView;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{Accounts, LogIn, NewLogin, SignUp};
use crate::auth::CurrentIdentity;
use crate::error::{ApiError, ApiResult};
use crate::extract::{NoBody, Payload};
use crate::state::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(check))
}

/// A user and his token.
#[derive(Serialize, ToSchema)]
struct Login {
    /// Who.
    user: UserView,
    /// The bearer token.
    token: String,
    /// When it ends.
    expires_at: Timestamp,
}

/// A user and when his credential ends.
#[derive(Serialize, ToSchema)]
struct CheckedLogin {
    /// Who.
    user: UserView,
    /// When the credential ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// Where a request comes from, when the host says so ([`ConnectFrom`]) or serves with connect info. Addresses in header
/// fields are not believed.
struct Remote(Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Remote {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let told = parts.extensions.get::<ConnectFrom>().map(|from| from.address);
        let seen = || Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip());
        Ok(Self(told.unwrap_or_else(seen)))
    }
}

fn accounts(state: &ApiState) -> ApiResult<Arc<Accounts>> {
    state.accounts.clone().ok_or_else(ApiError::no_route)
}

async fn answer(state: &ApiState, login: NewLogin) -> ApiResult<Json<Login>> {
    Ok(Json(Login {
        user: state.engine.as_user(&login.user).me().await?,
        token: login.token,
        expires_at: login.expires_at,
    }))
}

/// Makes an account and logs it in.
#[utoipa::path(
    post, path = "/auth/signup", tag = "auth", security(()), request_body = SignUp,
    responses((status = 201, description = "The new user, logged in", body = Login)),
)]
async fn sign_up(
    State(state): State<ApiState>,
    Remote(address): Remote,
    Payload(request): Payload<SignUp>,
) -> ApiResult<(StatusCode, Json<Login>)> {
    let login = accounts(&state)?.sign_up(&state.engine, request, address).await?;
    Ok((StatusCode::CREATED, answer(&state, login).await?))
}

/// Logs in with e-mail address and password.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", security(()), request_body = LogIn,
    responses((status = 200, description = "Logged in", body = Login)),
)]
async fn log_in(
    State(state): State<ApiState>,
    Remote(address): Remote,
    Payload(request): Payload<LogIn>,
) -> ApiResult<Json<Login>> {
    let login = accounts(&state)?.log_in(&state.engine, request, address).await?;
    answer(&state, login).await
}

/// Ends the login of the token at once, with its live connections.
#[utoipa::path(
    post, path = "/auth/logout", tag = "auth",
    responses((status = 204, description = "Logged out")),
)]
async fn log_out(
    State(state): State<ApiState>,
    CurrentIdentity(identity): CurrentIdentity,
    _: NoBody,
) -> ApiResult<StatusCode> {
    let login = identity.login.unwrap_or_default();
    accounts(&state)?
        .log_out(&state.engine, &identity.user.id, &login)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose the token is, and until when.
#[utoipa::path(
    get, path = "/auth/check", tag = "auth",
    responses((status = 200, description = "The caller", body = CheckedLogin)),
)]
async fn check(
    State(state): State<ApiState>,
    CurrentIdentity(identity): CurrentIdentity,
) -> ApiResult<Json<CheckedLogin>> {
    let user = state.engine.admit(&identity).await?;
    Ok(Json(CheckedLogin {
        user: state.engine.as_user(&user).me().await?,
        expires_at: identity.expires_at,
    }))
}

//! Who is asking: from request headers to an [`Actor`].

use std::fmt;
use std::future::Future;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chat_core::Actor;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::port::{Authenticator, Credentials, Identity, Via};

use crate::error::ApiError;
use crate::extract::check_unread;
use crate::state::ApiState;

/// The authenticated caller of a reading request.
pub(crate) struct CurrentUser(pub(crate) Actor);

/// The authenticated caller of a writing request: one of his commands is taken from the rate limit.
pub(crate) struct WritingUser(pub(crate) Actor);

/// The verified credential itself, for the accounts module.
pub(crate) struct CurrentIdentity(pub(crate) Identity);

/// The bearer token (RFC 6750 §2.1, scheme in any case) and the header fields of a request.
///
/// # Errors
/// `token_invalid` for two `Authorization` fields: which one counts would be anybody's guess.
pub(crate) fn credentials(headers: &HeaderMap) -> ChatResult<Credentials> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let token = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(field), None) => bearer(field.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => {
            return Err(ChatError::new(
                ErrorCode::TokenInvalid,
                "more than one Authorization field",
            ));
        }
    };
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    Ok(Credentials { token, headers })
}

fn bearer(field: &str) -> Option<String> {
    let (scheme, token) = field.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// Who asks, before anything else is said of what he asks for.
async fn identity(parts: &Parts, state: &ApiState) -> ChatResult<Identity> {
    let identity = state.auth.authenticate(&credentials(&parts.headers)?).await?;
    check_unread(parts, state)?;
    Ok(identity)
}

async fn actor(parts: &Parts, state: &ApiState) -> ChatResult<Actor> {
    let identity = identity(parts, state).await?;
    let user = state.engine.admit(&identity).await?;
    let actor = state.engine.as_user(&user).coming_by(Via::Rest);
    let actor = actor.with_login(identity.login.as_deref());
    Ok(if identity.moderator {
        actor.as_moderator()
    } else {
        actor
    })
}

impl FromRequestParts<ApiState> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self(actor(parts, state).await?))
    }
}

impl FromRequestParts<ApiState> for WritingUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let actor = actor(parts, state).await?;
        actor.take_command_allowance().await?;
        Ok(Self(actor))
    }
}

impl FromRequestParts<ApiState> for CurrentIdentity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self(identity(parts, state).await?))
    }
}

/// The host's own session as an [`Authenticator`]: a closure from what the request showed to who it is.
///
/// ```
/// use chat_axum::FnAuthenticator;
/// use chat_core::error::{ChatError, ErrorCode};
/// use chat_core::id::UserId;
/// use chat_core::port::{Credentials, Identity};
///
/// let auth = FnAuthenticator::new(|credentials: Credentials| async move {
///     // Look up your own session here, for instance by `credentials.header("cookie")`.
///     let name = credentials.header("x-user").ok_or(ErrorCode::Unauthenticated)?;
///     let id = UserId::new(name).map_err(|_| ChatError::from(ErrorCode::TokenInvalid))?;
///     Ok(Identity::new(id))
/// });
/// ```
pub struct FnAuthenticator<F> {
    authenticate: F,
}

impl<F, Fut> FnAuthenticator<F>
where
    F: Fn(Credentials) -> Fut + Send + Sync,
    Fut: Future<Output = ChatResult<Identity>> + Send,
{
    /// Authenticates with this closure. Browsers send cookies by themselves: a host that reads them has to guard
    /// against requests from foreign sites, for instance with `SameSite` cookies.
    pub const fn new(authenticate: F) -> Self {
        Self { authenticate }
    }
}

impl<F> fmt::Debug for FnAuthenticator<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnAuthenticator")
    }
}

#[async_trait]
impl<F, Fut> Authenticator for FnAuthenticator<F>
where
    F: Fn(Credentials) -> Fut + Send + Sync,
    Fut: Future<Output = ChatResult<Identity>> + Send,
{
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        (self.authenticate)(credentials.clone()).await
    }

    /// Always: a host that revokes sessions implements [`Authenticator`] itself.
    async fn login_stands(&self, _login: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

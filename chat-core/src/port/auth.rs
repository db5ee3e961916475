use std::fmt;

use async_trait::async_trait;

use crate::error::ChatResult;
use crate::id::UserId;
use crate::model::NewUser;
use crate::time::Timestamp;

/// What a caller showed: a bearer token, and the request's headers for hosts that use their own session.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The bearer token, from `Authorization`, a handshake or an `auth` frame.
    pub token: Option<String>,
    /// Header fields of the request or upgrade, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Credentials {
    /// Only a token.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            headers: Vec::new(),
        }
    }

    /// The first header field of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Who a caller is, from a verified credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The user, with what the credential says of him; an unknown one is made from it.
    pub user: NewUser,
    /// When the credential ends; a live session ends with it.
    pub expires_at: Option<Timestamp>,
    /// The login behind the credential, for revocation.
    pub login: Option<String>,
    /// Whether he may moderate: read reports, delete any message, suspend and mute users. Default false.
    pub moderator: bool,
}

impl Identity {
    /// A user whose credential does not end.
    #[must_use]
    pub fn new(id: UserId) -> Self {
        Self {
            user: NewUser::new(id),
            expires_at: None,
            login: None,
            moderator: false,
        }
    }
}

/// Turns credentials into an identity. The only source of identity: no payload carries one.
#[async_trait]
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Verifies.
    ///
    /// # Errors
    /// `unauthenticated` when nothing was shown, `token_expired` when it was good once, `token_invalid` otherwise;
    /// `unavailable` when it cannot be decided now.
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity>;

    /// Whether a login still stands; asked for live sessions from time to time.
    ///
    /// # Errors
    /// `unavailable` when it cannot be decided now; the session stays then.
    async fn login_stands(&self, login: &str) -> ChatResult<bool>;
}

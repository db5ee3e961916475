//! JSON Web Tokens as credentials (RFC 7519, RFC 7515), verified with `ring`.
//!
//! # Why not a JWT crate
//! `jsonwebtoken` 11 is the maintained one. Its `encode` and `decode` go through a process-global `CryptoProvider`: a
//! library may not install one for its host, and what the crate picks by itself follows from the features of the
//! whole build. With none, or with both `rust_crypto` and `aws_lc_rs` (one wanted here, the other by the host), the
//! first token panics; and these bring the `rsa` crate (RUSTSEC-2023-0071, no fix) or a C build of aws-lc. There is no
//! way to hand a provider to a single call. So the format is read here, in a few pages that the vectors of RFC 7515,
//! RFC 7519 and RFC 8037 test, and every cryptographic step is `ring`'s.
//!
//! # What is taken
//! HS256, RS256, ES256 and EdDSA (Ed25519). The algorithm belongs to the key; a token whose `alg` is not that of the
//! key is refused, whatever it says. `exp` is required and numeric, `nbf` is honoured, `crit` is refused, keys or
//! addresses of keys in the header are never looked at.

mod claims;
mod jws;
mod key;
mod spki;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::time::{Clock, SystemClock};

pub(crate) use claims::Claims;
pub(crate) use jws::{Jws, issue};
pub use key::{InvalidKey, JwtKey};

/// The longest a token may be wrong about the time.
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Takes bearer tokens that the host, or an identity provider, signed.
///
/// ```
/// use chat_axum::{JwtAuthenticator, JwtKey};
///
/// let key = JwtKey::hs256("at least thirty-two secret bytes").unwrap();
/// let auth = JwtAuthenticator::new([key]);
/// ```
pub struct JwtAuthenticator {
    keys: Vec<JwtKey>,
    leeway: Duration,
    issuer: Option<String>,
    audience: Option<String>,
    clock: Arc<dyn Clock>,
}

impl JwtAuthenticator {
    /// Takes tokens signed with any of these keys. A token that names a `kid` is tried with the keys of that name, or
    /// else with those without one.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            leeway: MAX_LEEWAY,
            issuer: None,
            audience: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// How far clocks may differ: at most, and by default, 60 seconds. Give it the engine's
    /// [`token_leeway`](chat_core::config::Limits::token_leeway).
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(MAX_LEEWAY);
        self
    }

    /// Only tokens with this `iss`.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Only tokens with this `aud`. Without it tokens that carry an `aud` are refused: they were made for somebody
    /// else (RFC 7519 §4.1.3).
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The claims of a good token.
    pub(crate) fn verify(&self, token: &str) -> ChatResult<Claims> {
        let jws = Jws::parse(token).ok_or_else(invalid)?;
        let kid = jws.header.kid.as_deref();
        let named = kid.is_some() && self.keys.iter().any(|key| key.kid() == kid);
        let good = self
            .keys
            .iter()
            .filter(|key| {
                kid.is_none()
                    || if named {
                        key.kid() == kid
                    } else {
                        key.kid().is_none()
                    }
            })
            .filter(|key| key.algorithm() == jws.header.alg)
            .any(|key| key.verifies(jws.signed, &jws.signature));
        if !good {
            return Err(invalid());
        }
        let claims = Claims::parse(&jws.payload).ok_or_else(invalid)?;
        if self.issuer.is_some() && claims.issuer() != self.issuer.as_deref() {
            return Err(invalid());
        }
        if !claims.is_for(self.audience.as_deref()) {
            return Err(invalid());
        }
        claims.check_time(self.clock.now(), self.leeway)?;
        Ok(claims)
    }
}

/// One answer for everything that is wrong with a token: the reason helps forgers only.
pub(crate) fn invalid() -> ChatError {
    ChatError::new(ErrorCode::TokenInvalid, "the token is not acceptable")
}

impl fmt::Debug for JwtAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("keys", &self.keys)
            .field("leeway", &self.leeway)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for JwtAuthenticator {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let token = credentials
            .token
            .as_deref()
            .ok_or_else(|| ChatError::new(ErrorCode::Unauthenticated, "no bearer token"))?;
        self.verify(token)?.into_identity()
    }

    /// Always: tokens of others are good until they expire.
    async fn login_stands(&self, _login: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

use std::time::Duration;

use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::UserId;
use chat_core::model::NewUser;
use chat_core::port::Identity;
use chat_core::time::Timestamp;
use serde::Deserialize;

/// 9999-12-31T23:59:59Z: what lies beyond is no date.
const MAX_SECONDS: f64 = 253_402_300_799.0;
/// Longest name taken over, in characters; `Limits::name_chars` of users who rename themselves.
const MAX_NAME: usize = 120;
/// Longest picture address taken over, in bytes.
const MAX_PICTURE: usize = 2_048;

/// The claims that mean something here; others are the host's own. A claim given twice spoils the token.
#[derive(Deserialize)]
pub(crate) struct Claims {
    sub: String,
    // A number, also in a fraction of seconds (RFC 7519 §2); a string is none.
    exp: f64,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
    pub(crate) jti: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    /// Whether he moderates this chat.
    chat_moderator: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let claims: Self = super::jws::object(payload)?;
        let dates = [Some(claims.exp), claims.nbf];
        dates
            .into_iter()
            .flatten()
            .all(|date| date.is_finite() && date <= MAX_SECONDS)
            .then_some(claims)
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    /// Whether the token is meant for `audience`; a token without one is for everybody.
    pub(super) fn is_for(&self, audience: Option<&str>) -> bool {
        match (&self.aud, audience) {
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
            (Some(Audience::One(one)), Some(audience)) => one == audience,
            (Some(Audience::Many(many)), Some(audience)) => many.iter().any(|one| one == audience),
        }
    }

    pub(super) fn check_time(&self, now: Timestamp, leeway: Duration) -> ChatResult<()> {
        if now >= timestamp(self.exp).after(leeway) {
            return Err(ChatError::new(ErrorCode::TokenExpired, "the token has expired"));
        }
        if self.nbf.is_some_and(|nbf| now.after(leeway) < timestamp(nbf)) {
            return Err(super::invalid());
        }
        Ok(())
    }

    /// When it ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        timestamp(self.exp)
    }

    /// Who it is about.
    pub(crate) fn into_identity(self) -> ChatResult<Identity> {
        let expires_at = Some(self.expires_at());
        let id = UserId::new(&self.sub).map_err(|_| super::invalid())?;
        let mut user = NewUser::new(id);
        user.name = self.name.and_then(|name| harmless_name(&name));
        user.avatar_url = self.picture.filter(|url| is_harmless_url(url));
        Ok(Identity {
            user,
            expires_at,
            login: None,
            moderator: self.chat_moderator.unwrap_or(false),
        })
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "Claims::parse has refused what does not fit"
)]
fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// A name as it may be stored and shown: no control characters, cut to length, `None` when nothing is left.
fn harmless_name(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Only addresses that a client can load; a `javascript:` one would run in it.
fn is_harmless_url(url: &str) -> bool {
    url.len() <= MAX_PICTURE
        && (url.starts_with("https://") || url.starts_with("http://"))
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

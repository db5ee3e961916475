//! Tokens of users who exist in no list: the server makes them when it sees a token it can trust.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A token for an hour.
pub(crate) fn token(secret: &str, user: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let body = format!(
        "{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(json!({ "sub": user, "name": user, "exp": now + 3600 }))
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    format!(
        "{body}.{}",
        URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, body.as_bytes()))
    )
}

//! Opaque tokens for cursors and sync positions: authenticated, bound to one user and one purpose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::id::UserId;

/// Longest token that is looked at, in characters.
const MAX_TOKEN: usize = 4096;
/// Bytes of the authentication code: 128 bits.
const TAG: usize = 16;

/// Seals and opens tokens with HMAC-SHA-256 (RFC 2104), truncated to 128 bits.
#[derive(Clone)]
pub(crate) struct Sealer {
    key: Vec<u8>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self { key: key.to_vec() }
    }

    fn mac(&self, user: &UserId, purpose: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        // Lengths keep (user, purpose) pairs apart whatever characters they hold.
        mac.update(&(user.as_str().len() as u64).to_be_bytes());
        mac.update(user.as_str().as_bytes());
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(body);
        Some(mac)
    }

    /// A token only `open` with the same user and purpose takes.
    pub(crate) fn seal(&self, user: &UserId, purpose: &str, content: &impl Serialize) -> String {
        let body = serde_json::to_vec(content).unwrap_or_default();
        let tag = self
            .mac(user, purpose, &body)
            .map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default();
        let mut token = tag.into_iter().take(TAG).collect::<Vec<u8>>();
        token.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The content of a token this server gave to this user for this purpose.
    pub(crate) fn open<T: DeserializeOwned>(&self, user: &UserId, purpose: &str, token: &str) -> Option<T> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, body) = bytes.split_at_checked(TAG)?;
        self.mac(user, purpose, body)?.verify_truncated_left(tag).ok()?;
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_user_and_purpose_only() {
        let sealer = Sealer::new(b"key");
        let (a, b) = (UserId::new("a").unwrap(), UserId::new("b").unwrap());
        let token = sealer.seal(&a, "inbox", &7u64);
        assert_eq!(sealer.open::<u64>(&a, "inbox", &token), Some(7));
        assert_eq!(sealer.open::<u64>(&b, "inbox", &token), None);
        assert_eq!(sealer.open::<u64>(&a, "members", &token), None);
        assert_eq!(sealer.open::<u64>(&a, "inbox", &token[..token.len() - 2]), None);
        assert_eq!(sealer.open::<u64>(&a, "inbox", "eyJhIjoxfQ"), None);
        assert_eq!(Sealer::new(b"other").open::<u64>(&a, "inbox", &token), None);
    }
}

//! The compact serialisation of signed tokens (RFC 7515 §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// The part of the header that matters. Keys and addresses of keys in it are not read.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
    crit: Option<Value>,
}

/// A token taken apart; nothing in it is verified yet.
pub(crate) struct Jws<'a> {
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// What the signature is over.
    pub(crate) signed: &'a str,
}

impl<'a> Jws<'a> {
    /// Takes a token apart. Three segments of canonical base64url without padding, or nothing: one token has one
    /// spelling. Headers that ask for extensions (`crit`) are refused, because none is known here.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // A fourth segment leaves a point in the payload, which is no base64url.
        let header: Header = object(&URL_SAFE_NO_PAD.decode(header).ok()?)?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            header,
            payload: URL_SAFE_NO_PAD.decode(payload).ok()?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            signed,
        })
    }

    /// The `kid` of a token, to choose who verifies it; not to be believed.
    pub(crate) fn kid(token: &str) -> Option<String> {
        Jws::parse(token)?.header.kid
    }
}

/// Reads a JSON object. (serde would take an array of the fields as well.)
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// A token with these claims, signed with HS256.
pub(crate) fn issue(key: &hmac::Key, kid: &str, claims: &impl Serialize) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid });
    let segment = |value: Vec<u8>| URL_SAFE_NO_PAD.encode(value);
    let mut token = format!(
        "{}.{}",
        segment(header.to_string().into_bytes()),
        segment(serde_json::to_vec(claims).unwrap_or_default())
    );
    let tag = hmac::sign(key, token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(tag.as_ref()));
    token
}

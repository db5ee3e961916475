//! A page to read the OpenAPI document with: one file, nothing loaded from elsewhere, nothing else may run in it.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

const STYLE: &str = include_str!("docs.css");
const SCRIPT: &str = include_str!("docs.js");

/// The page and the policy that fits it.
#[derive(Debug)]
pub(crate) struct Docs {
    pub(crate) page: String,
    pub(crate) policy: HeaderValue,
}

impl Docs {
    pub(crate) fn new() -> Self {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Chat API</title>\n<style>{STYLE}</style>\n\
             <body><nav id=\"nav\"></nav><main id=\"main\"><p>Loading …</p></main></body>\n\
             <script>{SCRIPT}</script>\n</html>\n"
        );
        let policy = format!(
            "default-src 'none'; connect-src 'self'; style-src {}; script-src {}; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            source(STYLE),
            source(SCRIPT)
        );
        Self {
            page,
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }
}

/// An inline text in a policy, by its hash (CSP Level 3 §2.3.1).
fn source(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
}

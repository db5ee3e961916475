//! A page to read the OpenAPI document with: one file, nothing loaded from elsewhere.

/// The page.
pub(crate) const PAGE: &str = include_str!("docs.html");

/// Only what is in the page runs, and it talks to its own origin only.
pub(crate) const POLICY: &str = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'; script-src 'unsafe-inline'";

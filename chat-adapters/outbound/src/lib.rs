//! What adapters share that call other servers: which URLs are taken, TLS, and a client without redirects, cookies or
//! proxies.

mod client;
mod retry;
mod tls;
mod url;

pub use client::{Client, client};
pub use retry::retry_after;
pub use tls::{TlsError, default_tls};
pub use url::{UrlError, checked};

//! What can go wrong, and what it is called outside.

use chat_core::error::{BackendError, BackendErrorKind};
use redis::RedisError;

const BACKEND: &str = "redis";

/// Why nothing could be set up. A server that cannot be reached is no reason: it is tried again for ever.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is none, or names something this build cannot do.
    #[error("this is no redis:// URL")]
    Url(#[source] RedisError),
}

/// Nothing in Redis is worth more than another try.
pub(crate) fn unavailable(error: RedisError, operation: &'static str) -> BackendError {
    BackendError::new(BackendErrorKind::Unavailable, BACKEND, operation).with_source(error)
}

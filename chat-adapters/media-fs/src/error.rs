use std::io::{Error, ErrorKind};

use chat_core::error::{BackendError, BackendErrorKind};

const BACKEND: &str = "media-fs";

/// A failed file operation. Everything here either takes effect by its last step or not at all, so a failure means
/// that nothing was changed.
pub(crate) fn failed(operation: &'static str) -> impl FnOnce(Error) -> BackendError {
    move |error| {
        let kind = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => BackendErrorKind::Full,
            _ => BackendErrorKind::Unavailable,
        };
        BackendError::new(kind, BACKEND, operation).with_source(error)
    }
}

/// A file that is not as long as it should be.
pub(crate) fn cut_short(operation: &'static str) -> BackendError {
    BackendError::new(BackendErrorKind::Corrupt, BACKEND, operation)
}

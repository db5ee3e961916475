use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ChatError;

/// An error as clients see it: the `error` of a socket answer, of a refused handshake and of one entry in a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorView {
    /// Stable code.
    pub code: &'static str,
    /// For people.
    pub detail: String,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When a retry makes sense, in milliseconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Names the answer in the log of the server. An entry in a batch has none: the answer around it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Machine-readable facts, such as `version` of a `version_conflict`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl ErrorView {
    /// Names the answer, so that a report of it can be found in the log.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }
}

impl From<&ChatError> for ErrorView {
    fn from(error: &ChatError) -> Self {
        Self {
            code: error.code().as_str(),
            detail: error.detail().to_owned(),
            field: error.field().map(str::to_owned),
            retry_after_ms: error.retry_after_ms(),
            request_id: None,
            details: error.details().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn absent_parts_are_left_out() {
        let plain = ErrorView::from(&ChatError::new(ErrorCode::NotFound, "gone"));
        assert_eq!(
            serde_json::to_value(&plain).unwrap(),
            json!({"code": "not_found", "detail": "gone"})
        );
    }

    #[test]
    fn every_part_is_shown_and_the_cause_is_not() {
        let error = ChatError::invalid("text", "too long")
            .with_retry_after(Duration::from_millis(1500))
            .with_fact("version", 3)
            .with_source(std::io::Error::other("secret"));
        let view = ErrorView::from(&error).with_request_id("r-1");
        assert_eq!(
            serde_json::to_value(&view).unwrap(),
            json!({
                "code": "invalid_argument", "detail": "too long", "field": "text", "retry_after_ms": 1500,
                "request_id": "r-1", "details": {"version": 3},
            })
        );
    }

    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (wait, told) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            let error = ChatError::new(ErrorCode::RateLimited, "too fast");
            let error = error.with_retry_after(Duration::from_micros(wait));
            assert_eq!(ErrorView::from(&error).retry_after_ms, Some(told), "{wait} µs");
        }
    }
}

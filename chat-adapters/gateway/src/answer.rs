use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::{IdGenerator, SystemIds};
use chat_core::view::ErrorView;
use serde_json::{Value, json};

/// A name for an answer that belongs to no session.
#[must_use]
pub fn new_request_id() -> String {
    SystemIds.next().to_string()
}

/// `{code, detail, …}` with the answer's name. Faults of the server are logged under it, without their inner cause:
/// that may hold what no log should.
#[must_use]
pub fn view(error: &ChatError, request_id: String) -> Value {
    if matches!(
        error.code(),
        ErrorCode::Internal | ErrorCode::StorageFull | ErrorCode::OutcomeUnknown
    ) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(code = %error.code(), %request_id, cause, "a command failed");
    }
    let view = ErrorView::from(error).with_request_id(request_id);
    // Strings, numbers and a JSON map: this does not fail.
    serde_json::to_value(&view).unwrap_or_else(|_| json!({ "code": error.code().as_str() }))
}

/// Refuses an HTTP request before it becomes a connection.
#[must_use]
pub fn refuse(status: StatusCode, error: &ChatError) -> Response {
    let Value::Object(mut problem) = view(error, new_request_id()) else {
        return status.into_response();
    };
    problem.insert(
        "type".to_owned(),
        json!(format!("urn:chat:problem:{}", error.code())),
    );
    problem.insert("title".to_owned(), json!(error.code().title()));
    problem.insert("status".to_owned(), json!(status.as_u16()));
    let mut response = (status, Value::Object(problem).to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

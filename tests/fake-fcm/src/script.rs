use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Refused with this status and this code of FCM.
    Refuse(u16, &'static str),
    /// Refused because of this field of the message.
    BadField(&'static str),
    /// Refused with this status, and asked to come again after so many seconds.
    RetryAfter(u16, u64),
    /// No answer at all.
    Hang,
    /// The connection is cut in the answer.
    Reset,
}

fn refusal(status: u16, details: &[Value]) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let general = match status.as_u16() {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let body = json!({ "error": {
        "code": status.as_u16(), "message": "as the script says", "status": general, "details": details,
    } });
    (status, Json(body)).into_response()
}

fn code(code: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code })
}

/// A refusal that FCM would make by itself.
pub(crate) fn unauthenticated() -> Response {
    refusal(401, &[])
}

/// As FCM answers a message that its schema does not allow.
pub(crate) fn invalid(field: &str) -> Response {
    let violation = json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{ "field": field, "description": "Invalid value" }],
    });
    refusal(400, &[code("INVALID_ARGUMENT"), violation])
}

pub(crate) async fn play(act: Act) -> Response {
    match act {
        Act::Refuse(status, word) => refusal(status, &[code(word)]),
        Act::BadField(field) => invalid(field),
        Act::RetryAfter(status, seconds) => {
            let mut response = refusal(status, &[code("QUOTA_EXCEEDED")]);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
        Act::Hang => std::future::pending().await,
        Act::Reset => {
            let cut = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
            Body::from_stream(cut).into_response()
        }
    }
}

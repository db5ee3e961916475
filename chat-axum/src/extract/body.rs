use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use chat_core::command::SyncRequest;
use chat_core::config::Limits;
use chat_core::decode;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use futures::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::state::ApiState;

/// A JSON object as body.
pub(crate) struct Payload<T>(pub(crate) T);

/// A JSON object as body, or no body, which counts as `{}`.
pub(crate) struct PayloadOrNothing<T>(pub(crate) T);

/// A JSON object as body that may name many known conversations.
pub(crate) struct SyncPayload(pub(crate) SyncRequest);

/// No body; an empty JSON object will do.
pub(crate) struct NoBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Reads the body up to the limit; a client that stops sending is given up.
async fn bytes(headers: &HeaderMap, body: Body, limits: &Limits) -> ChatResult<Vec<u8>> {
    let too_large = || ChatError::new(ErrorCode::PayloadTooLarge, "the body is over the limit");
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes) {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    loop {
        let next = tokio::time::timeout(limits.upload_idle, chunks.next())
            .await
            .map_err(|_| ChatError::invalid("body", "did not come in time"))?;
        match next {
            None => return Ok(bytes),
            Some(Err(_)) => return Err(ChatError::invalid("body", "ended early")),
            Some(Ok(chunk)) => {
                if bytes.len() + chunk.len() > limits.body_bytes {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|field| field.to_str().ok()) else {
        return false;
    };
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The JSON value of the body; `None` when there is no body and `optional`.
async fn value(
    request: Request,
    state: &ApiState,
    optional: bool,
    parse: fn(&[u8], &Limits) -> ChatResult<Value>,
) -> ChatResult<Option<Value>> {
    let limits = &state.engine.config().limits;
    let (parts, body) = request.into_parts();
    let json = is_json(&parts.headers);
    let untyped = !parts.headers.contains_key(CONTENT_TYPE);
    let not_json = || {
        ChatError::new(ErrorCode::UnsupportedMediaType, "expected application/json")
            .with_field("content-type")
    };
    if !json && !untyped && !optional {
        return Err(not_json());
    }
    let bytes = bytes(&parts.headers, body, limits).await?;
    if optional && bytes.is_empty() {
        return Ok(None);
    }
    if untyped && bytes.is_empty() {
        return Err(ChatError::invalid("body", "expected a JSON object"));
    }
    if !json {
        return Err(not_json());
    }
    parse(&bytes, limits).map(Some)
}

async fn payload<T: DeserializeOwned>(request: Request, state: &ApiState, optional: bool) -> ChatResult<T> {
    let value = value(request, state, optional, decode::parse).await?;
    decode::payload(value.unwrap_or_else(|| Value::Object(Map::new())))
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Payload<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self(payload(request, state, false).await?))
    }
}

impl FromRequest<ApiState> for SyncPayload {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let value = value(request, state, false, decode::parse_sync).await?;
        Ok(Self(decode::payload(value.unwrap_or_default())?))
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for PayloadOrNothing<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self(payload(request, state, true).await?))
    }
}

impl FromRequest<ApiState> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let _: Nothing = payload(request, state, true).await?;
        Ok(Self)
    }
}

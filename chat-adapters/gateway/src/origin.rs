use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::origin::OriginPolicy;

/// Checks the origin of a request, be it a poll or an upgrade.
///
/// # Errors
/// `forbidden`: a browser's page of another origin.
pub fn check_origin(policy: &OriginPolicy, request: &Parts) -> Result<(), ChatError> {
    let refused = || ChatError::new(ErrorCode::Forbidden, "this origin may not connect");
    let origin = match request.headers.get(ORIGIN) {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| refused())?),
    };
    let host = request
        .headers
        .get(HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri.authority().map(|authority| authority.as_str()));
    if policy.allows(origin, host) {
        Ok(())
    } else {
        Err(refused())
    }
}

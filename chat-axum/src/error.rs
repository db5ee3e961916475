//! Refusals as HTTP answers. The only place that knows status codes of [`ErrorCode`]s.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chat_core::error::{BackendError, ChatError, ErrorCode};

/// An error on its way out. The [`observe`](crate::observe) layer writes its body, because the request id is known
/// there.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    error: ChatError,
    status: StatusCode,
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A known path that does not take the method (RFC 9110 §15.5.6).
    pub(crate) fn method_not_allowed() -> Self {
        Self {
            error: ChatError::new(ErrorCode::NotFound, "this path does not take this method"),
            status: StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// A path that is not of this API.
    pub(crate) fn no_route() -> Self {
        ChatError::new(ErrorCode::NotFound, "no such path").into()
    }

    /// A range outside the file (RFC 9110 §15.5.17).
    pub(crate) fn range_not_satisfiable() -> Self {
        Self {
            error: ChatError::invalid("range", "outside the file"),
            status: StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    pub(crate) const fn error(&self) -> &ChatError {
        &self.error
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        Self {
            status: status(error.code()),
            error,
        }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        ChatError::from(code).into()
    }
}

impl From<BackendError> for ApiError {
    fn from(error: BackendError) -> Self {
        ChatError::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The status of a code.
pub(crate) const fn status(code: ErrorCode) -> StatusCode {
    use ErrorCode as C;
    match code {
        C::Unauthenticated | C::TokenExpired | C::TokenInvalid => StatusCode::UNAUTHORIZED,
        C::Forbidden | C::NotPermitted | C::YouBlocked => StatusCode::FORBIDDEN,
        C::NotFound
        | C::UserNotFound
        | C::ConversationNotFound
        | C::MessageNotFound
        | C::AttachmentNotFound => StatusCode::NOT_FOUND,
        C::Conflict | C::IdempotencyConflict | C::VersionConflict | C::ResetRequired => StatusCode::CONFLICT,
        C::ConversationGone => StatusCode::GONE,
        C::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        C::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        C::InvalidArgument
        | C::EmptyMessage
        | C::MessageTooLong
        | C::TooManyAttachments
        | C::CannotMessageSelf
        | C::GroupTooSmall
        | C::MemberLimitExceeded
        | C::InvalidCursor
        | C::QueryRequired
        | C::WindowClosed
        | C::InvalidTransition
        | C::InvalidOperation
        | C::OwnerCannotLeave
        | C::RejectedByPolicy => StatusCode::UNPROCESSABLE_ENTITY,
        C::RateLimited | C::SlowMode => StatusCode::TOO_MANY_REQUESTS,
        C::Unavailable | C::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        C::OutcomeUnknown => StatusCode::GATEWAY_TIMEOUT,
        C::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        // Also for codes a later core may add before this crate knows them.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let table: &[(u16, &[&str])] = &[
            (401, &["unauthenticated", "token_expired", "token_invalid"]),
            (403, &["forbidden", "not_permitted", "you_blocked"]),
            (
                404,
                &[
                    "not_found",
                    "user_not_found",
                    "conversation_not_found",
                    "message_not_found",
                    "attachment_not_found",
                ],
            ),
            (
                409,
                &[
                    "conflict",
                    "idempotency_conflict",
                    "version_conflict",
                    "reset_required",
                ],
            ),
            (410, &["conversation_gone"]),
            (413, &["payload_too_large"]),
            (415, &["unsupported_media_type"]),
            (
                422,
                &[
                    "invalid_argument",
                    "empty_message",
                    "message_too_long",
                    "too_many_attachments",
                    "cannot_message_self",
                    "group_too_small",
                    "member_limit_exceeded",
                    "invalid_cursor",
                    "query_required",
                    "window_closed",
                    "invalid_transition",
                    "invalid_operation",
                    "owner_cannot_leave",
                    "rejected_by_policy",
                ],
            ),
            (429, &["rate_limited", "slow_mode"]),
            (500, &["internal"]),
            (503, &["unavailable", "overloaded"]),
            (504, &["outcome_unknown"]),
            (507, &["storage_full"]),
        ];
        let listed: usize = table.iter().map(|(_, names)| names.len()).sum();
        assert_eq!(listed, ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            let (expected, _) = table
                .iter()
                .find(|(_, names)| names.contains(&code.as_str()))
                .unwrap();
            assert_eq!(status(*code).as_u16(), *expected, "{code}");
        }
    }
}

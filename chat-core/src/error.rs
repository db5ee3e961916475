//! What can go wrong: [`ChatError`] for callers of the engine, [`BackendError`] for the ports behind it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

/// Result of an engine call.
pub type ChatResult<T> = Result<T, ChatError>;
/// Result of a port call.
pub type BackendResult<T> = Result<T, BackendError>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $title:literal;)*) => {
        /// The stable codes of the wire contract. Adapters choose a status from them; nothing else
        /// tells errors apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable `snake_case` name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// A short human title, the same for every occurrence (RFC 9457 `title`).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// No credential was given.
    Unauthenticated = "unauthenticated", "Not authenticated";
    /// The credential was good and has expired.
    TokenExpired = "token_expired", "Token expired";
    /// The credential is not acceptable.
    TokenInvalid = "token_invalid", "Token not valid";
    /// The role of the caller does not allow it.
    Forbidden = "forbidden", "Forbidden";
    /// A setting of somebody else, or of the conversation, does not allow it.
    NotPermitted = "not_permitted", "Not permitted";
    /// The caller has blocked the other side.
    YouBlocked = "you_blocked", "You blocked this user";
    /// No such thing.
    NotFound = "not_found", "Not found";
    /// No such user, or not for the caller.
    UserNotFound = "user_not_found", "User not found";
    /// No such conversation, or not for the caller.
    ConversationNotFound = "conversation_not_found", "Conversation not found";
    /// No such message, or not for the caller.
    MessageNotFound = "message_not_found", "Message not found";
    /// No such attachment, or not for the caller.
    AttachmentNotFound = "attachment_not_found", "Attachment not found";
    /// The state does not allow it now.
    Conflict = "conflict", "Conflict";
    /// The client id was used for another payload.
    IdempotencyConflict = "idempotency_conflict", "Client id used for another payload";
    /// `expected_version` is not the current version; `details.version` is.
    VersionConflict = "version_conflict", "Version conflict";
    /// The conversation was deleted.
    ConversationGone = "conversation_gone", "Conversation deleted";
    /// More bytes than the limit.
    PayloadTooLarge = "payload_too_large", "Payload too large";
    /// A content type that is not taken.
    UnsupportedMediaType = "unsupported_media_type", "Unsupported media type";
    /// A field is missing, unknown or out of range.
    InvalidArgument = "invalid_argument", "Invalid argument";
    /// A message without content.
    EmptyMessage = "empty_message", "Empty message";
    /// A text over the limit.
    MessageTooLong = "message_too_long", "Message too long";
    /// More attachments than the limit.
    TooManyAttachments = "too_many_attachments", "Too many attachments";
    /// A direct conversation with oneself.
    CannotMessageSelf = "cannot_message_self", "Cannot message yourself";
    /// Fewer members than the policy asks for.
    GroupTooSmall = "group_too_small", "Group too small";
    /// More members than the limit.
    MemberLimitExceeded = "member_limit_exceeded", "Member limit exceeded";
    /// A cursor this server did not give to this caller for this list.
    InvalidCursor = "invalid_cursor", "Invalid cursor";
    /// A search without a query.
    QueryRequired = "query_required", "Query required";
    /// The time for this has passed.
    WindowClosed = "window_closed", "Window closed";
    /// The state machine has no such step.
    InvalidTransition = "invalid_transition", "Invalid transition";
    /// The target is not of the kind this works on.
    InvalidOperation = "invalid_operation", "Invalid operation";
    /// The owner has to hand over first.
    OwnerCannotLeave = "owner_cannot_leave", "Owner cannot leave";
    /// Too fast; `retry_after_ms` says when.
    RateLimited = "rate_limited", "Rate limited";
    /// The conversation's slow mode; `retry_after_ms` says when.
    SlowMode = "slow_mode", "Slow mode";
    /// The host's own policy; `details.policy_code` is its code.
    RejectedByPolicy = "rejected_by_policy", "Rejected by policy";
    /// The sync position cannot be served any more: start with an empty request.
    ResetRequired = "reset_required", "Reset required";
    /// Certainly no effect; retry.
    Unavailable = "unavailable", "Unavailable";
    /// Certainly no effect; retry later.
    Overloaded = "overloaded", "Overloaded";
    /// It may have happened; a retry with the same client id settles it.
    OutcomeUnknown = "outcome_unknown", "Outcome unknown";
    /// The store is full.
    StorageFull = "storage_full", "Storage full";
    /// A fault of the server.
    Internal = "internal", "Internal error";
}

impl ErrorCode {
    /// Whether the same request may succeed later without a change by the caller.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::SlowMode | Self::Unavailable | Self::Overloaded | Self::OutcomeUnknown
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a command was refused or failed: a stable code, a text that is safe to show, and the field at fault.
///
/// A refusal ([`ErrorCode`] other than [`OutcomeUnknown`](ErrorCode::OutcomeUnknown)) has certainly changed nothing.
#[derive(Debug, Clone)]
pub struct ChatError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: ErrorCode,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    details: Map<String, Value>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl ChatError {
    /// An error with this code and a text for people. The text must not hold message bodies, tokens or causes.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            field: None,
            retry_after: None,
            details: Map::new(),
            source: None,
        }))
    }

    /// `invalid_argument` about one field.
    #[must_use]
    pub fn invalid(field: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidArgument, problem).with_field(field)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Says when a retry makes sense, in whole milliseconds: rounded up, so that who waits as long as told does not
    /// come too early.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        let millis = u64::try_from(after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.0.retry_after = Some(Duration::from_millis(millis.max(1)));
        self
    }

    /// Adds a machine-readable fact to `details`.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    /// Keeps the cause for the log; it is never shown to clients.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The text for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The field at fault, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// When a retry makes sense.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The same in milliseconds, as `retry_after_ms` has it; at least 1.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0
            .retry_after
            .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
    }

    /// The same in seconds, as the header `Retry-After` has it: rounded up, at least 1.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_ms().map(|millis| millis.div_ceil(1_000))
    }

    /// Machine-readable facts, such as `version` of a `version_conflict`.
    #[must_use]
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.code.is_retryable()
    }
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some(field) => write!(f, "{}: {} ({field})", self.0.code, self.0.detail),
            None => write!(f, "{}: {}", self.0.code, self.0.detail),
        }
    }
}

impl StdError for ChatError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|s| s.as_ref() as &(dyn StdError + 'static))
    }
}

impl From<ErrorCode> for ChatError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.title())
    }
}

/// What kind of failure a port met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackendErrorKind {
    /// The backend could not be reached or refused to work: certainly nothing was changed.
    Unavailable,
    /// The answer was lost: the change may or may not have happened.
    OutcomeUnknown,
    /// The backend has no room left: nothing was changed.
    Full,
    /// What was read is not what this version writes.
    Corrupt,
    /// Anything else.
    Other,
}

/// A failure behind a port, with its cause.
#[derive(Debug, Clone)]
pub struct BackendError {
    kind: BackendErrorKind,
    backend: &'static str,
    operation: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl BackendError {
    /// A failure of `operation` in `backend`.
    #[must_use]
    pub const fn new(kind: BackendErrorKind, backend: &'static str, operation: &'static str) -> Self {
        Self {
            kind,
            backend,
            operation,
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> BackendErrorKind {
        self.kind
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            BackendErrorKind::Unavailable => "is unavailable",
            BackendErrorKind::OutcomeUnknown => "did not say whether it happened",
            BackendErrorKind::Full => "is full",
            BackendErrorKind::Corrupt => "holds something unreadable",
            BackendErrorKind::Other => "failed",
        };
        write!(f, "{} {what} ({})", self.backend, self.operation)
    }
}

impl StdError for BackendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|s| s.as_ref() as &(dyn StdError + 'static))
    }
}

impl From<BackendError> for ChatError {
    fn from(error: BackendError) -> Self {
        let (code, detail) = match error.kind {
            BackendErrorKind::Unavailable => (
                ErrorCode::Unavailable,
                "a backend is unavailable; nothing was changed",
            ),
            BackendErrorKind::OutcomeUnknown => (
                ErrorCode::OutcomeUnknown,
                "it may have happened; retry with the same client_id",
            ),
            BackendErrorKind::Full => (ErrorCode::StorageFull, "the storage is full; nothing was changed"),
            BackendErrorKind::Corrupt | BackendErrorKind::Other => (ErrorCode::Internal, "an internal error"),
        };
        Self::new(code, detail).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_snake_case_and_unique() {
        let mut seen = std::collections::HashSet::new();
        for code in ErrorCode::ALL {
            assert!(code.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(seen.insert(code.as_str()));
        }
    }

    #[test]
    fn a_backend_failure_never_shows_its_cause() {
        let cause = std::io::Error::other("password=secret");
        let error = ChatError::from(
            BackendError::new(BackendErrorKind::Other, "sqlite", "commit").with_source(cause),
        );
        assert_eq!(error.code(), ErrorCode::Internal);
        assert!(!error.to_string().contains("secret"));
        assert!(error.source().is_some());
    }
}

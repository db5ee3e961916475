//! How connections are closed.

use chat_core::error::{ChatError, ErrorCode};
use chat_core::live::EndReason;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};

/// A close code of the wire contract and the text that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close(u16, &'static str);

impl Close {
    pub(crate) const NORMAL: Self = Self(1000, "");
    pub(crate) const PROTOCOL: Self = Self(1002, "protocol error");
    pub(crate) const RESTART: Self = Self(1012, "server restart");
    pub(crate) const TRY_LATER: Self = Self(1013, "try again later");
    pub(crate) const NOT_AUTHENTICATED: Self = Self(4401, "not authenticated");
    pub(crate) const SESSION_ENDED: Self = Self(4403, "session ended");
    pub(crate) const AUTH_TIMEOUT: Self = Self(4408, "authentication timed out");
    pub(crate) const FRAME_TOO_LARGE: Self = Self(4413, "frame too large");
    pub(crate) const TOO_FAST: Self = Self(4429, "too fast");

    pub(crate) fn message(self) -> Message {
        Message::Close(Some(CloseFrame {
            code: self.0,
            reason: Utf8Bytes::from_static(self.1),
        }))
    }
}

impl From<EndReason> for Close {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::ServerRestart => Self::RESTART,
            EndReason::ClientGone => Self::NORMAL,
            EndReason::TokenExpired | EndReason::Revoked | EndReason::Lagged => Self::SESSION_ENDED,
        }
    }
}

/// For a client that could not be let in.
impl From<&ChatError> for Close {
    fn from(error: &ChatError) -> Self {
        match error.code() {
            ErrorCode::RateLimited => Self::TOO_FAST,
            ErrorCode::Unavailable | ErrorCode::Overloaded | ErrorCode::Internal => Self::TRY_LATER,
            _ => Self::NOT_AUTHENTICATED,
        }
    }
}

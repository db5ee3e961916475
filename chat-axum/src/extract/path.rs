use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::{AttachmentId, ConversationId, MessageId, ReportId, ScheduledId, UserId};

use crate::error::ApiError;

/// Something a path names. What cannot be its name does not exist: the answer is the same as for an unknown one.
pub(crate) trait PathSegment: Sized {
    /// Its name in the route.
    const NAME: &'static str;
    fn read(text: &str) -> Option<Self>;
    fn missing() -> ChatError;
}

macro_rules! id {
    ($name:literal, $id:ty, $code:ident) => {
        impl PathSegment for $id {
            const NAME: &'static str = $name;
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
            fn missing() -> ChatError {
                ErrorCode::$code.into()
            }
        }
    };
}

id!("id", ConversationId, ConversationNotFound);
id!("id", MessageId, MessageNotFound);
id!("id", AttachmentId, AttachmentNotFound);
id!("id", ReportId, NotFound);
id!("id", ScheduledId, NotFound);
id!("user_id", UserId, UserNotFound);

/// A message of the conversation that the path names before it.
pub(crate) struct MessageThere(pub(crate) MessageId);

impl PathSegment for MessageThere {
    const NAME: &'static str = "message_id";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    fn missing() -> ChatError {
        ErrorCode::MessageNotFound.into()
    }
}

/// The emoji of a reaction route.
pub(crate) struct Emoji(pub(crate) String);

impl PathSegment for Emoji {
    const NAME: &'static str = "emoji";
    fn read(text: &str) -> Option<Self> {
        (!text.contains('\0')).then(|| Self(text.to_owned()))
    }
    fn missing() -> ChatError {
        ChatError::invalid("emoji", "not readable")
    }
}

/// What the path names.
pub(crate) struct At<T>(pub(crate) T);

fn segment<T: PathSegment>(found: &Result<RawPathParams, String>) -> Result<T, ApiError> {
    let text = match found {
        // The host's own prefix may have parameters, even of the same name; ours come last.
        Ok(params) => params.iter().filter(|(name, _)| *name == T::NAME).last(),
        Err(_) => None,
    };
    text.and_then(|(_, text)| T::read(text))
        .ok_or_else(|| T::missing().into())
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, String> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|rejection| rejection.body_text())
}

impl<S: Send + Sync, T: PathSegment> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(segment(&params(parts, state).await)?))
    }
}

impl<S: Send + Sync, T: PathSegment, U: PathSegment> FromRequestParts<S> for At<(T, U)> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = params(parts, state).await;
        // Bytes that are no UTF-8 spoil the whole path; the text of the refusal says where they are.
        if let Err(text) = &found
            && text.contains(&format!("`{}`", U::NAME))
        {
            return Err(U::missing().into());
        }
        Ok(Self((segment(&found)?, segment(&found)?)))
    }
}

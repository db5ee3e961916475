use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Sends a message.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn send(&self, _message: SendMessage) -> ChatResult<SentMessage> {
        Err(ErrorCode::Internal.into())
    }
}

use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Says that he types, or has stopped.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn set_typing(&self, _typing: SetTyping) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
}
/// Who types where.
#[derive(Debug, Default)]
pub(crate) struct Typists {}

impl Actor {
    pub(crate) async fn typing_stopped_by_send(&self, _id: ConversationId) {}
}

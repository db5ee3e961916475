use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Edits a message.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn edit(&self, _edit: EditMessage) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
}

use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Deletes a message.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn delete_message(&self, _delete: DeleteMessage) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
}

use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Creates a group.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn create_group(&self, _create: CreateGroup) -> ChatResult<CreateGroupAnswer> {
        Err(ErrorCode::Internal.into())
    }
    /// Deletes a group.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn delete_conversation(&self, _id: ConversationId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
    /// Leaves a group.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn leave(&self, _id: ConversationId) -> ChatResult<()> {
        Err(ErrorCode::Internal.into())
    }
}

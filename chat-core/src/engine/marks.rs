use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// Moves delivered marks; answers in order.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn mark_delivered(&self, _marks: Marks) -> ChatResult<MarksAnswer> {
        Err(ErrorCode::Internal.into())
    }
    /// Moves read marks; answers in order.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn mark_read(&self, _marks: Marks) -> ChatResult<MarksAnswer> {
        Err(ErrorCode::Internal.into())
    }
    /// Marks as unread.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn mark_unread(&self, _mark: Mark) -> ChatResult<MarksAnswer> {
        Err(ErrorCode::Internal.into())
    }
    /// Reads every conversation.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn read_all(&self) -> ChatResult<ReadAllAnswer> {
        Err(ErrorCode::Internal.into())
    }
}

use crate::command::*;
use crate::engine::*;
use crate::error::*;
use crate::id::*;
use crate::model::*;
use crate::store::*;
use crate::view::*;

impl Actor {
    /// A step of a meeting proposal.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn step_meeting(&self, _id: MessageId, _step: StepMeeting) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
    /// Moves or ends a live location.
    ///
    /// # Errors
    /// See docs/errors.md.
    pub async fn move_location(&self, _id: MessageId, _change: MoveLocation) -> ChatResult<MessageView> {
        Err(ErrorCode::Internal.into())
    }
}

use crate::command::{MoveLocation, StepMeeting};
use crate::engine::Actor;
use crate::error::{ChatResult, ErrorCode};
use crate::id::MessageId;
use crate::model::{Meeting, MeetingStatus};
use crate::time::Timestamp;
use crate::view::MessageView;

/// Where a meeting stands by the clock: an unanswered proposal expires when its time comes, a confirmed meeting is
/// completed by it. Nothing has to run for that to happen.
pub(crate) fn effective_status(meeting: &Meeting, now: Timestamp) -> MeetingStatus {
    match meeting.status {
        status if meeting.scheduled_at > now => status,
        MeetingStatus::Pending | MeetingStatus::Rescheduled => MeetingStatus::Expired,
        MeetingStatus::Confirmed => MeetingStatus::Completed,
        status => status,
    }
}

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

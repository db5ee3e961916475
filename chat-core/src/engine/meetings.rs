//! Messages that live on after they were sent: proposals to meet, and locations that move.

use crate::access::Action;
use crate::command::{CommandName, MeetingAction, MoveLocation, StepMeeting};
use crate::config::Limits;
use crate::engine::changeset::ChangeSet;
use crate::engine::content::{check_chars, check_position};
use crate::engine::subject::{Scene, Subject, expect_version};
use crate::engine::{Actor, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{MessageId, UserId};
use crate::model::{Content, Location, Meeting, MeetingStatus, Message};
use crate::store::Facts;
use crate::time::Timestamp;
use crate::view::MessageView;

/// Who may take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Whoever did not propose the present time; in a group every such member.
    Invitee,
    /// Everybody in the conversation.
    Either,
}

/// Every step there is: from, by, who, to. What is not here is refused, so states without a row
/// are final.
const STEPS: [(MeetingStatus, MeetingAction, Side, MeetingStatus); 11] = {
    use MeetingAction::{Cancel, Complete, Confirm, Reject, Reschedule};
    use MeetingStatus::{Canceled, Completed, Confirmed, Pending, Rejected, Rescheduled};
    use Side::{Either, Invitee};
    [
        (Pending, Confirm, Invitee, Confirmed),
        (Pending, Reject, Invitee, Rejected),
        (Pending, Cancel, Either, Canceled),
        (Pending, Reschedule, Either, Rescheduled),
        (Rescheduled, Confirm, Invitee, Confirmed),
        (Rescheduled, Reject, Invitee, Rejected),
        (Rescheduled, Cancel, Either, Canceled),
        (Rescheduled, Reschedule, Either, Rescheduled),
        (Confirmed, Reschedule, Either, Rescheduled),
        (Confirmed, Cancel, Either, Canceled),
        (Confirmed, Complete, Either, Completed),
    ]
};

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

/// The state a step leads to.
///
/// # Errors
/// `invalid_transition` when there is no such step from here; `forbidden` when it is the other side's.
fn next_status(
    meeting: &Meeting,
    action: MeetingAction,
    actor: &UserId,
    now: Timestamp,
) -> ChatResult<MeetingStatus> {
    let status = effective_status(meeting, now);
    let (_, _, side, to) = STEPS
        .into_iter()
        .find(|(from, by, _, _)| *from == status && *by == action)
        .ok_or_else(|| ChatError::new(ErrorCode::InvalidTransition, "not from where the meeting stands"))?;
    if side == Side::Invitee && meeting.proposed_by == *actor {
        return Err(ChatError::new(
            ErrorCode::Forbidden,
            "the other side answers this proposal",
        ));
    }
    Ok(to)
}

impl Actor {
    /// Takes a step of a proposal to meet: the invitee confirms or rejects, either side cancels, proposes another
    /// time or says that it took place. Who proposes another time waits for the others.
    ///
    /// # Errors
    /// - `invalid_argument` (`scheduled_at`, `place`): missing, not in the future, too long, or not for this step.
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: no meeting, or a tombstone.
    /// - `version_conflict`: another step came first; `details.version` is the meeting's version.
    /// - `invalid_transition`: no such step from where it stands, by the clock too.
    /// - `forbidden`: the other side's step; `you_blocked`, `not_permitted`: as for sending.
    pub async fn step_meeting(&self, id: MessageId, step: StepMeeting) -> ChatResult<MessageView> {
        let about = self.about(CommandName::StepMeeting).message(id);
        self.command(about, self.step_meeting_past_hooks(id, step)).await
    }

    async fn step_meeting_past_hooks(&self, id: MessageId, step: StepMeeting) -> ChatResult<MessageView> {
        check_step(&step, &self.engine().config().limits)?;
        let subject = self.subject(id).await?;
        let needs = subject.needs();
        let me = self.user_id().clone();
        let message = self
            .commit(needs, move |facts| decide_step(&subject, &step, &me, facts))
            .await?;
        self.render_changed(message).await
    }

    /// Moves the caller's live location, or ends it.
    ///
    /// # Errors
    /// - `invalid_argument`: neither or both of a position and `stop`, half a position, or one not on earth.
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: no live location, or a tombstone.
    /// - `forbidden`: somebody else's; `you_blocked`, `not_permitted`: as for sending.
    /// - `invalid_transition`: it has ended.
    pub async fn move_location(&self, id: MessageId, change: MoveLocation) -> ChatResult<MessageView> {
        let about = self.about(CommandName::MoveLocation).message(id);
        self.command(about, self.move_location_past_hooks(id, change))
            .await
    }

    async fn move_location_past_hooks(&self, id: MessageId, change: MoveLocation) -> ChatResult<MessageView> {
        let target = check_move(&change)?;
        let subject = self.subject(id).await?;
        let needs = subject.needs();
        let message = self
            .commit(needs, move |facts| decide_move(&subject, target, facts))
            .await?;
        self.render_changed(message).await
    }
}

fn check_step(step: &StepMeeting, limits: &Limits) -> ChatResult<()> {
    if step.action != MeetingAction::Reschedule {
        return if step.scheduled_at.is_some() {
            Err(ChatError::invalid("scheduled_at", "only to reschedule"))
        } else if step.place.is_some() {
            Err(ChatError::invalid("place", "only to reschedule"))
        } else {
            Ok(())
        };
    }
    if step.scheduled_at.is_none() {
        return Err(ChatError::invalid("scheduled_at", "required to reschedule"));
    }
    match &step.place {
        Some(place) => check_chars("place".to_owned(), place, limits.place_chars),
        None => Ok(()),
    }
}

fn decide_step(
    subject: &Subject,
    step: &StepMeeting,
    actor: &UserId,
    facts: &Facts,
) -> ChatResult<Decision<Message>> {
    let scene = subject.look(facts)?;
    let message = scene.living()?;
    let Some(meeting) = &message.content.meeting else {
        return Err(ChatError::new(ErrorCode::InvalidOperation, "not a meeting"));
    };
    scene.allow(Action::Edit)?;
    expect_version(step.expected_version, meeting.version)?;
    let status = next_status(meeting, step.action, actor, facts.now)?;
    let mut meeting = meeting.clone();
    meeting.status = status;
    meeting.version = meeting.version.saturating_add(1);
    if let Some(at) = step.scheduled_at {
        if at <= facts.now {
            return Err(ChatError::invalid("scheduled_at", "in the future"));
        }
        meeting.scheduled_at = at;
        meeting.proposed_by = actor.clone();
    }
    if let Some(place) = &step.place {
        // The old point on the map belongs to the old place.
        meeting.location = None;
        meeting.place = Some(place.clone());
    }
    let content = Content {
        meeting: Some(meeting),
        ..message.content.clone()
    };
    Ok(rewrite(&scene, facts, content))
}

/// Where a live location goes; `None` ends it.
fn check_move(change: &MoveLocation) -> ChatResult<Option<(f64, f64)>> {
    match (change.latitude, change.longitude, change.stop) {
        (None, None, Some(true)) => Ok(None),
        (Some(latitude), Some(longitude), None | Some(false)) => {
            check_position("", latitude, longitude)?;
            Ok(Some((latitude, longitude)))
        }
        (Some(_), _, Some(true)) | (_, Some(_), Some(true)) => {
            Err(ChatError::invalid("stop", "either this or a position"))
        }
        (Some(_), None, _) => Err(ChatError::invalid("longitude", "required with latitude")),
        (None, _, _) => Err(ChatError::invalid(
            "latitude",
            "required, with longitude, or stop",
        )),
    }
}

fn decide_move(
    subject: &Subject,
    target: Option<(f64, f64)>,
    facts: &Facts,
) -> ChatResult<Decision<Message>> {
    let scene = subject.look(facts)?;
    let message = scene.living()?;
    let location = message.content.location.as_ref();
    let Some((location, until)) = location.and_then(|place| Some((place, place.live_until?))) else {
        return Err(ChatError::new(ErrorCode::InvalidOperation, "not a live location"));
    };
    scene.by_author()?;
    if until <= facts.now {
        return Err(ChatError::new(
            ErrorCode::InvalidTransition,
            "the live location has ended",
        ));
    }
    let moved = match target {
        Some((latitude, longitude)) => {
            scene.allow(Action::Edit)?;
            Location {
                latitude,
                longitude,
                ..location.clone()
            }
        }
        // Ending it takes something back, which stays possible when sending is not.
        None => {
            scene.allow(Action::DeleteOwn)?;
            Location {
                live_until: Some(facts.now),
                ..location.clone()
            }
        }
    };
    let content = Content {
        location: Some(moved),
        ..message.content.clone()
    };
    Ok(rewrite(&scene, facts, content))
}

fn rewrite(scene: &Scene<'_>, facts: &Facts, content: Content) -> Decision<Message> {
    let mut change = ChangeSet::of(scene.conversation, facts);
    let message = change.update_message(Message {
        content,
        ..scene.message.clone()
    });
    let answer = Message::clone(&message);
    change.event(ChatEvent::MessageUpdated { message });
    change.done(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> UserId {
        UserId::new(id).unwrap()
    }

    fn meeting(status: MeetingStatus) -> Meeting {
        Meeting {
            place: None,
            location: None,
            scheduled_at: Timestamp::from_millis(1_000),
            note: None,
            status,
            proposed_by: user("a"),
            version: 1,
        }
    }

    #[test]
    fn the_clock_ends_what_nobody_ended() {
        let at = |status, now| effective_status(&meeting(status), Timestamp::from_millis(now));
        assert_eq!(at(MeetingStatus::Pending, 999), MeetingStatus::Pending);
        assert_eq!(at(MeetingStatus::Pending, 1_000), MeetingStatus::Expired);
        assert_eq!(at(MeetingStatus::Rescheduled, 1_000), MeetingStatus::Expired);
        assert_eq!(at(MeetingStatus::Confirmed, 1_000), MeetingStatus::Completed);
        assert_eq!(at(MeetingStatus::Rejected, 1_000), MeetingStatus::Rejected);
    }

    #[test]
    fn the_proposer_waits_and_final_states_are_final() {
        let step = |status, action, who| {
            next_status(&meeting(status), action, &user(who), Timestamp::from_millis(0)).map_err(|e| e.code())
        };
        assert_eq!(
            step(MeetingStatus::Pending, MeetingAction::Confirm, "b"),
            Ok(MeetingStatus::Confirmed)
        );
        assert_eq!(
            step(MeetingStatus::Pending, MeetingAction::Confirm, "a"),
            Err(ErrorCode::Forbidden)
        );
        assert_eq!(
            step(MeetingStatus::Rescheduled, MeetingAction::Reject, "a"),
            Err(ErrorCode::Forbidden)
        );
        for status in [
            MeetingStatus::Rejected,
            MeetingStatus::Canceled,
            MeetingStatus::Expired,
            MeetingStatus::Completed,
        ] {
            assert_eq!(
                step(status, MeetingAction::Cancel, "b"),
                Err(ErrorCode::InvalidTransition)
            );
            assert_eq!(
                step(status, MeetingAction::Reschedule, "a"),
                Err(ErrorCode::InvalidTransition)
            );
        }
    }
}

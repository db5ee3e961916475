use std::time::Duration;

use chat_core::command::{MeetingAction, MeetingDraft, MoveLocation, SendMessage, StepMeeting};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{Location, MeetingStatus, MessageKind};
use chat_core::view::MessageView;

use crate::talk::{World, code, fault, user};

async fn propose(world: &World, to: ConversationId) -> MessageView {
    let meeting = MeetingDraft {
        place: Some("Café".to_owned()),
        location: None,
        scheduled_at: world.engine.now().after(Duration::from_secs(3_600)),
        note: None,
    };
    let message = SendMessage {
        conversation_id: Some(to),
        kind: MessageKind::Meeting,
        meeting: Some(meeting),
        ..SendMessage::default()
    };
    world.actor("a").send(message).await.unwrap().message
}

async fn step(
    world: &World,
    who: &str,
    id: MessageId,
    action: MeetingAction,
    expected_version: u32,
) -> ChatResult<(MeetingStatus, u32)> {
    let later = world.engine.now().after(Duration::from_secs(7_200));
    let step = StepMeeting {
        action,
        expected_version,
        scheduled_at: (action == MeetingAction::Reschedule).then_some(later),
        place: None,
    };
    let view = world.actor(who).step_meeting(id, step).await?;
    Ok(view
        .meeting
        .map(|meeting| (meeting.status, meeting.version))
        .unwrap())
}

#[tokio::test]
async fn the_invitee_answers_and_a_new_time_swaps_the_roles() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = propose(&world, d).await;
    use MeetingAction::{Cancel, Complete, Confirm, Reschedule};
    assert_eq!(
        code(step(&world, "a", m.id, Confirm, 1).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        step(&world, "b", m.id, Reschedule, 1).await.unwrap(),
        (MeetingStatus::Rescheduled, 2)
    );
    assert_eq!(
        code(step(&world, "b", m.id, Confirm, 2).await),
        ErrorCode::Forbidden
    );
    let error = step(&world, "a", m.id, Confirm, 1).await.unwrap_err();
    assert_eq!(
        (error.code(), error.details()["version"].as_u64()),
        (ErrorCode::VersionConflict, Some(2))
    );
    assert_eq!(
        step(&world, "a", m.id, Confirm, 2).await.unwrap(),
        (MeetingStatus::Confirmed, 3)
    );
    assert_eq!(
        code(step(&world, "a", m.id, Confirm, 3).await),
        ErrorCode::InvalidTransition
    );
    assert_eq!(
        step(&world, "b", m.id, Complete, 3).await.unwrap(),
        (MeetingStatus::Completed, 4)
    );
    assert_eq!(
        code(step(&world, "b", m.id, Cancel, 4).await),
        ErrorCode::InvalidTransition
    );
    assert_eq!(
        code(step(&world, "x", m.id, Cancel, 4).await),
        ErrorCode::MessageNotFound
    );
}

#[tokio::test]
async fn the_clock_expires_and_completes() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let (open, confirmed) = (propose(&world, d).await, propose(&world, d).await);
    step(&world, "b", confirmed.id, MeetingAction::Confirm, 1)
        .await
        .unwrap();
    world.pass(3_600);
    let status = |view: MessageView| view.meeting.unwrap().status;
    assert_eq!(
        status(world.message("b", open.id).await.unwrap()),
        MeetingStatus::Expired
    );
    assert_eq!(
        status(world.message("b", confirmed.id).await.unwrap()),
        MeetingStatus::Completed
    );
    assert_eq!(
        code(step(&world, "b", open.id, MeetingAction::Confirm, 1).await),
        ErrorCode::InvalidTransition
    );
}

#[tokio::test]
async fn steps_are_checked() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let (m, text) = (propose(&world, d).await, world.send("a", d, "x").await);
    assert_eq!(
        code(step(&world, "b", text.id, MeetingAction::Confirm, 1).await),
        ErrorCode::InvalidOperation
    );
    let reschedule = |scheduled_at, place| StepMeeting {
        action: MeetingAction::Reschedule,
        expected_version: 1,
        scheduled_at,
        place,
    };
    let b = world.actor("b");
    let now = world.engine.now();
    assert_eq!(
        fault(b.step_meeting(m.id, reschedule(None, None)).await).1,
        "scheduled_at"
    );
    assert_eq!(
        fault(b.step_meeting(m.id, reschedule(Some(now), None)).await).1,
        "scheduled_at"
    );
    let later = Some(now.after(Duration::from_secs(1)));
    assert_eq!(
        fault(
            b.step_meeting(m.id, reschedule(later, Some("x".repeat(501))))
                .await
        )
        .1,
        "place"
    );
    let moved = b
        .step_meeting(m.id, reschedule(later, Some("Park".to_owned())))
        .await
        .unwrap();
    let meeting = moved.meeting.unwrap();
    assert_eq!(
        (meeting.place.as_deref(), meeting.proposed_by),
        (Some("Park"), user("b"))
    );
}

#[tokio::test]
async fn a_live_location_moves_until_it_ends() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let send = |live: Option<u64>| {
        let location = Location {
            latitude: 1.0,
            longitude: 2.0,
            label: None,
            live_until: live.map(|seconds| world.engine.now().after(Duration::from_secs(seconds))),
        };
        let message = SendMessage {
            conversation_id: Some(d),
            kind: MessageKind::Location,
            location: Some(location),
            ..SendMessage::default()
        };
        let a = world.actor("a");
        async move { a.send(message).await.unwrap().message }
    };
    let to = |latitude, longitude| MoveLocation {
        latitude: Some(latitude),
        longitude: Some(longitude),
        stop: None,
    };
    let stop = MoveLocation {
        stop: Some(true),
        ..MoveLocation::default()
    };
    let (still, live, short) = (send(None).await, send(Some(600)).await, send(Some(60)).await);
    let a = world.actor("a");
    let moved = a.move_location(live.id, to(3.0, 4.0)).await.unwrap();
    assert_eq!(moved.location.unwrap().latitude, 3.0);
    assert!(moved.rev > short.rev);
    assert_eq!(world.unread("b", d).await, 3);
    assert_eq!(
        code(world.actor("b").move_location(live.id, to(3.0, 4.0)).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(a.move_location(still.id, to(3.0, 4.0)).await),
        ErrorCode::InvalidOperation
    );
    for (change, field) in [
        (to(91.0, 0.0), "latitude"),
        (to(0.0, f64::NAN), "longitude"),
        (
            MoveLocation {
                longitude: None,
                ..to(1.0, 1.0)
            },
            "longitude",
        ),
        (
            MoveLocation {
                latitude: None,
                ..to(1.0, 1.0)
            },
            "latitude",
        ),
        (
            MoveLocation {
                stop: Some(true),
                ..to(1.0, 1.0)
            },
            "stop",
        ),
        (MoveLocation::default(), "latitude"),
    ] {
        assert_eq!(
            fault(a.move_location(live.id, change).await),
            (ErrorCode::InvalidArgument, field.to_owned())
        );
    }
    let ended = a.move_location(live.id, stop.clone()).await.unwrap();
    assert_eq!(ended.location.unwrap().live_until, Some(world.engine.now()));
    assert_eq!(
        code(a.move_location(live.id, stop.clone()).await),
        ErrorCode::InvalidTransition
    );
    world.pass(60);
    assert_eq!(
        code(a.move_location(short.id, to(3.0, 4.0)).await),
        ErrorCode::InvalidTransition
    );
}

/// A meeting that `a` proposed, brought to a state; its version, and whose step it is that waits for an answer.
async fn in_state(world: &World, d: ConversationId, state: MeetingStatus) -> (MessageId, u32) {
    use MeetingAction::{Cancel, Complete, Confirm, Reject, Reschedule};
    let m = propose(world, d).await.id;
    let steps: &[(&str, MeetingAction)] = match state {
        MeetingStatus::Pending | MeetingStatus::Expired => &[],
        MeetingStatus::Confirmed => &[("b", Confirm)],
        MeetingStatus::Rescheduled => &[("a", Reschedule)],
        MeetingStatus::Rejected => &[("b", Reject)],
        MeetingStatus::Canceled => &[("b", Cancel)],
        MeetingStatus::Completed => &[("b", Confirm), ("a", Complete)],
    };
    let mut version = 1;
    for (who, action) in steps {
        version = step(world, who, m, *action, version).await.unwrap().1;
    }
    if state == MeetingStatus::Expired {
        world.pass(3_600);
    }
    (m, version)
}

/// Every state, every step, either side.
#[tokio::test]
async fn every_step_from_every_state_by_either_side() {
    use ErrorCode::{Forbidden, InvalidTransition};
    use MeetingAction::{Cancel, Complete, Confirm, Reject, Reschedule};
    use MeetingStatus::{Canceled, Completed, Confirmed, Expired, Pending, Rejected, Rescheduled};
    // What the proposer of the present time gets, then what the other side gets.
    type Row = (
        MeetingAction,
        Result<MeetingStatus, ErrorCode>,
        Result<MeetingStatus, ErrorCode>,
    );
    let open: [Row; 5] = [
        (Confirm, Err(Forbidden), Ok(Confirmed)),
        (Reject, Err(Forbidden), Ok(Rejected)),
        (Cancel, Ok(Canceled), Ok(Canceled)),
        (Reschedule, Ok(Rescheduled), Ok(Rescheduled)),
        (Complete, Err(InvalidTransition), Err(InvalidTransition)),
    ];
    let settled: [Row; 5] = [
        (Confirm, Err(InvalidTransition), Err(InvalidTransition)),
        (Reject, Err(InvalidTransition), Err(InvalidTransition)),
        (Cancel, Ok(Canceled), Ok(Canceled)),
        (Reschedule, Ok(Rescheduled), Ok(Rescheduled)),
        (Complete, Ok(Completed), Ok(Completed)),
    ];
    let last = [Confirm, Reject, Cancel, Reschedule, Complete]
        .map(|action| (action, Err(InvalidTransition), Err(InvalidTransition)));
    let table = [
        (Pending, open),
        (Rescheduled, open),
        (Confirmed, settled),
        (Rejected, last),
        (Canceled, last),
        (Expired, last),
        (Completed, last),
    ];
    for (state, rows) in table {
        for (action, proposer, other) in rows {
            for (who, expected) in [("a", proposer), ("b", other)] {
                let world = World::new().await;
                let d = world.direct("a", "b").await;
                let (m, version) = in_state(&world, d, state).await;
                // A step of a version that is over is refused whatever it is, and changes nothing.
                let rev = world.message("b", m).await.unwrap().rev;
                let stale = step(&world, who, m, action, version + 1).await;
                assert_eq!(
                    code(stale),
                    ErrorCode::VersionConflict,
                    "{state:?} {action:?} {who}"
                );
                let taken = step(&world, who, m, action, version).await;
                let after = world.message("b", m).await.unwrap();
                let meeting = after.meeting.unwrap();
                match expected {
                    Ok(status) => {
                        assert_eq!(
                            taken.unwrap(),
                            (status, version + 1),
                            "{state:?} {action:?} {who}"
                        );
                        assert!(after.rev > rev);
                        let proposes = if action == Reschedule { who } else { "a" };
                        assert_eq!(meeting.proposed_by, user(proposes));
                    }
                    Err(refusal) => {
                        assert_eq!(code(taken), refusal, "{state:?} {action:?} {who}");
                        assert_eq!(
                            (meeting.status, meeting.version, after.rev),
                            (state, version, rev)
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_live_location_ends_under_a_block_and_with_its_message() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let location = Location {
        latitude: 1.0,
        longitude: 2.0,
        label: None,
        live_until: Some(world.engine.now().after(Duration::from_secs(600))),
    };
    let live = SendMessage {
        conversation_id: Some(d),
        kind: MessageKind::Location,
        location: Some(location),
        ..SendMessage::default()
    };
    let a = world.actor("a");
    let live = a.send(live).await.unwrap().message;
    let on = MoveLocation {
        latitude: Some(3.0),
        longitude: Some(4.0),
        stop: None,
    };
    let stop = MoveLocation {
        stop: Some(true),
        ..MoveLocation::default()
    };
    world.actor("b").block(&user("a")).await.unwrap();
    assert_eq!(
        code(a.move_location(live.id, on.clone()).await),
        ErrorCode::NotPermitted
    );
    let ended = a.move_location(live.id, stop).await.unwrap();
    assert_eq!(ended.location.unwrap().live_until, Some(world.engine.now()));
    let delete = chat_core::command::DeleteMessage {
        message_id: live.id,
        scope: chat_core::command::DeletionScope::Everyone,
    };
    a.delete_message(delete).await.unwrap();
    assert_eq!(
        code(a.move_location(live.id, on).await),
        ErrorCode::InvalidOperation
    );
}

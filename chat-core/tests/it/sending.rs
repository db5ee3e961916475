//! What a send may be refused for, and what a repetition of it must not be.

use std::time::Duration;

use chat_core::command::{MeetingDraft, SendMessage};
use chat_core::config::{BlockedInGroup, Rate};
use chat_core::error::ErrorCode;
use chat_core::id::{ClientId, UserId};
use chat_core::model::{Location, MessageKind};

use crate::world::{World, code, refusal};

fn key(key: &str) -> Option<ClientId> {
    Some(ClientId::new(key).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_repetition_is_answered_after_its_meeting_and_its_live_location_are_over() {
    let world = World::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let soon = world.engine.now().after(Duration::from_secs(5));
    let meeting = SendMessage {
        conversation_id: Some(id),
        client_id: key("meeting"),
        kind: MessageKind::Meeting,
        meeting: Some(MeetingDraft {
            place: None,
            location: None,
            scheduled_at: soon,
            note: None,
        }),
        ..SendMessage::default()
    };
    let live = SendMessage {
        conversation_id: Some(id),
        client_id: key("live"),
        kind: MessageKind::Location,
        location: Some(Location {
            latitude: 1.0,
            longitude: 1.0,
            label: None,
            live_until: Some(soon),
        }),
        ..SendMessage::default()
    };
    let met = world.on(&ann).send(meeting.clone()).await.unwrap();
    let shared = world.on(&ann).send(live.clone()).await.unwrap();
    world.clock.advance(Duration::from_secs(6));

    let again = world.on(&ann).send(meeting.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.id, met.message.id);
    let again = world.on(&ann).send(live.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.id, shared.message.id);

    let late = |message: SendMessage| SendMessage {
        client_id: key("late"),
        ..message
    };
    assert_eq!(
        refusal(world.on(&ann).send(late(meeting)).await),
        (ErrorCode::InvalidArgument, "meeting.scheduled_at".to_owned())
    );
    assert_eq!(
        refusal(world.on(&ann).send(late(live)).await),
        (ErrorCode::InvalidArgument, "location.live_until".to_owned())
    );
    assert_eq!(world.conversation(id).await.last_seq, 2);
}

#[tokio::test(start_paused = true)]
async fn a_first_message_to_a_user_costs_what_opening_a_direct_costs() {
    let world = World::with(|config| config.limits.creates = Rate::new(2, 1));
    let [ann, bob, cat, dan, host] = world.users(["ann", "bob", "cat", "dan", "host"]).await;
    let to = |user: &UserId| SendMessage::text_to(user.clone(), "hi");
    let keyed = to(&bob).with_client_id(ClientId::new("k").unwrap());
    world.on(&ann).send(keyed.clone()).await.unwrap();
    // Neither a repetition nor a known direct costs anything.
    assert!(world.on(&ann).send(keyed).await.unwrap().replayed);
    world.on(&ann).send(to(&bob)).await.unwrap();
    world.on(&ann).send(to(&cat)).await.unwrap();
    assert_eq!(code(world.on(&ann).send(to(&dan)).await), ErrorCode::RateLimited);
    world.on(&ann).send(to(&cat)).await.unwrap();
    for other in [&ann, &bob, &cat, &dan] {
        world.engine.as_host(&host).send(to(other)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_replies_to_what_a_block_hides_from_him() {
    for (policy, answer) in [
        (BlockedInGroup::Hide, Some(ErrorCode::MessageNotFound)),
        (BlockedInGroup::Collapse, None),
        (BlockedInGroup::Show, None),
    ] {
        let world = World::with(|config| config.policies.blocked_in_group = policy);
        let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
        let id = world.group(&ann, &[&bob, &cat]).await;
        let said = world.on(&bob).send(SendMessage::text(id, "x")).await.unwrap();
        world.on(&ann).block(&bob).await.unwrap();
        let reply = || SendMessage {
            reply_to: Some(said.message.id),
            ..SendMessage::text(id, "y")
        };
        assert_eq!(world.on(&ann).send(reply()).await.err().map(|e| e.code()), answer);
        // The block is Ann's alone.
        world.on(&cat).send(reply()).await.unwrap();
        world.on(&bob).send(reply()).await.unwrap();
    }
}

/// Gateways poll what commands wait for on the stacks of their threads, several layers deep; a build without optimisation
/// copies it in each of them.
#[tokio::test]
async fn what_a_command_waits_for_takes_little_room() {
    let world = World::new();
    let [ann] = world.users(["ann"]).await;
    let device = world.connect(&ann).await;
    let command = device.session.execute("send_message", serde_json::json!({}));
    let size = std::mem::size_of_val(&command);
    assert!(size <= 2_048, "{size} bytes");
    let ann = world.on(&ann);
    let send = ann.send(SendMessage::default());
    let size = std::mem::size_of_val(&send);
    assert!(size <= 8_192, "{size} bytes");
}

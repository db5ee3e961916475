//! Live delivery: who gets an event, what each sees in it, and what happens when something on the way fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{
    AddMembers, DeleteMessage, DeletionScope, EditMessage, HistoryRequest, ReactTo, SendMessage,
};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::port::Hook;
use serde_json::Value;

use crate::world::{Device, World};

fn of<'a>(got: &'a [(&'static str, Value)], name: &str) -> Vec<&'a Value> {
    got.iter()
        .filter(|(n, _)| *n == name)
        .map(|(_, payload)| &payload["message"])
        .collect()
}

async fn message_id(world: &World, viewer: &UserId, id: ConversationId, seq: u64) -> MessageId {
    let page = world
        .on(viewer)
        .history(id, HistoryRequest::default())
        .await
        .unwrap();
    page.items.iter().find(|message| message.seq == seq).unwrap().id
}

async fn react(world: &World, user: &UserId, message_id: MessageId, emoji: &str) {
    world
        .on(user)
        .add_reaction(ReactTo {
            message_id,
            emoji: emoji.to_owned(),
        })
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_joins_right_after_a_message_does_not_get_it() {
    let world = World::new();
    let [ann, bob, cat, dan, eve] = world.users(["ann", "bob", "cat", "dan", "eve"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    let mut eves = world.connect(&eve).await;
    let actor = world.on(&ann);
    let add = |user: &UserId| AddMembers {
        user_ids: vec![user.clone()],
    };
    // One batch: the events go out when eve is a member already.
    let (dans, sent, joined) = tokio::join!(
        actor.add_members(id, add(&dan)),
        actor.send(SendMessage::text(id, "before eve")),
        actor.add_members(id, add(&eve)),
    );
    dans.unwrap();
    joined.unwrap();
    let seq = sent.unwrap().message.seq;
    assert!(
        world.member(id, &eve).await.intervals[0].from > seq,
        "the case needs eve to come last"
    );
    let got = eves.got().await;
    assert!(
        of(&got, "message_created")
            .iter()
            .all(|message| message["seq"].as_u64() > Some(seq)),
        "{got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn changes_reach_those_who_see_the_message_each_with_his_own_view() {
    let world = World::new();
    let [ann, bob, cat, dan, eve] = world.users(["ann", "bob", "cat", "dan", "eve"]).await;
    let id = world.group(&ann, &[&bob, &cat, &dan]).await;
    world.on(&dan).block(&ann).await.unwrap();
    let seq = world.send(&ann, id, "hello").await;
    let message = message_id(&world, &ann, id, seq).await;
    react(&world, &bob, message, "👍").await;
    world
        .on(&cat)
        .delete_message(DeleteMessage {
            message_id: message,
            scope: DeletionScope::Me,
        })
        .await
        .unwrap();
    world
        .on(&ann)
        .add_members(
            id,
            AddMembers {
                user_ids: vec![eve.clone()],
            },
        )
        .await
        .unwrap();
    let mut devices = Vec::new();
    for user in [&ann, &bob, &cat, &dan, &eve] {
        devices.push(world.connect(user).await);
    }
    let edit = EditMessage {
        message_id: message,
        text: "hello all".to_owned(),
        mentions: None,
        expected_version: None,
    };
    world.on(&ann).edit(edit).await.unwrap();
    let [ann_got, bob_got, cat_got, dan_got, eve_got] = got(&mut devices).await;

    let [anns] = of(&ann_got, "message_updated")[..] else {
        panic!("{ann_got:?}")
    };
    assert_eq!(
        (&anns["status"], &anns["reactions"][0]["mine"]),
        (&"sent".into(), &false.into())
    );
    let [bobs] = of(&bob_got, "message_updated")[..] else {
        panic!("{bob_got:?}")
    };
    assert_eq!(
        (&bobs["reactions"][0]["mine"], bobs.get("status")),
        (&true.into(), None)
    );
    assert_eq!(
        of(&cat_got, "message_updated"),
        Vec::<&Value>::new(),
        "cat deleted it for herself"
    );
    let [dans] = of(&dan_got, "message_updated")[..] else {
        panic!("{dan_got:?}")
    };
    assert_eq!(
        (&dans["from_blocked"], &dans["reactions"][0]["mine"]),
        (&true.into(), &false.into())
    );
    assert_eq!(
        of(&eve_got, "message_updated"),
        Vec::<&Value>::new(),
        "it was before eve's time"
    );
}

async fn got(devices: &mut [Device]) -> [Vec<(&'static str, Value)>; 5] {
    let mut all = Vec::new();
    for device in devices {
        all.push(device.got().await);
    }
    all.try_into().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_reply_shows_each_viewer_what_he_sees_of_its_target() {
    let world = World::new();
    let [ann, bob, cat, eve] = world.users(["ann", "bob", "cat", "eve"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    let seq = world.send(&ann, id, "question").await;
    let target = message_id(&world, &ann, id, seq).await;
    world
        .on(&ann)
        .add_members(
            id,
            AddMembers {
                user_ids: vec![eve.clone()],
            },
        )
        .await
        .unwrap();
    let (mut cats, mut eves) = (world.connect(&cat).await, world.connect(&eve).await);
    let reply = SendMessage {
        reply_to: Some(target),
        ..SendMessage::text(id, "answer")
    };
    world.on(&bob).send(reply).await.unwrap();
    let (cat_got, eve_got) = (cats.got().await, eves.got().await);
    let cats_view = &of(&cat_got, "message_created")[0]["reply_to"];
    assert_eq!(
        (&cats_view["state"], &cats_view["preview"]["text"]),
        (&"visible".into(), &"question".into())
    );
    let eves_view = &of(&eve_got, "message_created")[0]["reply_to"];
    assert_eq!(
        (&eves_view["state"], eves_view.get("preview")),
        (&"unavailable".into(), None)
    );
}

/// Panics over "boom" and hangs over "tar".
#[derive(Debug)]
struct BadHook;

#[async_trait]
impl Hook for BadHook {
    async fn after(&self, event: &ChatEvent) {
        if let ChatEvent::MessageCreated { message } = event {
            match message.text.as_str() {
                "boom" => panic!("a fault of the host"),
                "tar" => tokio::time::sleep(Duration::from_secs(3_600)).await,
                _ => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_or_hangs_costs_its_own_call_only() {
    let world = World::wired(|_| {}, |builder| builder.with_hook(Arc::new(BadHook)));
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let mut bobs = world.connect(&bob).await;
    world.send(&ann, id, "boom").await;
    world.send(&ann, id, "after the panic").await;
    assert_eq!(of(&bobs.got().await, "message_created").len(), 2);
    world.send(&ann, id, "tar").await;
    world.send(&ann, id, "after the hang").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(of(&bobs.got().await, "message_created").len(), 2);
    assert!(
        world.engine.drain(Duration::ZERO, Duration::from_secs(60)).await,
        "nothing stays in flight"
    );
}

#[tokio::test(start_paused = true)]
async fn commits_do_not_wait_for_delivery() {
    let world = World::wired(
        |config| {
            config.limits.creates = chat_core::config::Rate::new(1_000, 60_000);
        },
        |builder| builder.with_hook(Arc::new(BadHook)),
    );
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let (slow, other) = (world.direct(&ann, &bob).await, world.direct(&ann, &cat).await);
    let mut cats = world.connect(&cat).await;
    world.send(&ann, slow, "tar").await;
    // More than the slow lane holds.
    for n in 0..5_000 {
        let sent = world.on(&ann).send(SendMessage::text(slow, format!("{n}"))).await;
        assert_ne!(
            sent.map_err(|error| error.code()).err(),
            Some(ErrorCode::OutcomeUnknown)
        );
    }
    world.send(&ann, other, "hello").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let got = cats.got().await;
    let told = got
        .iter()
        .any(|(name, _)| *name == "message_created" || *name == "lagged");
    assert!(told, "the event, or word that something is missing: {got:?}");
}

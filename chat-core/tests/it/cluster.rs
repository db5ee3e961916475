//! Two nodes on one store, with the bus of one process between them.

use std::sync::Arc;

use chat_core::ChatEngine;
use chat_core::command::{SendMessage, SyncRequest};
use chat_core::memory::MemoryStore;
use chat_core::port::{Bus, BusSignal, Hint, LocalBus};
use chat_core::time::{Clock, ManualClock};

use crate::world::{World, id};

fn nodes() -> (World, ChatEngine) {
    let clock = Arc::new(ManualClock::default());
    let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let here = LocalBus::new();
    let there = here.join(1);
    let other = ChatEngine::builder(Arc::new(store.clone()))
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .with_secret("one secret")
        .with_bus(Arc::new(there))
        .build();
    let world = World::on_store(store, clock, |builder| {
        builder.with_secret("one secret").with_bus(Arc::new(here))
    });
    (world, other)
}

#[tokio::test(start_paused = true)]
async fn a_change_on_one_node_makes_sessions_on_the_other_sync() {
    let (world, other) = nodes();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let direct = world.direct(&ann, &bob).await;
    let (mut bobs, mut cats) = (world.connect(&bob).await, world.connect(&cat).await);
    let token = world.on(&bob).sync(SyncRequest::default()).await.unwrap().token;

    other
        .as_user(&ann)
        .send(SendMessage::text(direct, "from the other node"))
        .await
        .unwrap();
    let got = bobs.got().await;
    let [(name, payload)] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(
        (*name, &payload["conversation_ids"][0]),
        ("lagged", &serde_json::json!(direct))
    );
    assert_eq!(cats.got().await, [], "who is no member hears nothing");

    let request = SyncRequest {
        token: Some(token),
        ..SyncRequest::default()
    };
    let answer = world.on(&bob).sync(request).await.unwrap();
    assert_eq!(answer.conversations[0].messages.len(), 1);
}

#[tokio::test]
async fn who_is_too_far_behind_hears_of_the_gap() {
    let here = LocalBus::new();
    let there = here.join(1);
    for n in 0..3_000 {
        there
            .publish(Hint::User {
                id: id("a"),
                user_rev: n,
            })
            .await
            .unwrap();
    }
    assert_eq!(here.next().await, BusSignal::Gap);
    assert!(matches!(here.next().await, BusSignal::Hint(_)));
}

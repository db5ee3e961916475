//! Pushes that fail: each device by itself, as often as it is worth it, and never twice without need.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chat_core::command::{CreateGroup, PageRequest};
use chat_core::id::UserId;
use chat_core::memory::MemoryStore;
use chat_core::store::OutboxStore;
use chat_core::time::{Clock, ManualClock};

use crate::phones::{Act, Phones, later, register, with, world, world_with};
use crate::world::{World, group_of, id, settle};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_device_that_fails_is_tried_again_and_holds_up_nobody_else() {
    let (world, phones) = world();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    register(&world, &bob, "bob").await;
    register(&world, &bob, "tablet").await;
    register(&world, &cat, "cat").await;
    phones.play(
        "bob",
        &[Act::Fail(None), Act::Panic, Act::Fail(Some(10 * MINUTE))],
    );
    for n in 0..5 {
        world.send(&ann, id, &n.to_string()).await;
        settle().await;
    }
    let all: Vec<String> = (0..5).map(|n| format!("Name of ann: {n}")).collect();
    assert_eq!(phones.bodies("cat"), all);
    assert_eq!(phones.bodies("tablet"), all, "nor another device of his");
    assert_eq!(phones.calls("bob"), 1, "later pushes wait behind the first");
    later(&world, MINUTE).await;
    assert_eq!(phones.calls("bob"), 3);
    later(&world, 8 * MINUTE).await;
    assert_eq!(phones.calls("bob"), 3, "the provider asked for ten minutes");
    later(&world, 2 * MINUTE).await;
    assert_eq!(phones.bodies("bob"), all, "each once and in order");
    assert_eq!(world.engine.stats().pushes_sent, 15);
    assert_eq!(world.engine.stats().pushes_failed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_tried_eight_times_and_then_given_up() {
    let (world, phones) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "bob").await;
    phones.play("bob", &vec![Act::Fail(None); 8]);
    world.send(&ann, id, "lost").await;
    world.send(&ann, id, "goes on").await;
    for _ in 0..8 {
        later(&world, 10 * MINUTE).await;
    }
    assert_eq!(phones.calls("bob"), 9);
    assert_eq!(phones.bodies("bob"), ["goes on"]);
    let stats = world.engine.stats();
    assert_eq!((stats.pushes_given_up_attempts, stats.pushes_failed), (1, 8));
    assert_eq!(world.store().outbox_backlog("push").await.unwrap().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_given_up_when_its_life_is_over() {
    let (world, phones) = world_with(|config| {
        config.policies.push_life_direct = 10 * MINUTE;
        config.policies.push_life_group = 5 * MINUTE;
    });
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let (direct, group) = (
        world.direct(&ann, &bob).await,
        world.group(&ann, &[&bob, &cat]).await,
    );
    register(&world, &bob, "bob").await;
    phones.play("bob", &[Act::Fail(Some(6 * MINUTE)), Act::Fail(Some(6 * MINUTE))]);
    world.send(&ann, direct, "direct").await;
    settle().await;
    world.send(&ann, group, "group").await;
    settle().await;
    later(&world, 20 * MINUTE).await;
    assert_eq!(phones.bodies("bob"), Vec::<String>::new());
    assert_eq!(world.engine.stats().pushes_given_up_too_old, 2);
    assert_eq!(world.store().outbox_backlog("push").await.unwrap().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn dead_and_stale_devices_go_and_a_refused_push_costs_no_device() {
    let (world, phones) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let devices = async || {
        let listed = world.on(&bob).devices(PageRequest::default()).await.unwrap();
        listed
            .items
            .into_iter()
            .map(|device| device.token)
            .collect::<Vec<_>>()
    };
    register(&world, &bob, "stale").await;
    world.clock.advance(Duration::from_secs(60 * 86_400));
    register(&world, &bob, "dead").await;
    register(&world, &bob, "refused").await;
    register(&world, &bob, "failing").await;
    phones.play("dead", &[Act::Dead]);
    phones.play("refused", &[Act::Refuse]);
    phones.play("failing", &[Act::Fail(None)]);
    world.send(&ann, id, "one").await;
    settle().await;
    assert_eq!(devices().await, ["failing", "refused"]);
    assert_eq!(phones.calls("stale"), 0);
    let stats = world.engine.stats();
    assert_eq!((stats.push_devices_dead, stats.pushes_given_up_refused), (1, 1));
    later(&world, MINUTE).await;
    assert_eq!(phones.bodies("failing"), ["one"]);
    assert_eq!(phones.bodies("refused"), Vec::<String>::new());
}

/// A group of so many, each with a device named like its user.
async fn crowd(world: &World, ann: &UserId, size: usize) -> (chat_core::id::ConversationId, Vec<String>) {
    let names: Vec<String> = (0..size).map(|n| format!("u{n:04}")).collect();
    let mut others = Vec::new();
    for name in &names {
        let [user] = world.users([name.as_str()]).await;
        register(world, &user, name).await;
        others.push(user);
    }
    let group = CreateGroup {
        member_ids: others,
        ..group_of("Crowd", &[])
    };
    let created = world.on(ann).create_group(group).await.unwrap();
    world.happened().await;
    (created.conversation.id, names)
}

#[tokio::test(start_paused = true)]
async fn everybody_in_a_large_group_is_told_once_at_the_cost_of_one_entry() {
    let clock = Arc::new(ManualClock::default());
    let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let phones = Arc::new(Phones::default());
    let sending = World::on_store(store.clone(), Arc::clone(&clock), with(&phones));
    let [ann] = sending.users(["ann"]).await;
    let (group, names) = crowd(&sending, &ann, 450).await;
    // Its workers are gone, and what it sends waits.
    assert!(sending.engine.drain(Duration::ZERO, MINUTE).await);
    sending.send(&ann, group, "hello").await;
    let waiting = store.outbox_backlog("push").await.unwrap();
    assert_eq!(waiting.entries, 1);
    phones.play("u0003", &[Act::Fail(None)]);
    phones.play("u0333", &[Act::Fail(None), Act::Fail(None)]);
    let world = World::on_store(store, clock, with(&phones));
    later(&world, MINUTE).await;
    for name in &names {
        assert_eq!(phones.bodies(name), ["Name of ann: hello"], "{name}");
    }
    assert_eq!(world.store().outbox_backlog("push").await.unwrap().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_for_with_one_entry_and_few_calls() {
    let (world, phones) = world();
    let [ann] = world.users(["ann"]).await;
    let (group, names) = crowd(&world, &ann, 100).await;
    phones.set_down(true);
    world.send(&ann, group, "hello").await;
    settle().await;
    let calls: usize = names.iter().map(|name| phones.calls(name)).sum();
    assert!((16..48).contains(&calls), "{calls} calls until it was clear");
    assert_eq!(world.store().outbox_backlog("push").await.unwrap().entries, 1);
    later(&world, Duration::from_secs(8)).await;
    phones.set_down(false);
    later(&world, MINUTE).await;
    for name in &names {
        assert_eq!(phones.bodies(name).len(), 1, "{name}");
    }
}

/// Ends a node at every moment of its work; another one on the same store goes on.
#[tokio::test(start_paused = true)]
async fn a_node_that_dies_loses_no_push_and_repeats_each_at_most_once() {
    for moment in 0..12 {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let phones = Arc::new(Phones::default());
        let [ann, bob, cat] = ["ann", "bob", "cat"].map(id);
        let tokens = ["bob", "tablet", "cat"];
        {
            let first = World::on_store(store.clone(), Arc::clone(&clock), with(&phones));
            first.users(["ann", "bob", "cat"]).await;
            let group = first.group(&ann, &[&bob, &cat]).await;
            register(&first, &bob, "bob").await;
            register(&first, &bob, "tablet").await;
            register(&first, &cat, "cat").await;
            // Calls that hang and calls that fail are where a node may be when it dies.
            let script: &[Act] = match moment % 3 {
                0 => &[Act::Wait],
                1 => &[Act::Fail(None), Act::Wait],
                _ => &[Act::Fail(None)],
            };
            phones.play("bob", script);
            first.send(&ann, group, "hello").await;
            for _ in 0..moment / 3 {
                settle().await;
                clock.advance(Duration::from_secs(2));
                tokio::time::sleep(Duration::from_millis(600)).await;
            }
        }
        let second = World::on_store(store.clone(), clock, with(&phones));
        for _ in 0..4 {
            later(&second, MINUTE).await;
            phones.let_go().await;
        }
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for token in tokens {
            taken.insert(token, phones.bodies(token).len());
        }
        assert!(
            taken.values().all(|times| (1..=2).contains(times)),
            "moment {moment}: {taken:?}"
        );
        assert_eq!(store.outbox_backlog("push").await.unwrap().entries, 0);
    }
}

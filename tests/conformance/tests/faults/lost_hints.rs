//! Two nodes, and a bus that loses everything and does not notice: what one commits, sessions on the other hear of all the
//! same, from the store.

use std::sync::Arc;
use std::time::Duration;

use chat_conformance::faults::{Faults, FaultyBus};
use chat_core::ChatEngine;
use chat_core::command::SendMessage;
use chat_core::live::{Outbound, OutboundItem};
use chat_core::port::{Bus, LocalBus};
use serde_json::{Value, json};

use crate::crash_points::COMMANDS;
use crate::stage::{LONG, Scene, USERS, connect, scene, sights, told, user_id, without_revs};

/// By when, after the commit. Not of real time.
const BOUND: Duration = Duration::from_secs(5);

struct Nodes {
    here: ChatEngine,
    there: ChatEngine,
    between: FaultyBus,
    scene: Scene,
}

async fn nodes() -> Nodes {
    let scene = scene().await;
    let bus = LocalBus::new();
    let between = FaultyBus::new(Arc::new(bus.join(1)), &Faults::default());
    let node = |bus: Arc<dyn Bus>| {
        ChatEngine::builder(Arc::clone(&scene.inner))
            .with_secret("of both")
            .with_bus(bus)
            .build()
    };
    let there = node(Arc::new(between.clone()));
    let here = node(Arc::new(bus));
    // A look or two, so that both know where they are.
    tokio::time::sleep(LONG).await;
    Nodes {
        here,
        there,
        between,
        scene,
    }
}

fn payloads(outbound: &mut Outbound, name: &str) -> Vec<Value> {
    let mut payloads = Vec::new();
    while let Some(item) = outbound.try_next() {
        if let OutboundItem::Event(event) = item
            && event.name == name
        {
            payloads.push(serde_json::from_str(event.payload.get()).unwrap());
        }
    }
    payloads
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_node_commits_is_heard_of_within_five_seconds() {
    for (name, act) in COMMANDS {
        let nodes = nodes().await;
        let before = sights(&nodes.here).await;
        let mut sessions = Vec::new();
        for user in USERS {
            sessions.push(connect(&nodes.here, user).await);
        }
        tokio::time::sleep(LONG).await;
        for (_, outbound) in &mut sessions {
            told(outbound);
        }

        nodes.between.lose(true);
        act(nodes.there.as_user(&user_id("ada")), nodes.scene.stage)
            .await
            .unwrap();
        tokio::time::sleep(BOUND).await;

        let now = sights(&nodes.here).await;
        assert_ne!(before, now, "{name} does nothing");
        for (at, (_, outbound)) in sessions.iter_mut().enumerate() {
            let told = told(outbound);
            let changed = without_revs(&before[at]) != without_revs(&now[at]);
            assert!(!changed || !told.is_empty(), "{name}: {} was not told", USERS[at]);
        }
        tokio::time::sleep(LONG).await;
        for (at, (_, outbound)) in sessions.iter_mut().enumerate() {
            assert_eq!(told(outbound), [""; 0], "{name}: {} was told twice", USERS[at]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_out_or_hinted_is_not_told_again() {
    let nodes = nodes().await;
    let group = nodes.scene.stage.group;
    let (_session, mut bens) = connect(&nodes.here, "ben").await;
    let send = async |node: &ChatEngine| {
        let words = SendMessage::text(group, "words");
        node.as_user(&user_id("ada")).send(words).await.unwrap();
    };
    // Of a conversation that moved a moment before this node has anything to do with it, it may tell once too often.
    send(&nodes.here).await;
    tokio::time::sleep(LONG).await;
    payloads(&mut bens, "lagged");

    for turn in 0..20 {
        send(&nodes.here).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(
            payloads(&mut bens, "lagged"),
            [Value::Null; 0],
            "turn {turn}: handed out here"
        );
    }
    for turn in 0..20 {
        send(&nodes.there).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let hinted = json!({ "conversation_ids": [group] });
        assert_eq!(payloads(&mut bens, "lagged"), [hinted], "turn {turn}: hinted");
    }
    tokio::time::sleep(LONG).await;
    assert_eq!(payloads(&mut bens, "lagged"), [Value::Null; 0], "afterwards");
}

/// A message of each node in turn: what this node hands out does not hide what the other one did in between.
#[tokio::test(start_paused = true)]
async fn own_messages_do_not_hide_what_was_not_told() {
    let nodes = nodes().await;
    let group = nodes.scene.stage.group;
    let (_session, mut bens) = connect(&nodes.here, "ben").await;
    tokio::time::sleep(LONG).await;
    payloads(&mut bens, "lagged");
    nodes.between.lose(true);
    for node in [&nodes.here, &nodes.there, &nodes.here] {
        let words = SendMessage::text(group, "words");
        node.as_user(&user_id("ada")).send(words).await.unwrap();
    }
    tokio::time::sleep(BOUND).await;
    assert_eq!(
        payloads(&mut bens, "lagged"),
        [json!({ "conversation_ids": [group] })]
    );
}

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chat_core::command::{DeletionScope, EditMessage, ReactTo};
use chat_core::config::BlockedInGroup;
use chat_core::error::BackendResult;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::{MessageId, UserId};
use chat_core::model::User;
use chat_core::port::UserDirectory;
use serde_json::json;
use tokio::sync::Notify;

use crate::talk::{World, code, fault, user};
use crate::world;

fn react(message_id: MessageId, emoji: &str) -> ReactTo {
    ReactTo {
        message_id,
        emoji: emoji.to_owned(),
    }
}

#[tokio::test]
async fn adding_and_removing_are_idempotent() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    let (added, events) = world
        .events(world.actor("b").add_reaction(react(m.id, "❤\u{fe0f}")))
        .await;
    let added = added.unwrap();
    let reactions = added.reactions.unwrap();
    assert_eq!(
        (reactions[0].count, reactions[0].mine, &reactions[0].users),
        (1, true, &vec![user("b")])
    );
    assert!(added.rev > m.rev);
    assert!(matches!(&events[..], [ChatEvent::MessageUpdated { .. }]));
    let (again, events) = world
        .events(world.actor("b").add_reaction(react(m.id, "❤")))
        .await;
    assert_eq!((again.unwrap().rev, events.len()), (added.rev, 0));
    world.actor("a").add_reaction(react(m.id, "❤")).await.unwrap();
    let view = world.message("b", m.id).await.unwrap();
    assert_eq!(view.reactions.unwrap()[0].count, 2);
    for who in ["a", "b"] {
        world.actor(who).remove_reaction(react(m.id, "❤")).await.unwrap();
    }
    let (again, events) = world
        .events(world.actor("b").remove_reaction(react(m.id, "❤")))
        .await;
    assert!(again.unwrap().reactions.is_none() && events.is_empty());
    assert_eq!(world.unread("b", d).await, 1);
}

#[tokio::test]
async fn emoji_are_bounded() {
    let world = World::with(|config| config.limits.reactions = 3).await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    let b = world.actor("b");
    let refused = (ErrorCode::InvalidArgument, "emoji".to_owned());
    for emoji in ["", " ", "\u{fe0f}", &"x".repeat(65), "a\nb"] {
        assert_eq!(
            fault(b.add_reaction(react(m.id, emoji)).await),
            refused,
            "{emoji:?}"
        );
    }
    for emoji in ["1", "2", &"x".repeat(64)] {
        b.add_reaction(react(m.id, emoji)).await.unwrap();
    }
    assert_eq!(fault(b.add_reaction(react(m.id, "4")).await), refused);
    world.actor("a").add_reaction(react(m.id, "2")).await.unwrap();
}

#[tokio::test]
async fn not_on_tombstones_not_by_strangers_not_under_a_block() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    assert_eq!(
        code(world.actor("x").add_reaction(react(m[0].id, "1")).await),
        ErrorCode::MessageNotFound
    );
    world.delete("a", m[0].id, DeletionScope::Everyone).await.unwrap();
    assert_eq!(
        code(world.actor("b").add_reaction(react(m[0].id, "1")).await),
        ErrorCode::InvalidOperation
    );
    world.block("a", "b", true).await;
    assert_eq!(
        code(world.actor("b").add_reaction(react(m[1].id, "1")).await),
        ErrorCode::NotPermitted
    );
    assert_eq!(
        code(world.actor("a").add_reaction(react(m[1].id, "1")).await),
        ErrorCode::YouBlocked
    );
}

#[tokio::test]
async fn one_user_adds_so_many_kinds() {
    let world = World::with(|config| config.limits.reactions_per_user = 2).await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    let b = world.actor("b");
    for emoji in ["1", "2", "2"] {
        b.add_reaction(react(m.id, emoji)).await.unwrap();
    }
    let refused = (ErrorCode::InvalidArgument, "emoji".to_owned());
    assert_eq!(fault(b.add_reaction(react(m.id, "3")).await), refused);
    assert_eq!(fault(b.toggle_reaction(react(m.id, "3")).await), refused);
    world.actor("a").add_reaction(react(m.id, "3")).await.unwrap();
    b.toggle_reaction(react(m.id, "1")).await.unwrap();
    b.toggle_reaction(react(m.id, "3")).await.unwrap();
    let view = world.message("b", m.id).await.unwrap();
    let reactions = view.reactions.unwrap();
    let kinds: Vec<_> = reactions
        .iter()
        .map(|r| (r.emoji.as_str(), r.count, r.mine))
        .collect();
    assert_eq!(kinds, [("2", 1, true), ("3", 2, true)]);
}

/// A directory that, once armed, keeps who asks for this user waiting, the first time.
#[derive(Debug, Default)]
struct Gate {
    armed: Mutex<Option<UserId>>,
    reached: Notify,
    open: Notify,
}

#[async_trait]
impl UserDirectory for Gate {
    async fn find(&self, _user: &UserId) -> BackendResult<Option<chat_core::model::NewUser>> {
        Ok(None)
    }

    async fn enrich(&self, users: &mut [User]) -> BackendResult<()> {
        let waits = {
            let mut armed = self.armed.lock().unwrap();
            armed
                .take_if(|id| users.iter().any(|user| user.id == *id))
                .is_some()
        };
        if waits {
            self.reached.notify_one();
            self.open.notified().await;
        }
        Ok(())
    }
}

/// An event that is rendered while somebody reacts shows him a count with his own reaction in it, or neither.
#[tokio::test(start_paused = true)]
async fn what_an_event_says_of_reactions_is_of_one_moment() {
    let gate = Arc::new(Gate::default());
    let world = world::World::wired(
        |_| {},
        |builder| builder.with_directory(Arc::clone(&gate) as Arc<dyn UserDirectory>),
    );
    let [ann, bob, cem] = world.users(["ann", "bob", "cem"]).await;
    let group = world.group(&ann, &[&bob, &cem]).await;
    let mut bobs = world.connect(&bob).await;
    let sent = chat_core::command::SendMessage::text(group, "x");
    let id = world.on(&ann).send(sent).await.unwrap().message.id;
    bobs.got().await;
    // Bob's sight of the change is rendered up to the gate, and then he reacts.
    *gate.armed.lock().unwrap() = Some(bob.clone());
    let edit = EditMessage {
        message_id: id,
        text: "y".to_owned(),
        mentions: None,
        expected_version: None,
    };
    world.on(&ann).edit(edit).await.unwrap();
    gate.reached.notified().await;
    world.on(&bob).add_reaction(react(id, "1")).await.unwrap();
    gate.open.notify_one();
    let told = bobs.got_of("message_updated").await;
    assert_eq!(told.len(), 2);
    for payload in told {
        let reactions = payload["message"]["reactions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for reaction in reactions {
            assert_eq!((&reaction["count"], &reaction["mine"]), (&json!(1), &json!(true)));
        }
    }
}

/// Under `hide`, reactions of a blocked user are gone for who blocked him, and for nobody else.
#[tokio::test(start_paused = true)]
async fn events_leave_out_reactions_for_who_blocked_their_user() {
    let world = world::World::with(|config| config.policies.blocked_in_group = BlockedInGroup::Hide);
    let [ann, bob, cem, dan, eve] = world.users(["ann", "bob", "cem", "dan", "eve"]).await;
    let group = world.group(&ann, &[&bob, &cem, &dan, &eve]).await;
    world.on(&bob).block(&eve).await.unwrap();
    world.on(&dan).block(&eve).await.unwrap();
    let sent = chat_core::command::SendMessage::text(group, "x");
    let id = world.on(&ann).send(sent).await.unwrap().message.id;
    let mut devices = Vec::new();
    for user in [&ann, &bob, &cem, &dan] {
        devices.push(world.connect(user).await);
    }
    for (user, emoji) in [(&eve, "1"), (&cem, "2"), (&bob, "1")] {
        world.on(user).add_reaction(react(id, emoji)).await.unwrap();
    }
    for (device, (seen, mine)) in devices.iter_mut().zip([
        (json!([["1", 2], ["2", 1]]), json!([])),
        (json!([["2", 1], ["1", 1]]), json!(["1"])),
        (json!([["1", 2], ["2", 1]]), json!(["2"])),
        (json!([["2", 1], ["1", 1]]), json!([])),
    ]) {
        let last = device.got_of("message_updated").await.pop().unwrap();
        let reactions = last["message"]["reactions"].as_array().unwrap();
        let counts: Vec<_> = reactions
            .iter()
            .map(|r| json!([r["emoji"], r["count"]]))
            .collect();
        let own: Vec<_> = reactions
            .iter()
            .filter(|r| r["mine"] == true)
            .map(|r| &r["emoji"])
            .collect();
        assert_eq!((json!(counts), json!(own)), (seen, mine));
    }
}

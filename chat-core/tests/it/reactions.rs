use chat_core::command::{DeletionScope, ReactTo};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::MessageId;

use crate::talk::{World, code, fault, user};

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

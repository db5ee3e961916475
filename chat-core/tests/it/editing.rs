use std::time::Duration;

use chat_core::command::{DeletionScope, EditMessage, SendMessage};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::MessageId;
use chat_core::model::{Location, MessageKind, Permission};

use crate::talk::{World, code, user};

fn edit(message_id: MessageId, text: &str) -> EditMessage {
    EditMessage {
        message_id,
        text: text.to_owned(),
        mentions: None,
        expected_version: None,
    }
}

#[tokio::test]
async fn an_edit_keeps_place_and_unread_and_counts_versions() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    world.read("b", d, 2).await.unwrap();
    world.pass(5);
    let (edited, events) = world.events(world.actor("a").edit(edit(m[0].id, "new"))).await;
    let edited = edited.unwrap();
    assert_eq!(
        (edited.text.as_deref(), edited.version, edited.seq),
        (Some("new"), 2, 1)
    );
    assert_eq!(edited.edited_at, Some(world.engine.now()));
    assert!(edited.rev > m[1].rev);
    assert!(matches!(&events[..], [ChatEvent::MessageUpdated { message }] if message.rev == edited.rev));
    assert_eq!(world.unread("b", d).await, 0);
    let (again, events) = world.events(world.actor("a").edit(edit(m[0].id, "new"))).await;
    assert_eq!((again.unwrap().version, events.len()), (2, 0));
}

#[tokio::test]
async fn only_the_author_and_only_what_is_text() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    assert_eq!(
        code(world.actor("b").edit(edit(m.id, "y")).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.actor("x").edit(edit(m.id, "y")).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, " \n")).await),
        ErrorCode::EmptyMessage
    );
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, &"x".repeat(10_001))).await),
        ErrorCode::MessageTooLong
    );
    assert!(
        world
            .actor("a")
            .edit(edit(m.id, &"x".repeat(10_000)))
            .await
            .is_ok()
    );
    let place = SendMessage {
        conversation_id: Some(d),
        kind: MessageKind::Location,
        location: Some(Location {
            latitude: 1.0,
            longitude: 2.0,
            label: None,
            live_until: None,
        }),
        ..SendMessage::default()
    };
    let place = world.actor("a").send(place).await.unwrap().message;
    assert_eq!(
        code(world.actor("a").edit(edit(place.id, "y")).await),
        ErrorCode::InvalidOperation
    );
    world.delete("a", m.id, DeletionScope::Everyone).await.unwrap();
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, "y")).await),
        ErrorCode::InvalidOperation
    );
    world.delete("a", place.id, DeletionScope::Me).await.unwrap();
    assert_eq!(
        code(world.actor("a").edit(edit(place.id, "y")).await),
        ErrorCode::MessageNotFound
    );
}

#[tokio::test]
async fn the_window_is_closed_after_its_last_moment() {
    let world = World::with(|config| config.policies.edit_window = Some(Duration::from_secs(60))).await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.pass(60);
    assert!(world.actor("a").edit(edit(m.id, "y")).await.is_ok());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, "z")).await),
        ErrorCode::WindowClosed
    );
}

#[tokio::test]
async fn an_unexpected_version_is_a_conflict_that_names_the_present_one() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.actor("a").edit(edit(m.id, "y")).await.unwrap();
    let stale = EditMessage {
        expected_version: Some(1),
        ..edit(m.id, "z")
    };
    let error = world.actor("a").edit(stale).await.unwrap_err();
    assert_eq!(
        (error.code(), error.details()["version"].as_u64()),
        (ErrorCode::VersionConflict, Some(2))
    );
    let right = EditMessage {
        expected_version: Some(2),
        ..edit(m.id, "z")
    };
    assert_eq!(world.actor("a").edit(right).await.unwrap().version, 3);
}

#[tokio::test]
async fn the_right_to_write_is_asked_again() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.block("a", "b", true).await;
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, "y")).await),
        ErrorCode::YouBlocked
    );
    world.block("a", "b", false).await;
    world.block("b", "a", true).await;
    assert_eq!(
        code(world.actor("a").edit(edit(m.id, "y")).await),
        ErrorCode::NotPermitted
    );
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("b", g, "x").await;
    world
        .change(g, |conversation, _| conversation.frozen = true)
        .await;
    assert_eq!(
        code(world.actor("b").edit(edit(m.id, "y")).await),
        ErrorCode::NotPermitted
    );
    world
        .change(g, |conversation, _| {
            conversation.frozen = false;
            conversation.permissions.send = Permission::Admins;
        })
        .await;
    assert_eq!(
        code(world.actor("b").edit(edit(m.id, "y")).await),
        ErrorCode::Forbidden
    );
    world.remove(g, "b").await;
    assert_eq!(
        code(world.actor("b").edit(edit(m.id, "y")).await),
        ErrorCode::MessageNotFound
    );
}

#[tokio::test]
async fn mentions_follow_the_edit() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    let message = SendMessage {
        mentions: vec![user("b"), user("c")],
        ..SendMessage::text(g, "x")
    };
    let m = world.actor("a").send(message).await.unwrap().message;
    assert_eq!(world.conversation("c", g).await.my.mention_count, 1);
    let kept = world.actor("a").edit(edit(m.id, "y")).await.unwrap();
    assert_eq!(kept.mentions, Some(vec![user("b"), user("c")]));
    let fewer = EditMessage {
        mentions: Some(vec![user("b"), user("x")]),
        ..edit(m.id, "y")
    };
    let fewer = world.actor("a").edit(fewer).await.unwrap();
    assert_eq!((fewer.mentions, fewer.version), (Some(vec![user("b")]), 3));
    assert_eq!(world.conversation("c", g).await.my.mention_count, 0);
    assert_eq!(world.conversation("b", g).await.my.mention_count, 1);
    world.remove(g, "b").await;
    let gone = world.actor("a").edit(edit(m.id, "z")).await.unwrap();
    assert_eq!(gone.mentions, None);
    let many = EditMessage {
        mentions: Some(vec![user("b"); 51]),
        ..edit(m.id, "z")
    };
    assert_eq!(
        code(world.actor("a").edit(many).await),
        ErrorCode::InvalidArgument
    );
}

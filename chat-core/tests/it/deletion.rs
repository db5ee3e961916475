use std::time::Duration;

use chat_core::command::{DeletionScope, EditMessage, HistoryRequest, ReactTo};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::model::{DeletionBy, MessageKind, Role};

use crate::talk::{World, code, user};

use DeletionScope::{Everyone, Me};

#[tokio::test]
async fn for_me_is_mine_alone() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    let (done, events) = world.events(world.delete("b", m[1].id, Me)).await;
    done.unwrap();
    assert!(matches!(&events[..], [ChatEvent::MessageHidden { hide }] if hide.user_id == user("b")));
    assert_eq!(
        code(world.message("b", m[1].id).await),
        ErrorCode::MessageNotFound
    );
    assert!(world.message("a", m[1].id).await.is_ok());
    let view = world.conversation("b", d).await;
    assert_eq!((view.my.unread_count, view.last_message.unwrap().seq), (1, 1));
    assert_eq!(world.conversation("a", d).await.last_message.unwrap().seq, 2);
    let (again, events) = world.events(world.delete("b", m[1].id, Me)).await;
    assert!(again.is_ok() && events.is_empty());
    assert_eq!(
        code(world.delete("x", m[0].id, Me).await),
        ErrorCode::MessageNotFound
    );
    world.delete("a", m[0].id, Everyone).await.unwrap();
    world.delete("b", m[0].id, Me).await.unwrap();
    let page = world
        .actor("b")
        .history(d, HistoryRequest::default())
        .await
        .unwrap();
    assert!(page.items.is_empty());
}

#[tokio::test]
async fn for_everyone_leaves_a_tombstone() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    world
        .actor("b")
        .add_reaction(ReactTo {
            message_id: m[1].id,
            emoji: "👍".to_owned(),
        })
        .await
        .unwrap();
    let (done, events) = world.events(world.delete("a", m[1].id, Everyone)).await;
    done.unwrap();
    assert!(matches!(&events[..], [ChatEvent::MessageDeleted { .. }]));
    for who in ["a", "b"] {
        let view = world.message(who, m[1].id).await.unwrap();
        assert_eq!(view.deleted.unwrap().by, DeletionBy::Author);
        assert!(view.text.is_none() && view.reactions.is_none() && view.attachments.is_none());
    }
    let view = world.conversation("b", d).await;
    assert_eq!(
        (
            view.my.unread_count,
            view.last_message.unwrap().seq,
            view.last_seq
        ),
        (1, 1, 2)
    );
    let (again, events) = world.events(world.delete("a", m[1].id, Everyone)).await;
    assert!(again.is_ok() && events.is_empty());
    assert_eq!(
        code(world.delete("b", m[0].id, Everyone).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.delete("x", m[0].id, Everyone).await),
        ErrorCode::MessageNotFound
    );
}

#[tokio::test]
async fn the_author_has_an_hour_and_repeating_has_no_end() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    world.pass(3_600);
    world.delete("a", m[0].id, Everyone).await.unwrap();
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(
        code(world.delete("a", m[1].id, Everyone).await),
        ErrorCode::WindowClosed
    );
    world.delete("a", m[0].id, Everyone).await.unwrap();
    world.delete("a", m[1].id, Me).await.unwrap();
}

#[tokio::test]
async fn moderators_have_no_window() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    world
        .change(g, |_, members| {
            members
                .iter_mut()
                .find(|member| member.user_id == user("b"))
                .unwrap()
                .role = Role::Admin;
        })
        .await;
    let m = world.send("c", g, "x").await;
    let own = world.send("b", g, "y").await;
    world.pass(100_000);
    assert_eq!(
        code(world.delete("c", own.id, Everyone).await),
        ErrorCode::Forbidden
    );
    for (who, id) in [("b", m.id), ("b", own.id)] {
        world.delete(who, id, Everyone).await.unwrap();
        assert_eq!(
            world.message("c", id).await.unwrap().deleted.unwrap().by,
            DeletionBy::Moderator
        );
    }
}

#[tokio::test]
async fn the_host_moderates_everywhere() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.pass(100_000);
    let host = world.engine.as_host(&user("x"));
    let delete = |scope| chat_core::command::DeleteMessage {
        message_id: m.id,
        scope,
    };
    assert_eq!(
        code(host.delete_message(delete(Me)).await),
        ErrorCode::InvalidOperation
    );
    host.delete_message(delete(Everyone)).await.unwrap();
    assert_eq!(
        world.message("a", m.id).await.unwrap().deleted.unwrap().by,
        DeletionBy::Moderator
    );
}

#[tokio::test]
async fn one_may_take_back_what_one_does_not_see_any_more_even_under_a_block() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 2).await;
    world.delete("a", m[0].id, Me).await.unwrap();
    world.block("b", "a", true).await;
    for message in &m {
        world.delete("a", message.id, Everyone).await.unwrap();
        assert!(world.message("b", message.id).await.unwrap().deleted.is_some());
    }
}

#[tokio::test]
async fn lines_of_the_engine_stay() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("a", g, "x").await;
    let stored = chat_core::store::MessageStore::messages(&world.store, &[m.id])
        .await
        .unwrap()
        .pop()
        .unwrap();
    let line = chat_core::model::Message {
        id: chat_core::id::MessageId::from_uuid(uuid::Uuid::now_v7()),
        seq: 2,
        kind: MessageKind::System,
        client_id: None,
        ..stored
    };
    world.add_line(g, line.clone()).await;
    assert_eq!(
        code(world.delete("a", line.id, Everyone).await),
        ErrorCode::InvalidOperation
    );
    let edit = EditMessage {
        message_id: line.id,
        text: "x".to_owned(),
        mentions: None,
        expected_version: None,
    };
    assert_eq!(
        code(world.actor("a").edit(edit).await),
        ErrorCode::InvalidOperation
    );
    world.delete("a", line.id, Me).await.unwrap();
}

#[tokio::test]
async fn deleting_beats_a_racing_edit() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "secret").await;
    let a = world.actor("a");
    let edit = EditMessage {
        message_id: m.id,
        text: "still secret".to_owned(),
        mentions: None,
        expected_version: None,
    };
    let (deleted, _edited) = tokio::join!(world.delete("a", m.id, Everyone), a.edit(edit));
    deleted.unwrap();
    let view = world.message("b", m.id).await.unwrap();
    assert!(view.deleted.is_some() && view.text.is_none());
}

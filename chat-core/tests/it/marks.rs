use chat_core::command::{Mark, Marks, SettingsPatch, SyncRequest};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::model::Visibility;
use chat_core::view::{MarkAnswer, Status};

use serde_json::json;

use crate::talk::{World, code, fault, numbers, single, user};
use crate::world::World as Others;

fn receipt(events: &[ChatEvent]) -> Vec<(u64, u64, u64, bool)> {
    events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ReceiptUpdated {
                delivered_seq,
                read_seq,
                public_read_seq,
                public,
                ..
            } => Some((*delivered_seq, *read_seq, *public_read_seq, *public)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn marks_only_move_forward_and_reading_is_receiving() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 3).await;
    assert_eq!(world.delivered("b", d, 2).await.unwrap(), (2, 0, 3));
    let (answer, events) = world.events(world.read("b", d, 3)).await;
    assert_eq!(answer.unwrap(), (3, 3, 0));
    assert_eq!(receipt(&events), [(3, 3, 3, true)]);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ChatEvent::InboxUpdated { .. }))
    );
    let rev = world.conversation("a", d).await.rev;
    let (answers, events) = world
        .events(async {
            (
                world.read("b", d, 3).await,
                world.read("b", d, 1).await,
                world.delivered("b", d, 0).await,
            )
        })
        .await;
    for answer in [answers.0, answers.1, answers.2] {
        assert_eq!(answer.unwrap(), (3, 3, 0));
    }
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(world.conversation("a", d).await.rev, rev);
    for message in m {
        let view = world.message("a", message.id).await.unwrap();
        assert_eq!(view.status, Some(Status::Read));
    }
}

#[tokio::test]
async fn marks_beyond_the_end_or_without_a_seq_are_refused() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 2).await;
    let refused = (ErrorCode::InvalidArgument, "seq".to_owned());
    assert_eq!(fault(world.read("b", d, 3).await), refused);
    assert_eq!(fault(world.delivered("b", d, u64::MAX).await), refused);
    assert_eq!(fault(world.actor("b").mark_read(single(d, None)).await), refused);
    assert_eq!(code(world.read("x", d, 1).await), ErrorCode::ConversationNotFound);
    let unknown = chat_core::id::ConversationId::from_uuid(uuid::Uuid::nil());
    assert_eq!(
        code(world.read("b", unknown, 1).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(world.conversation("b", d).await.my.read_seq, 0);
}

#[tokio::test]
async fn a_removed_member_does_not_mark() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    world.send("a", g, "x").await;
    world.remove(g, "c").await;
    assert_eq!(code(world.read("c", g, 1).await), ErrorCode::ConversationNotFound);
}

#[tokio::test]
async fn a_batch_answers_for_every_entry_in_order() {
    let world = World::new().await;
    let (ab, bc, ax) = (
        world.direct("a", "b").await,
        world.direct("b", "c").await,
        world.direct("a", "x").await,
    );
    for (who, id) in [("a", ab), ("c", bc), ("a", ax)] {
        world.send(who, id, "x").await;
    }
    let mark = |id, seq| Mark {
        conversation_id: id,
        seq: Some(seq),
    };
    let marks = |marks| Marks {
        marks: Some(marks),
        ..Marks::default()
    };
    let answer = world
        .actor("b")
        .mark_read(marks(vec![mark(ab, 1), mark(ax, 1), mark(bc, 9), mark(bc, 1)]))
        .await
        .unwrap();
    assert_eq!(numbers(&answer.marks[0]), (1, 1, 0));
    for (n, wanted) in [(1, "conversation_not_found"), (2, "invalid_argument")] {
        assert!(matches!(&answer.marks[n], MarkAnswer::Refused { error, .. } if error.code == wanted));
    }
    assert_eq!(numbers(&answer.marks[3]), (1, 1, 0));
    let many = marks((0..101).map(|_| mark(ab, 1)).collect());
    assert_eq!(fault(world.actor("b").mark_read(many).await).1, "marks");
    let both = Marks {
        marks: Some(Vec::new()),
        ..single(ab, Some(1))
    };
    assert_eq!(fault(world.actor("b").mark_delivered(both).await).1, "marks");
    assert_eq!(
        fault(world.actor("b").mark_delivered(Marks::default()).await).1,
        "conversation_id"
    );
}

#[tokio::test]
async fn reading_in_private_stays_private() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.set_receipts("b", Visibility::Nobody).await;
    let (_, events) = world.events(world.read("b", d, 1)).await;
    assert_eq!(receipt(&events), [(1, 1, 0, true)]);
    assert_eq!(world.unread("b", d).await, 0);
    let view = world.message("a", m.id).await.unwrap();
    assert_eq!(
        (view.status, view.receipts.unwrap().read),
        (Some(Status::Delivered), 0)
    );
    let m = world.send("a", d, "y").await;
    world.delivered("b", d, 2).await.unwrap();
    let (_, events) = world.events(world.read("b", d, 2)).await;
    assert_eq!(receipt(&events), [(2, 2, 0, false)]);
    // Read openly later: known from then on.
    world.set_receipts("b", Visibility::Everyone).await;
    world.send("a", d, "z").await;
    world.read("b", d, 3).await.unwrap();
    assert_eq!(world.message("a", m.id).await.unwrap().status, Some(Status::Read));
}

#[tokio::test]
async fn contacts_learn_what_strangers_do_not() {
    let world = World::new().await;
    world.direct("a", "b").await;
    let g = world.group("a", &["b", "c"]).await;
    let (by_a, by_c) = (world.send("a", g, "x").await, world.send("c", g, "y").await);
    world.set_receipts("b", Visibility::Contacts).await;
    world.read("b", g, 2).await.unwrap();
    assert_eq!(
        world.message("a", by_a.id).await.unwrap().receipts.unwrap().read,
        1
    );
    assert_eq!(
        world.message("c", by_c.id).await.unwrap().receipts.unwrap().read,
        0
    );
}

#[tokio::test]
async fn nobody_hears_of_reading_under_a_block() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send("a", d, "x").await;
    world.block("a", "b", true).await;
    let (_, events) = world.events(world.read("b", d, 1)).await;
    assert_eq!(receipt(&events), [(1, 1, 0, false)]);
    assert_eq!(
        world.message("a", m.id).await.unwrap().status,
        Some(Status::Delivered)
    );
}

#[tokio::test]
async fn mark_unread_is_private_and_a_read_mark_takes_it_back() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 4).await;
    world.read("b", d, 4).await.unwrap();
    let (left, events) = world.events(world.mark_unread("b", d, Some(3))).await;
    assert_eq!(left.unwrap(), 2);
    assert!(matches!(&events[..], [ChatEvent::InboxUpdated { user_id, .. }] if *user_id == user("b")));
    assert!(world.conversation("b", d).await.my.marked_unread);
    assert_eq!(
        world.message("a", m[3].id).await.unwrap().status,
        Some(Status::Read)
    );
    // What is unread already stays as it is; a lower boundary takes more in.
    let (left, events) = world.events(world.mark_unread("b", d, Some(4))).await;
    assert_eq!((left.unwrap(), events.len()), (2, 0));
    assert_eq!(world.mark_unread("b", d, Some(2)).await.unwrap(), 3);
    let (_, events) = world.events(world.read("b", d, 1)).await;
    assert!(matches!(&events[..], [ChatEvent::InboxUpdated { .. }]));
    assert_eq!(world.unread("b", d).await, 0);
    for seq in [Some(0), Some(5), None] {
        assert_eq!(
            fault(world.mark_unread("b", d, seq).await),
            (ErrorCode::InvalidArgument, "seq".to_owned())
        );
    }
    assert_eq!(
        code(world.mark_unread("x", d, Some(1)).await),
        ErrorCode::ConversationNotFound
    );
}

#[tokio::test]
async fn an_empty_conversation_can_be_marked_unread() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    assert_eq!(world.mark_unread("b", d, None).await.unwrap(), 0);
    assert!(world.conversation("b", d).await.my.marked_unread);
    assert_eq!(world.actor("b").badge().await.unwrap().unread_conversations, 1);
    world.read("b", d, 0).await.unwrap();
    assert!(!world.conversation("b", d).await.my.marked_unread);
}

#[tokio::test]
async fn read_all_reads_what_was_unread_and_counts_it() {
    let world = World::new().await;
    let (ab, bc) = (world.direct("a", "b").await, world.direct("b", "c").await);
    let g = world.group("a", &["b", "c"]).await;
    world.send_many("a", ab, 2).await;
    world.send("b", bc, "mine").await;
    world.send("c", g, "x").await;
    let b = world.actor("b");
    assert_eq!(b.read_all().await.unwrap().conversations, 2);
    assert_eq!(b.badge().await.unwrap().unread_messages, 0);
    assert_eq!(b.read_all().await.unwrap().conversations, 0);
}

#[tokio::test]
async fn racing_marks_end_at_the_highest() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 10).await;
    let marks = [4, 9, 1, 7, 3, 8, 2, 6].map(|seq| world.read("b", d, seq));
    futures::future::join_all(marks).await;
    let my = world.conversation("b", d).await.my;
    assert_eq!((my.delivered_seq, my.read_seq), (9, 9));
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_ones_own_shows_in_nobody_elses_sync() {
    let world = Others::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let seq = world.send(&bob, id, "x").await;
    let read = || Marks {
        conversation_id: Some(id),
        seq: Some(seq),
        marks: None,
    };
    world.on(&ann).mark_read(read()).await.unwrap();
    let mut token = None;
    let mut reported = Vec::new();
    for step in 0..5 {
        match step {
            2 => {
                let mark = Mark {
                    conversation_id: id,
                    seq: Some(seq),
                };
                world.on(&ann).mark_unread(mark).await.unwrap();
            }
            4 => drop(world.on(&ann).mark_read(read()).await.unwrap()),
            _ => {}
        }
        let request = SyncRequest {
            token: token.take(),
            conversations: None,
        };
        let answer = world.on(&bob).sync(request).await.unwrap();
        reported.push(answer.conversations.len());
        token = Some(answer.token);
    }
    assert_eq!(reported, [1, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_read_nobody_may_know_of_reaches_nobody_elses_session() {
    let world = Others::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let silent = SettingsPatch {
        receipts: Some(Visibility::Nobody),
        ..SettingsPatch::default()
    };
    world.on(&ann).update_settings(silent).await.unwrap();
    let seq = world.send(&bob, id, "x").await;
    let marks = || Marks {
        conversation_id: Some(id),
        seq: Some(seq),
        marks: None,
    };
    let mut theirs = world.connect(&bob).await;
    let mut own = world.connect(&ann).await;
    world.on(&ann).mark_delivered(marks()).await.unwrap();
    let [delivered] = theirs
        .got_of("receipt_updated")
        .await
        .try_into()
        .expect("delivery is no secret");
    assert_eq!(
        (&delivered["delivered_seq"], &delivered["read_seq"]),
        (&json!(1), &json!(0))
    );
    own.got().await;
    world.on(&ann).mark_read(marks()).await.unwrap();
    assert_eq!(theirs.got_of("receipt_updated").await.len(), 0);
    assert_eq!(own.got_of("receipt_updated").await.len(), 1);
}

use chat_core::command::PageRequest;
use chat_core::error::ErrorCode;
use chat_core::id::MessageId;
use chat_core::model::{MemberState, Visibility};
use chat_core::time::Timestamp;
use chat_core::view::ReceiptView;

use crate::talk::{World, code, user};

async fn receipts(world: &World, who: &str, id: MessageId) -> Vec<ReceiptView> {
    world
        .actor(who)
        .receipts(id, PageRequest::default())
        .await
        .unwrap()
        .items
}

fn of<'a>(list: &'a [ReceiptView], who: &str) -> &'a ReceiptView {
    list.iter().find(|receipt| receipt.user.id == user(who)).unwrap()
}

#[tokio::test]
async fn the_time_is_that_of_the_step_that_crossed_the_message() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 3).await;
    let at = |seconds: i64| Timestamp::from_millis(m[0].created_at.as_millis() + seconds * 1_000);
    world.pass(1);
    world.delivered("b", d, 1).await.unwrap();
    world.pass(1);
    world.read("b", d, 1).await.unwrap();
    world.pass(1);
    world.read("b", d, 3).await.unwrap();
    let first = receipts(&world, "a", m[0].id).await;
    assert_eq!(
        (of(&first, "b").delivered_at, of(&first, "b").read_at),
        (Some(at(1)), Some(at(2)))
    );
    for message in &m[1..] {
        let list = receipts(&world, "a", message.id).await;
        assert_eq!(
            (of(&list, "b").delivered_at, of(&list, "b").read_at),
            (Some(at(3)), Some(at(3)))
        );
    }
}

#[tokio::test]
async fn recipients_are_those_who_were_there_and_still_are() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c", "d"]).await;
    let m = world.send("a", g, "x").await;
    world.read("b", g, 1).await.unwrap();
    world.remove(g, "c").await;
    world
        .change(g, |_, members| {
            let d = members
                .iter_mut()
                .find(|member| member.user_id == user("d"))
                .unwrap();
            d.intervals[0].from = 2;
        })
        .await;
    for viewer in ["a", "b"] {
        let list = receipts(&world, viewer, m.id).await;
        let ids: Vec<_> = list.iter().map(|receipt| receipt.user.id.as_str()).collect();
        assert_eq!(ids, ["b"]);
    }
    let counts = world.message("a", m.id).await.unwrap().receipts.unwrap();
    assert_eq!((counts.recipients, counts.read), (1, 1));
    for stranger in ["x", "c", "d"] {
        let answer = world.actor(stranger).receipts(m.id, PageRequest::default()).await;
        assert_eq!(code(answer), ErrorCode::MessageNotFound, "{stranger}");
    }
}

#[tokio::test]
async fn a_block_hides_what_is_read_while_it_stands() {
    for blocker in ["a", "b"] {
        let blocked = if blocker == "a" { "b" } else { "a" };
        let world = World::new().await;
        let g = world.group("a", &["b", "c"]).await;
        let d = world.direct("a", "b").await;
        let m = world.send_many("a", g, 3).await;
        let direct = world.send_many("a", d, 2).await;
        for id in [g, d] {
            world.read("b", id, 1).await.unwrap();
        }
        world.pass(1);
        world.block(blocker, blocked, true).await;
        world.pass(1);
        world.read("b", g, 3).await.unwrap();
        world.read("c", g, 3).await.unwrap();
        world.read("b", d, 2).await.unwrap();
        let read_of_b = async |viewer: &str, id| {
            let view = world.conversation(viewer, id).await;
            let members = view.members.unwrap();
            let b = members.iter().find(|member| member.user.id == user("b")).unwrap();
            (b.delivered_seq, b.read_seq)
        };
        for id in [g, d] {
            assert_eq!(read_of_b("a", id).await, (1, 1), "{blocker} blocks");
        }
        assert_eq!(read_of_b("c", g).await, (3, 3));
        assert_eq!(read_of_b("b", g).await, (3, 3));
        let page = world.actor("a").members(g, PageRequest::default()).await.unwrap();
        let listed = page.items.iter().find(|member| member.user.id == user("b"));
        assert_eq!(listed.map(|b| (b.delivered_seq, b.read_seq)), Some((1, 1)));
        // What was known stays known: a status never goes back.
        for (id, counts) in [(m[0].id, (2, 2)), (m[2].id, (1, 1)), (direct[1].id, (0, 0))] {
            let receipts = world.message("a", id).await.unwrap().receipts.unwrap();
            assert_eq!((receipts.delivered, receipts.read), counts);
        }
        let first = receipts(&world, "a", m[0].id).await;
        assert!(of(&first, "b").delivered_at.is_some() && of(&first, "b").read_at.is_some());
        let last = receipts(&world, "a", m[2].id).await;
        assert_eq!(
            (of(&last, "b").delivered_at, of(&last, "b").read_at),
            (None, None)
        );
        assert!(of(&last, "c").read_at.is_some());
        let for_c = receipts(&world, "c", m[2].id).await;
        assert!(of(&for_c, "b").read_at.is_some());
        // Lifted, the group shows it all; what was read in the direct meanwhile stays untold.
        world.block(blocker, blocked, false).await;
        assert_eq!(read_of_b("a", g).await, (3, 3));
        assert_eq!(read_of_b("a", d).await, (2, 1));
    }
}

#[tokio::test]
async fn settings_of_both_sides_hide_reading_but_not_delivery() {
    let world = World::new().await;
    world.direct("a", "b").await;
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("a", g, "x").await;
    world.set_receipts("b", Visibility::Contacts).await;
    world.read("b", g, 1).await.unwrap();
    world.read("c", g, 1).await.unwrap();
    let for_a = receipts(&world, "a", m.id).await;
    assert!(of(&for_a, "b").read_at.is_some() && of(&for_a, "c").read_at.is_some());
    let for_c = receipts(&world, "c", m.id).await;
    assert!(of(&for_c, "b").read_at.is_none() && of(&for_c, "b").delivered_at.is_some());
    world.set_receipts("c", Visibility::Nobody).await;
    let for_c = receipts(&world, "c", m.id).await;
    assert!(of(&for_c, "c").read_at.is_some(), "his own");
    world.set_receipts("a", Visibility::Nobody).await;
    let for_a = receipts(&world, "a", m.id).await;
    assert!(
        for_a
            .iter()
            .all(|receipt| receipt.read_at.is_none() && receipt.delivered_at.is_some())
    );
}

#[tokio::test]
async fn receipts_come_in_pages() {
    let world = World::new().await;
    let g = world.group("c", &["a", "b", "d", "x"]).await;
    let m = world.send("c", g, "x").await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            limit: Some(2),
            cursor: cursor.clone(),
        };
        let answer = world.actor("c").receipts(m.id, page).await.unwrap();
        seen.extend(
            answer
                .items
                .into_iter()
                .map(|receipt| receipt.user.id.to_string()),
        );
        cursor = answer.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b", "d", "x"]);
    let page = PageRequest {
        limit: Some(2),
        cursor: Some("abc".to_owned()),
    };
    assert_eq!(
        code(world.actor("c").receipts(m.id, page).await),
        ErrorCode::InvalidCursor
    );
}

#[tokio::test]
async fn coming_back_does_not_fabricate_a_read() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("a", g, "x").await;
    world.remove(g, "c").await;
    world
        .change(g, |_, members| {
            let c = members
                .iter_mut()
                .find(|member| member.user_id == user("c"))
                .unwrap();
            c.state = MemberState::Active;
            c.intervals.push(chat_core::model::Interval { from: 2, to: None });
        })
        .await;
    let list = receipts(&world, "a", m.id).await;
    assert!(of(&list, "c").read_at.is_none());
}

use chat_core::command::{DeletionScope, HistoryOrder, HistoryRequest};
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::view::HistoryPage;

use crate::talk::{World, code, fault};

fn ask() -> HistoryRequest {
    HistoryRequest {
        order: HistoryOrder::Ascending,
        ..HistoryRequest::default()
    }
}

async fn page(world: &World, id: ConversationId, request: HistoryRequest) -> HistoryPage {
    world.actor("b").history(id, request).await.unwrap()
}

fn seqs(page: &HistoryPage) -> Vec<u64> {
    page.items.iter().map(|message| message.seq).collect()
}

fn range(page: &HistoryPage) -> (u64, u64) {
    (page.range.from, page.range.to)
}

#[tokio::test]
async fn pages_tile_the_conversation_in_both_directions() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let m = world.send_many("a", d, 14).await;
    world.delete("a", m[3].id, DeletionScope::Everyone).await.unwrap();
    for n in [0, 7, 8, 13] {
        world.delete("b", m[n].id, DeletionScope::Me).await.unwrap();
    }
    let (mut before, mut ranges, mut seen) = (None, Vec::new(), Vec::new());
    loop {
        let p = page(
            &world,
            d,
            HistoryRequest {
                before,
                limit: Some(4),
                ..ask()
            },
        )
        .await;
        ranges.push(range(&p));
        seen.splice(0..0, seqs(&p));
        if !p.has_more_before {
            break;
        }
        assert_eq!(p.items.len(), 4);
        before = Some(p.range.from);
    }
    assert_eq!((ranges[0].1, ranges.last().unwrap().0), (14, 1));
    assert!(
        ranges.windows(2).all(|pair| pair[1].1 + 1 == pair[0].0),
        "{ranges:?}"
    );
    assert_eq!(seen, [2, 3, 4, 5, 6, 7, 10, 11, 12, 13]);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let p = page(
            &world,
            d,
            HistoryRequest {
                after: Some(after),
                limit: Some(3),
                ..ask()
            },
        )
        .await;
        assert_eq!(p.range.from, after + 1);
        seen.extend(seqs(&p));
        after = p.range.to;
        if !p.has_more_after {
            break;
        }
    }
    assert_eq!((after, seen.len()), (14, 10));
}

#[tokio::test]
async fn anchors_order_and_kind() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    world.send_many("a", d, 9).await;
    let newest = page(
        &world,
        d,
        HistoryRequest {
            limit: Some(3),
            ..HistoryRequest::default()
        },
    )
    .await;
    assert_eq!((seqs(&newest), range(&newest)), (vec![9, 8, 7], (7, 9)));
    assert!(newest.has_more_before && !newest.has_more_after);
    let around = page(
        &world,
        d,
        HistoryRequest {
            around: Some(5),
            limit: Some(3),
            ..ask()
        },
    )
    .await;
    assert!(seqs(&around).contains(&5));
    assert_eq!(range(&around), (seqs(&around)[0], seqs(&around)[2]));
    let end = page(
        &world,
        d,
        HistoryRequest {
            after: Some(9),
            ..ask()
        },
    )
    .await;
    assert_eq!(
        (seqs(&end), range(&end), end.has_more_after),
        (vec![], (10, 9), false)
    );
    let all = page(
        &world,
        d,
        HistoryRequest {
            before: Some(1_000_000),
            ..ask()
        },
    )
    .await;
    assert_eq!((all.items.len(), range(&all)), (9, (1, 9)));
    let places = HistoryRequest {
        kind: Some(chat_core::model::MessageKind::Location),
        ..ask()
    };
    let places = page(&world, d, places).await;
    assert_eq!((places.items.len(), range(&places)), (0, (1, 9)));
}

#[tokio::test]
async fn refusals_name_the_field() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    let b = world.actor("b");
    for (request, field) in [
        (
            HistoryRequest {
                before: Some(1),
                after: Some(1),
                ..ask()
            },
            "after",
        ),
        (
            HistoryRequest {
                before: Some(1),
                around: Some(1),
                ..ask()
            },
            "around",
        ),
        (
            HistoryRequest {
                limit: Some(0),
                ..ask()
            },
            "limit",
        ),
        (
            HistoryRequest {
                limit: Some(101),
                ..ask()
            },
            "limit",
        ),
    ] {
        assert_eq!(
            fault(b.history(d, request).await),
            (ErrorCode::InvalidArgument, field.to_owned())
        );
    }
    assert_eq!(
        code(world.actor("x").history(d, ask()).await),
        ErrorCode::ConversationNotFound
    );
    let p = page(&world, d, ask()).await;
    assert_eq!((p.items.len(), range(&p)), (0, (1, 0)));
}

#[tokio::test]
async fn who_is_out_sees_nothing() {
    let world = World::new().await;
    let g = world.group("a", &["b", "c"]).await;
    let m = world.send("a", g, "x").await;
    world.remove(g, "b").await;
    assert_eq!(code(world.message("b", m.id).await), ErrorCode::MessageNotFound);
    assert_eq!(
        code(world.actor("b").history(g, ask()).await),
        ErrorCode::ConversationNotFound
    );
}

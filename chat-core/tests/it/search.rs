use chat_core::command::{DeletionScope, PageRequest, SearchMessages};
use chat_core::config::Rate;
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::view::{MessageView, Page};

use crate::talk::{World, code, fault, user};

fn query(q: &str) -> SearchMessages {
    SearchMessages {
        q: q.to_owned(),
        ..SearchMessages::default()
    }
}

fn texts(found: ChatResult<Page<MessageView>>) -> Vec<String> {
    found
        .unwrap()
        .items
        .into_iter()
        .map(|message| message.text.unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn finds_literally_without_case_only_what_one_sees() {
    let world = World::new().await;
    let (ab, bc) = (world.direct("a", "b").await, world.direct("b", "c").await);
    let first = world.send("a", ab, "Grüße aus 100%").await;
    world.pass(1);
    world.send("c", bc, "GRÜSSE, grüße").await;
    world.pass(1);
    let third = world.send("a", ab, "grüße 1000").await;
    let b = world.actor("b");
    assert_eq!(
        texts(b.search_messages(query("grüße")).await),
        ["grüße 1000", "GRÜSSE, grüße", "Grüße aus 100%"]
    );
    assert_eq!(texts(b.search_messages(query("0%")).await), ["Grüße aus 100%"]);
    assert_eq!(
        texts(world.actor("a").search_messages(query("GRÜ")).await).len(),
        2
    );
    let only = SearchMessages {
        conversation_id: Some(bc),
        ..query("ü")
    };
    assert_eq!(texts(b.search_messages(only).await).len(), 1);
    let by = SearchMessages {
        sender_id: Some(user("a")),
        to: Some(first.created_at),
        ..query("ü")
    };
    assert_eq!(texts(b.search_messages(by).await), ["Grüße aus 100%"]);
    world
        .delete("a", third.id, DeletionScope::Everyone)
        .await
        .unwrap();
    world.delete("b", first.id, DeletionScope::Me).await.unwrap();
    assert_eq!(texts(b.search_messages(query("ü")).await), ["GRÜSSE, grüße"]);
    assert!(texts(world.actor("x").search_messages(query("ü")).await).is_empty());
}

#[tokio::test]
async fn pages_belong_to_their_search() {
    let world = World::new().await;
    let d = world.direct("a", "b").await;
    for n in 0..5 {
        world.send("a", d, &format!("word {n}")).await;
        world.pass(1);
    }
    let b = world.actor("b");
    let page = |q: &str, cursor| SearchMessages {
        page: PageRequest {
            limit: Some(2),
            cursor,
        },
        ..query(q)
    };
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let found = b.search_messages(page("word", cursor.clone())).await.unwrap();
        seen.extend(found.items.into_iter().filter_map(|message| message.text));
        if found.next_cursor.is_none() {
            break;
        }
        cursor = found.next_cursor;
    }
    assert_eq!(seen, ["word 4", "word 3", "word 2", "word 1", "word 0"]);
    assert_eq!(
        code(b.search_messages(page("wor", cursor.clone())).await),
        ErrorCode::InvalidCursor
    );
    assert_eq!(
        code(world.actor("a").search_messages(page("word", cursor)).await),
        ErrorCode::InvalidCursor
    );
}

#[tokio::test]
async fn queries_are_checked_and_rated() {
    let world = World::with(|config| config.limits.searches = Rate::new(2, 1)).await;
    let d = world.direct("a", "b").await;
    let x = world.actor("x");
    assert_eq!(code(x.search_messages(query("")).await), ErrorCode::QueryRequired);
    let long = "x".repeat(501);
    assert_eq!(
        fault(x.search_messages(query(&long)).await),
        (ErrorCode::InvalidArgument, "q".to_owned())
    );
    assert_eq!(
        fault(x.search_messages(query("a\0b")).await),
        (ErrorCode::InvalidArgument, "q".to_owned()),
        "no store need know it"
    );
    let foreign = SearchMessages {
        conversation_id: Some(d),
        ..query("x")
    };
    assert_eq!(
        code(x.search_messages(foreign).await),
        ErrorCode::ConversationNotFound
    );
    x.search_messages(query(&"x".repeat(500))).await.unwrap();
    let error = x.search_messages(query("x")).await.unwrap_err();
    assert!(error.code() == ErrorCode::RateLimited && error.retry_after().is_some());
}

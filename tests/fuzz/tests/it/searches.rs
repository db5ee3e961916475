use std::sync::Arc;

use chat_core::command::{PageRequest, SearchMessages, SendMessage};
use chat_core::memory::MemoryStore;
use chat_core::time::SystemClock;
use chat_sqlite::SqliteStore;

use crate::campaign::Campaign;
use crate::rng::Rng;
use crate::world::World;

/// Pieces of messages: what folds, composes, joins and escapes.
const PIECES: &[&str] = &[
    "hello",
    "HELLO",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "ılık",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "café",
    "cafe\u{301}",
    "ﬁnd",
    "find",
    "👍🏽",
    "👍",
    "👩‍👩‍👧",
    "日本語",
    "日",
    "مرحبا",
    "a\u{200b}b",
    "co\u{ad}op",
    "ＡＢＣ",
    "abc",
    "\u{212a}",
    "k",
    "a AND b",
    "NEAR(a b)",
    "-a",
    "text:a",
    "(a",
    "^a",
    "'; DROP TABLE messages; --",
    "100%",
    "a_b",
    "foo*",
    "o'neil",
    "\"say\"",
    "c:\\dir",
    "ᲐᲑ",
    "აბ",
    "Ꭰꭰ",
    "ǈ",
    "ǉ",
    "한글",
    "🇩🇪",
    "x\ny",
    "  ",
];

/// The texts found, or the code of the refusal.
async fn found(world: &World, q: &str) -> Result<Vec<String>, &'static str> {
    let search = SearchMessages {
        q: q.to_owned(),
        page: PageRequest {
            limit: Some(100),
            cursor: None,
        },
        ..SearchMessages::default()
    };
    let page = world.actor("ada").search_messages(search).await;
    let page = page.map_err(|error| error.code().as_str())?;
    assert!(page.next_cursor.is_none(), "all fit on one page");
    let mut texts: Vec<String> = page
        .items
        .into_iter()
        .map(|message| message.text.unwrap_or_default())
        .collect();
    texts.sort();
    Ok(texts)
}

#[tokio::test]
async fn stores_agree_on_what_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let sqlite = SqliteStore::from_path(file, Arc::new(SystemClock)).await.unwrap();
    let worlds = [
        World::on(Arc::new(MemoryStore::default())).await,
        World::on(Arc::new(sqlite)).await,
    ];
    let mut rng = Rng::new(7);
    for n in 0..80 {
        let text = match PIECES.get(n) {
            Some(piece) => format!("{n} {piece}"),
            None => format!("{n} {}{}{}", rng.pick(PIECES), rng.pick(PIECES), rng.pick(PIECES)),
        };
        for world in &worlds {
            let send = SendMessage::text(world.direct, text.as_str());
            world.actor("ada").send(send).await.unwrap();
        }
    }
    let mut campaign =
        Campaign::new("searches", 1_500).with(PIECES.iter().map(|piece| piece.as_bytes().to_vec()));
    while let Some(input) = campaign.next() {
        // The transports hand over nothing else than UTF-8.
        let q = String::from_utf8_lossy(&input).into_owned();
        campaign
            .judge(&input, async {
                let (memory, sqlite) = (found(&worlds[0], &q).await, found(&worlds[1], &q).await);
                assert_eq!(memory, sqlite, "{q:?}");
            })
            .await;
    }
}

//! The partitions that `docs/operations.md` describes: the same statements work on them, and each message lies in one.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::space::{options, pool, space, url};
use chat_conformance::fixtures::{AnyStore, NOW, RandomRoom, Room, at, people};
use chat_conformance::opened;
use chat_core::config::BlockedInGroup;
use chat_core::model::ReadAudience;
use chat_core::store::{Anchor, Purge, Writes};
use chat_core::time::SystemClock;
use chat_postgres::{PostgresStore, SchemaName, schema_sql};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

const PARTITIONS: usize = 4;

/// The script of the schema, changed as the document says.
fn partitioned(schema: &SchemaName) -> String {
    let mut script = schema_sql(schema)
        .replace(
            "CREATE UNIQUE INDEX chat_messages_id ",
            "CREATE INDEX chat_messages_id ",
        )
        .replace(
            &format!(
                "CREATE TABLE \"{schema}\".chat_advances (\n  position int8 GENERATED ALWAYS AS IDENTITY"
            ),
            &format!(
                "CREATE SEQUENCE \"{schema}\".chat_advances_position;\n\
                 CREATE TABLE \"{schema}\".chat_advances (\n  \
                 position int8 NOT NULL DEFAULT nextval('\"{schema}\".chat_advances_position')"
            ),
        );
    for table in ["chat_messages", "chat_mentions", "chat_advances"] {
        let begin = script
            .find(&format!("CREATE TABLE \"{schema}\".{table} ("))
            .unwrap();
        let end = begin + script[begin..].find("\n);").unwrap() + "\n)".len();
        let mut parts = " PARTITION BY HASH (conversation_id);".to_owned();
        for part in 0..PARTITIONS {
            write!(
                parts,
                "\nCREATE TABLE \"{schema}\".{table}_{part} PARTITION OF \"{schema}\".{table} \
                 FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part});"
            )
            .unwrap();
        }
        script.replace_range(end..=end, &parts);
    }
    script
}

#[tokio::test]
async fn the_store_works_on_partitioned_tables() {
    let Some(url) = opened(url(), "postgres", "partitions") else {
        return;
    };
    let (_guard, config) = space(&url);
    let mut raw = options(&url).connect().await.unwrap();
    let script = AssertSqlSafe(partitioned(&config.schema));
    sqlx::raw_sql(script).execute(&mut raw).await.unwrap();
    let store = PostgresStore::open(
        pool(&url, 4).await,
        config.clone().with_migrate(false),
        Arc::new(SystemClock),
    )
    .await
    .unwrap();
    let store: AnyStore = Arc::new(store);
    // Sends, edits, deletions, hides, leaving and coming back: what each sees equals a naive recount.
    let room = RandomRoom::new(&store, 1, 250).await;
    let messages = room.messages().await;
    for user in &room.users {
        let eye = room.eye(user, NOW, BlockedInGroup::default()).await;
        if !eye.member.is_active() {
            continue;
        }
        assert_eq!(room.room.unread(user).await, eye.unread(&messages).len() as u64);
        for anchor in [Anchor::Newest, Anchor::Around(20)] {
            let page = room.room.history(user, anchor, 15).await;
            assert_eq!(page, eye.page(&messages, anchor, 15, None));
        }
    }
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let said = room.chatter(&ann, 10).await;
    room.step(&bob, Some(ReadAudience::Everyone), (0, 7), at(70))
        .await;
    let times = store
        .mark_times(room.id, 5, std::slice::from_ref(&bob), ReadAudience::Everyone)
        .await
        .unwrap();
    assert_eq!(times[&bob].read_at, Some(at(70)));
    let ids: Vec<_> = said.iter().map(|message| message.id).collect();
    assert_eq!(store.messages(&ids).await.unwrap().len(), 10);
    let purge = Purge {
        conversation_id: room.id,
        below: 4,
    };
    room.write(Writes {
        purge: Some(purge),
        ..Writes::default()
    })
    .await;
    let oldest = store.oldest_messages(room.id, 1).await.unwrap();
    assert_eq!(oldest[0].seq, 4);
    let spread = AssertSqlSafe(format!(
        "SELECT count(DISTINCT tableoid), count(*) FROM \"{}\".chat_messages",
        config.schema
    ));
    let row = sqlx::query(spread).fetch_one(&mut raw).await.unwrap();
    assert!(row.get::<i64, _>(0) > 1 && row.get::<i64, _>(1) > 10);
}

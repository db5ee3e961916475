//! Behind a pooler that hands connections on after each transaction.

use std::sync::Arc;

use crate::changes::{group, send};
use crate::space::{any, options, space};
use chat_conformance::fixtures::NOW;
use chat_conformance::opened;
use chat_core::config::BlockedInGroup;
use chat_core::store::{ConversationStore, SearchQuery};
use chat_core::time::SystemClock;
use chat_postgres::PostgresStore;
use futures::future::join_all;
use sqlx::Row;

/// As behind a pooler that knows no prepared statements: nothing is kept on a connection.
#[tokio::test]
async fn it_works_without_prepared_statements() {
    let url = url_or_return!("unprepared");
    let (_guard, config) = space(&url);
    let bare = sqlx::postgres::PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options(&url).statement_cache_capacity(0))
        .await
        .unwrap();
    let store = PostgresStore::open(bare.clone(), config.with_prepared(false), Arc::new(SystemClock))
        .await
        .unwrap();
    let (id, users) = group(&store, 3).await;
    let sent = store.commit(&[send(id, &users[0], "hello there", "key")]).await;
    assert!(sent.unwrap()[0].is_ok());
    let query = SearchQuery {
        user: users[1].clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        text: "hello".to_owned(),
        conversation: None,
        sender: None,
        kind: None,
        from: None,
        to: None,
        after: None,
        limit: 5,
    };
    assert_eq!(any(&store).search(&query).await.unwrap().len(), 1);
    let kept = sqlx::query("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%chat\\_%'")
        .persistent(false)
        .fetch_one(&bare)
        .await
        .unwrap();
    assert_eq!(kept.get::<i64, _>(0), 0);
}

/// `CHAT_TEST_POOLER_URL` names a pooler in front of the test server that hands connections on after every transaction.
#[tokio::test]
async fn it_works_behind_a_pooler_that_hands_connections_on() {
    let pooler = std::env::var("CHAT_TEST_POOLER_URL").ok();
    let Some(pooler) = opened(pooler.filter(|url| !url.is_empty()), "pooler", "pooler") else {
        return;
    };
    // The schema is dropped past the pooler.
    let (_guard, config) = space(&url_or_return!("pooler"));
    let config = config.with_prepared(false);
    let store = PostgresStore::connect(&pooler, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let (id, users) = group(&store, 5).await;
    let writers = (0..20).map(|writer| {
        let (store, sender) = (store.clone(), users[writer % 5].clone());
        async move {
            for n in 0..10 {
                let sent = send(id, &sender, "hello there", &format!("{writer}-{n}"));
                store.commit(&[sent]).await.unwrap().remove(0).unwrap();
                let found = store.conversations(&[id]).await.unwrap();
                assert_eq!(found.len(), 1);
            }
        }
    });
    join_all(writers).await;
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 200);
    let position = store.sync_position().await.unwrap();
    let changed = store.changed_conversations(&users[0], position, 5).await.unwrap();
    assert!(changed.ids.is_empty());
    store.close().await;
}

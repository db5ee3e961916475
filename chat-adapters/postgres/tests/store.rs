//! What the conformance suite leaves to each adapter: durability, batches, costs, versions, locks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chat_conformance::fixtures::{
    AnyStore, NOW, Room, append, at, direct_conversation, group_conversation, member, people, text, user,
};
use chat_conformance::opened;
use chat_core::config::BlockedInGroup;
use chat_core::error::{BackendErrorKind, ErrorCode};
use chat_core::id::{ClientId, ConversationId, UserId};
use chat_core::model::NewUser;
use chat_core::store::{
    Anchor, BlockStore, Change, ConversationStore, HistoryQuery, InboxList, InboxQuery, MembersNeeded, Needs,
    SearchQuery, Target, UserStore, Writes,
};
use chat_core::time::SystemClock;
use chat_postgres::{OpenError, PostgresConfig, PostgresStats, PostgresStore, SchemaName, schema_sql};
use common::{open, options, pool, space, url};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Row};

/// The store of a case, or the end of a case without a server.
macro_rules! store_or_return {
    ($case:literal) => {
        match opened(open().await, "postgres", $case) {
            Some((guard, store)) => (guard, store),
            None => return,
        }
    };
}

/// The address of the server, or the end of a case without one.
macro_rules! url_or_return {
    ($case:literal) => {
        match opened(url(), "postgres", $case) {
            Some(url) => url,
            None => return,
        }
    };
}

fn any(store: &PostgresStore) -> AnyStore {
    Arc::new(store.clone())
}

async fn on(url: &str, config: &PostgresConfig) -> PostgresStore {
    PostgresStore::open(pool(url, 8).await, config.clone(), Arc::new(SystemClock))
        .await
        .unwrap()
}

async fn raw(url: &str) -> PgConnection {
    options(url).connect().await.unwrap()
}

async fn execute(connection: &mut PgConnection, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await
        .unwrap();
}

/// A send with the facts the engine asks for: the sender's membership and his earlier send under the key.
fn send(conversation: ConversationId, sender: &UserId, words: &str, key: &str) -> Change {
    let mut message = text(sender, words);
    message.client_id = Some(ClientId::new(key).unwrap());
    let append = append(conversation, message);
    let mut needs = append.needs.clone();
    needs.members = MembersNeeded::Of(vec![sender.clone()]);
    Change::new(needs, move |facts| append.decide(facts))
}

async fn group(store: &PostgresStore, members: usize) -> (ConversationId, Vec<UserId>) {
    let users: Vec<UserId> = (0..members).map(|n| user(&format!("user-{n:04}"))).collect();
    let conversation = group_conversation(&users[0]);
    let id = conversation.id;
    let rows: Vec<_> = users.iter().map(|user| member(id, user)).collect();
    let change = Change::new(Needs::new(Target::Conversation(id)), move |_| {
        Ok(Writes {
            conversation: Some(conversation.clone()),
            members: rows.clone(),
            ..Writes::default()
        })
    });
    store.commit(&[change]).await.unwrap().remove(0).unwrap();
    (id, users)
}

/// Transactions, writing round trips and reading round trips since.
fn since(before: PostgresStats, after: PostgresStats) -> (u64, u64, u64) {
    (
        after.transactions - before.transactions,
        after.write_statements - before.write_statements,
        after.read_statements - before.read_statements,
    )
}

#[tokio::test]
async fn a_send_runs_as_many_statements_in_a_large_group_as_in_a_small_one() {
    let (_guard, store) = store_or_return!("send");
    for members in [10, 1_000] {
        let (id, users) = group(&store, members).await;
        let before = store.stats();
        let answers = store.commit(&[send(id, &users[1], "hello", "key-1")]).await;
        answers.unwrap().remove(0).unwrap();
        // BEGIN, lock, member, earlier send, conversation, message, COMMIT.
        assert_eq!(since(before, store.stats()), (1, 7, 0));
    }
}

#[tokio::test]
async fn a_batch_of_sends_costs_what_one_costs() {
    let (_guard, store) = store_or_return!("batch");
    let (id, users) = group(&store, 10).await;
    let (other, others) = group(&store, 3).await;
    let sends: Vec<Change> = (0..100)
        .map(|n| {
            let (room, sender) = if n % 3 == 0 {
                (other, &others[2])
            } else {
                (id, &users[1])
            };
            send(room, sender, "hello", &format!("key-{n}"))
        })
        .collect();
    let before = store.stats();
    let answers = store.commit(&sends).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(since(before, store.stats()), (1, 7, 0));
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 66);
    assert_eq!(store.conversations(&[other]).await.unwrap()[0].last_seq, 34);
}

#[tokio::test]
async fn a_long_slice_goes_in_parts() {
    let url = url_or_return!("parts");
    let (_guard, config) = space(&url);
    let store = on(&url, &config.with_batch_changes(8)).await;
    let (id, users) = group(&store, 2).await;
    let before = store.stats();
    let sends: Vec<Change> = (0..20)
        .map(|n| send(id, &users[0], "hello", &format!("key-{n}")))
        .collect();
    assert!(store.commit(&sends).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(since(before, store.stats()).0, 3);
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 20);
}

#[tokio::test]
async fn reads_are_one_statement_however_long() {
    let (_guard, store) = store_or_return!("reads");
    let [ann] = people(&any(&store), ["ann"]).await;
    let mut made = 0_usize;
    for conversations in [3, 120] {
        let mut changes = Vec::new();
        while made < conversations {
            let peer = user(&format!("peer-{made}"));
            let conversation = direct_conversation(&ann, &peer);
            let id = conversation.id;
            let rows = vec![member(id, &ann), member(id, &peer)];
            changes.push(Change::new(Needs::new(Target::Conversation(id)), move |_| {
                Ok(Writes {
                    conversation: Some(conversation.clone()),
                    members: rows.clone(),
                    ..Writes::default()
                })
            }));
            changes.push(send(id, &peer, "hello", "key"));
            made += 1;
        }
        assert!(store.commit(&changes).await.unwrap().iter().all(Result::is_ok));
        let query = InboxQuery {
            user: ann.clone(),
            now: NOW,
            blocked_in_group: BlockedInGroup::default(),
            list: Some(InboxList {
                limit: 50,
                ..InboxList::default()
            }),
            ids: Vec::new(),
        };
        let before = store.stats();
        let page = store.inbox(&query).await.unwrap();
        assert_eq!(page.len(), conversations.min(50));
        assert!(page.iter().all(|entry| entry.unread_count == 1));
        assert_eq!(since(before, store.stats()), (0, 0, 1));
        let before = store.stats();
        let badge = store.badge(&ann, NOW, BlockedInGroup::default()).await.unwrap();
        assert_eq!(badge.unread_messages, u64::try_from(conversations).unwrap());
        assert_eq!(since(before, store.stats()), (0, 0, 1));
    }
}

#[tokio::test]
async fn a_page_of_history_is_one_statement() {
    let (_guard, store) = store_or_return!("history");
    let (id, users) = group(&store, 3).await;
    let room = Room {
        store: any(&store),
        id,
    };
    room.chatter(&users[0], 30).await;
    let viewer = room.viewer(&users[1]).await;
    for anchor in [
        Anchor::Newest,
        Anchor::Before(20),
        Anchor::After(5),
        Anchor::Around(10),
    ] {
        let query = HistoryQuery {
            viewer: viewer.clone(),
            anchor,
            limit: 5,
            kind: None,
        };
        let before = store.stats();
        assert_eq!(room.store.history(&query).await.unwrap().messages.len(), 5);
        assert_eq!(since(before, store.stats()), (0, 0, 1), "{anchor:?}");
    }
}

#[tokio::test]
async fn a_broken_change_takes_no_other_with_it() {
    let (_guard, store) = store_or_return!("broken");
    let (id, users) = group(&store, 2).await;
    // Two messages with one key: the second breaks the unique index.
    let broken = Change::new(Needs::new(Target::Conversation(id)), {
        let sender = users[0].clone();
        move |facts| {
            let mut conversation = facts.conversation.clone().unwrap();
            conversation.last_seq += 2;
            let messages = (0..2).map(|n| {
                let mut message = text(&sender, "broken");
                message.client_id = Some(ClientId::new("same").unwrap());
                message.conversation_id = id;
                message.seq = conversation.last_seq - n;
                message
            });
            Ok(Writes {
                messages: messages.collect(),
                conversation: Some(conversation.clone()),
                ..Writes::default()
            })
        }
    });
    let slice = [
        send(id, &users[0], "before", "key-1"),
        broken.clone(),
        send(id, &users[0], "after", "key-2"),
        send(id, &users[0], "again", "key-1"),
    ];
    let answers = store.commit(&slice).await.unwrap();
    assert!(answers[0].is_ok() && answers[2].is_ok() && answers[3].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().code(), ErrorCode::Internal);
    // Alone in its transaction it goes the same way.
    assert!(store.commit(&[broken]).await.unwrap()[0].is_err());
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 2);
    let room = Room {
        store: any(&store),
        id,
    };
    let found = room.history(&users[0], Anchor::Newest, 10).await.messages;
    let texts: Vec<_> = found.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_a_conversation_without_gaps() {
    let url = url_or_return!("nodes");
    let (_guard, config) = space(&url);
    let first = on(&url, &config).await;
    let second = on(&url, &config).await;
    let (id, users) = group(&first, 2).await;
    let sends = (0..200).map(|n| {
        let store = if n % 2 == 0 { &first } else { &second };
        let (store, sender) = (store.clone(), users[n % 2].clone());
        tokio::spawn(async move {
            let change = send(id, &sender, "hello", &format!("key-{n}"));
            store.commit(&[change]).await.unwrap().remove(0).unwrap();
        })
    });
    for sent in join_all(sends).await {
        sent.unwrap();
    }
    let row = second.conversations(&[id]).await.unwrap().remove(0);
    assert_eq!((row.last_seq, row.rev), (200, 201));
}

/// What the server takes back because of others is decided again on fresh facts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again() {
    let url = url_or_return!("deadlock");
    let (_guard, config) = space(&url);
    let store = on(&url, &config).await;
    let (id, users) = group(&store, 2).await;
    store
        .ensure_user(NewUser::new(users[0].clone()), at(0))
        .await
        .unwrap();
    let schema = config.schema.clone();
    // Somebody locks in the other order: the user first, then the conversation.
    let mut stranger = raw(&url).await;
    execute(
        &mut stranger,
        format!(
            "BEGIN; SET LOCAL deadlock_timeout = '60s'; \
             SELECT 1 FROM \"{schema}\".chat_users WHERE id = '{}' FOR UPDATE",
            users[0]
        ),
    )
    .await;
    let mut needs = Needs::new(Target::Conversation(id));
    needs.user_revs = vec![users[0].clone()];
    let runs = Arc::new(AtomicUsize::new(0));
    let (counter, whose) = (Arc::clone(&runs), users[0].clone());
    let change = Change::new(needs, move |facts| {
        counter.fetch_add(1, Ordering::SeqCst);
        let mut conversation = facts.conversation.clone().unwrap();
        conversation.rev += 1;
        Ok(Writes {
            conversation: Some(conversation),
            user_revs: vec![(whose.clone(), facts.user_revs[&whose] + 1)],
            ..Writes::none()
        })
    });
    let writer = store.clone();
    let commit = tokio::spawn(async move { writer.commit(&[change]).await });
    // The store holds the conversation and waits for the user; only then the stranger closes the circle.
    let mut observer = raw(&url).await;
    loop {
        let waiting = sqlx::query(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'",
        )
        .bind(schema.as_str())
        .fetch_one(&mut observer)
        .await
        .unwrap();
        if waiting.get::<i64, _>(0) > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    execute(
        &mut stranger,
        format!("SELECT 1 FROM \"{schema}\".chat_conversations FOR UPDATE; COMMIT"),
    )
    .await;
    commit.await.unwrap().unwrap().remove(0).unwrap();
    assert_eq!(store.stats().retries, 1);
    assert_eq!(
        runs.load(Ordering::SeqCst),
        1,
        "it had not decided yet when it was taken back"
    );
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].rev, 2);
    assert_eq!(store.users(&[users[0].clone()]).await.unwrap()[0].user_rev, 1);
}

#[tokio::test]
async fn a_lock_that_is_not_given_is_unavailable_and_changes_nothing() {
    let url = url_or_return!("lock");
    let (_guard, config) = space(&url);
    let store = on(
        &url,
        &config.clone().with_lock_timeout(Duration::from_millis(100)),
    )
    .await;
    let (id, users) = group(&store, 2).await;
    let schema = config.schema.clone();
    let mut stranger = raw(&url).await;
    execute(
        &mut stranger,
        format!("BEGIN; SELECT 1 FROM \"{schema}\".chat_conversations FOR UPDATE"),
    )
    .await;
    let refused = store
        .commit(&[send(id, &users[0], "hello", "key")])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Unavailable);
    assert!(!refused.to_string().contains("SELECT") && !refused.to_string().contains("lock"));
    execute(&mut stranger, "ROLLBACK".to_owned()).await;
    let sent = store.commit(&[send(id, &users[0], "hello", "key")]).await;
    assert!(sent.unwrap()[0].is_ok());
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 1);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    let url = url_or_return!("deadline");
    let (_guard, config) = space(&url);
    let store = on(&url, &config.clone().with_deadline(Duration::from_millis(300))).await;
    let (id, users) = group(&store, 2).await;
    let schema = config.schema.clone();
    let mut stranger = raw(&url).await;
    execute(
        &mut stranger,
        format!("BEGIN; LOCK TABLE \"{schema}\".chat_conversations IN ACCESS EXCLUSIVE MODE"),
    )
    .await;
    let read = store.conversations(&[id]).await.unwrap_err();
    assert_eq!(read.kind(), BackendErrorKind::Unavailable);
    let written = store
        .commit(&[send(id, &users[0], "hello", "key")])
        .await
        .unwrap_err();
    assert_eq!(written.kind(), BackendErrorKind::Unavailable);
    execute(&mut stranger, "ROLLBACK".to_owned()).await;
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_that_start_together_run_once() {
    let url = url_or_return!("migrations");
    let (_guard, config) = space(&url);
    let nodes = (0..6).map(|_| {
        let (url, config) = (url.clone(), config.clone());
        tokio::spawn(async move { on(&url, &config).await })
    });
    for node in join_all(nodes).await {
        node.unwrap();
    }
    let mut connection = raw(&url).await;
    let text = format!("SELECT count(*) FROM \"{}\".chat_migrations", config.schema);
    let rows = sqlx::query(AssertSqlSafe(text))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows.get::<i64, _>(0), 1);
    on(&url, &config.with_migrate(false)).await;
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let url = url_or_return!("versions");
    let (_guard, config) = space(&url);
    let pool = pool(&url, 2).await;
    let try_open = async |config: &PostgresConfig| {
        let opened = PostgresStore::open(pool.clone(), config.clone(), Arc::new(SystemClock));
        opened.await.unwrap_err()
    };
    let unmigrated = try_open(&config.clone().with_migrate(false)).await;
    assert!(matches!(
        unmigrated,
        OpenError::SchemaOlder { found: 0, known: 1 }
    ));
    PostgresStore::migrate(&pool, &config).await.unwrap();
    PostgresStore::migrate(&pool, &config).await.unwrap();
    let mut connection = raw(&url).await;
    let schema = &config.schema;
    execute(
        &mut connection,
        format!(
            "INSERT INTO \"{schema}\".chat_migrations (version, description, checksum) VALUES (9, 'future', '\\x00')"
        ),
    )
    .await;
    for migrate in [true, false] {
        let error = try_open(&config.clone().with_migrate(migrate)).await;
        assert!(
            matches!(error, OpenError::SchemaNewer { found: 9, known: 1 }),
            "{error:?}"
        );
        assert!(error.to_string().contains("version 9"));
    }
    execute(
        &mut connection,
        format!(
            "DELETE FROM \"{schema}\".chat_migrations WHERE version = 9; \
             UPDATE \"{schema}\".chat_migrations SET checksum = '\\x00'"
        ),
    )
    .await;
    for migrate in [true, false] {
        let error = try_open(&config.clone().with_migrate(migrate)).await;
        assert!(
            matches!(error, OpenError::SchemaForeign { version: 1 }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn the_script_makes_what_a_migration_makes() {
    let url = url_or_return!("script");
    let (_first, migrated) = space(&url);
    let (_second, scripted) = space(&url);
    on(&url, &migrated).await;
    let mut connection = raw(&url).await;
    execute(&mut connection, schema_sql(&scripted.schema)).await;
    let store = on(&url, &scripted.clone().with_migrate(false)).await;
    let (id, users) = group(&store, 2).await;
    assert!(store.commit(&[send(id, &users[0], "hi", "key")]).await.unwrap()[0].is_ok());
    let mut shapes = Vec::new();
    for schema in [&migrated.schema, &scripted.schema] {
        let rows = sqlx::query(
            "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = $1 UNION ALL \
             SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable \
             FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1",
        )
        .bind(schema.as_str())
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.get::<String, _>(0).replace(schema.as_str(), "chat"))
            .collect();
        shapes.push(lines);
    }
    assert!(shapes[0].len() > 100);
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test]
async fn two_schemas_know_nothing_of_each_other() {
    let url = url_or_return!("schemas");
    let (_first, one) = space(&url);
    let (_second, two) = space(&url);
    let (one, two) = (on(&url, &one).await, on(&url, &two).await);
    let (id, _) = group(&one, 2).await;
    assert!(two.conversations(&[id]).await.unwrap().is_empty());
    assert_ne!(one.sync_epoch().await.unwrap(), two.sync_epoch().await.unwrap());
}

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

/// Another cluster has other transaction ids: numbers go on rising, and a new epoch begins.
#[tokio::test]
async fn a_dump_restored_elsewhere_begins_a_new_epoch() {
    let url = url_or_return!("restored");
    let (_guard, config) = space(&url);
    let store = on(&url, &config).await;
    let (id, users) = group(&store, 2).await;
    let epoch = store.sync_epoch().await.unwrap();
    // As a dump of a cluster that is far ahead looks here.
    let mut connection = raw(&url).await;
    let schema = &config.schema;
    execute(
        &mut connection,
        format!(
            "UPDATE \"{schema}\".chat_state SET cluster = 'another'; \
             UPDATE \"{schema}\".chat_conversations SET change_no = change_no + (1::int8 << 50)"
        ),
    )
    .await;
    let restored = on(&url, &config).await;
    assert_ne!(restored.sync_epoch().await.unwrap(), epoch);
    let position = restored.sync_position().await.unwrap();
    let quiet = restored
        .changed_conversations(&users[0], position, 9)
        .await
        .unwrap();
    assert!(quiet.ids.is_empty() || quiet.reached >= position);
    let sent = restored.commit(&[send(id, &users[0], "hello", "key")]).await;
    assert!(sent.unwrap()[0].is_ok());
    let changed = restored
        .changed_conversations(&users[1], position, 9)
        .await
        .unwrap();
    assert_eq!(changed.ids, [id]);
    assert!(restored.sync_position().await.unwrap() > position);
    // Opened once more it is at home.
    let epoch = restored.sync_epoch().await.unwrap();
    assert_eq!(on(&url, &config).await.sync_epoch().await.unwrap(), epoch);
    restored.renew_epoch().await.unwrap();
    assert_ne!(restored.sync_epoch().await.unwrap(), epoch);
}

/// A change whose transaction was under way when a position was read is reported for it, also between pages.
#[tokio::test]
async fn what_was_under_way_is_reported_afterwards() {
    let url = url_or_return!("under way");
    let (_guard, config) = space(&url);
    let store = on(&url, &config).await;
    let (early, users) = group(&store, 2).await;
    let (late, _) = group(&store, 2).await;
    let (third, _) = group(&store, 2).await;
    let schema = &config.schema;
    // A transaction with a low id that commits late, as another node has one, and one that is no business of ours.
    let mut slow = raw(&url).await;
    let lock = writers_lock(schema.as_str());
    execute(
        &mut slow,
        format!(
            "BEGIN; {lock}; UPDATE \"{schema}\".chat_conversations SET change_no = \
             ((pg_current_xact_id()::text)::int8 << 12) WHERE id = '{early}'"
        ),
    )
    .await;
    let mut stranger = raw(&url).await;
    execute(&mut stranger, "BEGIN; SELECT pg_current_xact_id()".to_owned()).await;
    let start = store.sync_position().await.unwrap();
    for (n, room) in [late, third].into_iter().enumerate() {
        let sent = store
            .commit(&[send(room, &users[0], "hello", &format!("key-{n}"))])
            .await;
        assert!(sent.unwrap()[0].is_ok());
    }
    let first = store.changed_conversations(&users[1], start, 1).await.unwrap();
    assert!(first.has_more);
    execute(&mut slow, "COMMIT".to_owned()).await;
    let (mut told, mut page) = (first.ids.clone(), first);
    while page.has_more {
        page = store
            .changed_conversations(&users[1], page.reached, 1)
            .await
            .unwrap();
        told.extend(page.ids.clone());
    }
    assert!(told.contains(&late) && told.contains(&third));
    // The pages had gone past its number; the position they led to has not.
    let again = store
        .changed_conversations(&users[1], page.reached, 9)
        .await
        .unwrap();
    assert!(told.contains(&early) || again.ids.contains(&early));
    assert!(!again.has_more);
    // Once all that was told, nothing is told twice, although the stranger still writes.
    let quiet = store
        .changed_conversations(&users[1], again.reached, 9)
        .await
        .unwrap();
    assert!(quiet.ids.is_empty() && !quiet.has_more);
    assert!(store.sync_position().await.unwrap() >= quiet.reached);
}

/// What a node does at the start of every writing transaction, so that others see it.
fn writers_lock(schema: &str) -> String {
    let hash = schema.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!(
        "SELECT pg_advisory_xact_lock_shared({}, {})",
        0x6368_6174,
        hash >> 1
    )
}

#[tokio::test]
async fn a_schema_name_has_to_be_one() {
    assert!(matches!(
        SchemaName::new("chat\"; DROP SCHEMA public"),
        Err(OpenError::SchemaName)
    ));
    let bad = PostgresStore::connect(
        "mysql://localhost/chat",
        PostgresConfig::default(),
        Arc::new(SystemClock),
    )
    .await;
    assert!(matches!(bad.unwrap_err(), OpenError::Url(_)));
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let url = url_or_return!("closed");
    let (_guard, config) = space(&url);
    let store = PostgresStore::connect(&url, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let (_, users) = group(&store, 2).await;
    store.close().await;
    let refused = store
        .set_block(&users[0], &users[1], true, at(0))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Unavailable);
}

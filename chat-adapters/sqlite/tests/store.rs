//! What the conformance suite leaves to each adapter: durability, batches, costs, versions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests: a failed expectation is a panic"
)]

use std::sync::Arc;

use chat_conformance::fixtures::{
    AnyStore, NOW, Room, append, at, direct_conversation, group_conversation, member, people, text, user,
};
use chat_core::config::BlockedInGroup;
use chat_core::error::{BackendErrorKind, ErrorCode};
use chat_core::id::{ClientId, ConversationId, UserId};
use chat_core::model::NewUser;
use chat_core::store::{
    Anchor, BlockStore, Change, ConversationStore, InboxList, InboxQuery, MembersNeeded, Needs, Target,
    UserStore, Writes,
};
use chat_core::time::SystemClock;
use chat_sqlite::{OpenError, SqliteConfig, SqliteStats, SqliteStore};
use futures::future::join_all;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

fn space() -> (TempDir, SqliteConfig) {
    let directory = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(directory.path().join("chat.db"));
    (directory, config)
}

async fn open(config: &SqliteConfig) -> SqliteStore {
    SqliteStore::open(config.clone(), Arc::new(SystemClock))
        .await
        .unwrap()
}

async fn in_memory() -> SqliteStore {
    SqliteStore::in_memory(Arc::new(SystemClock)).await.unwrap()
}

fn any(store: &SqliteStore) -> AnyStore {
    Arc::new(store.clone())
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

async fn group(store: &SqliteStore, members: usize) -> (ConversationId, Vec<UserId>) {
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

/// What an operation added to the counters.
fn since(before: SqliteStats, after: SqliteStats) -> (u64, u64, u64) {
    (
        after.transactions - before.transactions,
        after.write_statements - before.write_statements,
        after.read_statements - before.read_statements,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_writes_are_there_after_a_restart_without_a_close() {
    let (_guard, config) = space();
    let store = open(&config).await;
    let (id, users) = group(&store, 2).await;
    let sends = (0..200).map(|n| {
        let (store, sender) = (store.clone(), users[n % 2].clone());
        async move {
            let change = send(id, &sender, &format!("message {n}"), &format!("key-{n}"));
            store.commit(&[change]).await.unwrap().remove(0).unwrap();
        }
    });
    join_all(sends).await;
    // Another set of connections reads what is in the files now; nobody has closed anything.
    let second = open(&config).await;
    assert_eq!(second.conversations(&[id]).await.unwrap()[0].last_seq, 200);
    drop(store);
    let third = open(&config).await;
    assert_eq!(third.conversations(&[id]).await.unwrap()[0].last_seq, 200);
    third.close().await;
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commits_share_transactions() {
    let (_guard, config) = space();
    let store = open(&config).await;
    let (id, users) = group(&store, 2).await;
    let before = store.stats();
    let commits = (0..500).map(|n| {
        let (store, sender) = (store.clone(), users[0].clone());
        tokio::spawn(async move {
            let change = send(id, &sender, "hello", &format!("key-{n}"));
            store.commit(&[change]).await.unwrap().remove(0).unwrap();
        })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap();
    }
    let after = store.stats();
    assert_eq!(after.changes - before.changes, 500);
    assert!(
        after.transactions - before.transactions < 250,
        "{} transactions for 500 changes",
        after.transactions - before.transactions
    );
    store.close().await;
}

#[tokio::test]
async fn a_failing_change_takes_no_other_with_it() {
    let store = in_memory().await;
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
    ];
    let answers = store.commit(&slice).await.unwrap();
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().code(), ErrorCode::Internal);
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 2);
    // Alone in its transaction it goes the same way.
    assert!(store.commit(&[broken]).await.unwrap()[0].is_err());
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 2);
    let room = Room {
        store: any(&store),
        id,
    };
    let found = room.history(&users[0], Anchor::Newest, 10).await.messages;
    assert_eq!(
        found.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
        ["before", "after"]
    );
}

#[tokio::test]
async fn a_panicking_decision_is_an_internal_error_of_its_own() {
    let store = in_memory().await;
    let (id, users) = group(&store, 2).await;
    let panics = Change::new(Needs::new(Target::Conversation(id)), |_| panic!("a bug"));
    let answers = store
        .commit(&[panics, send(id, &users[0], "hello", "key")])
        .await
        .unwrap();
    assert_eq!(answers[0].as_ref().unwrap_err().code(), ErrorCode::Internal);
    assert!(answers[1].is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_is_written_whole_or_not_at_all() {
    let store = in_memory().await;
    let (id, users) = group(&store, 2).await;
    for n in 0..50_u64 {
        let (slice_store, sender) = (store.clone(), users[0].clone());
        let call = tokio::spawn(async move {
            let slice = [
                send(id, &sender, "first", &format!("a-{n}")),
                send(id, &sender, "second", &format!("b-{n}")),
            ];
            slice_store.commit(&slice).await
        });
        tokio::time::sleep(std::time::Duration::from_micros(n * 20)).await;
        call.abort();
        drop(call.await);
    }
    // Behind this one in the queue nothing is left of the dropped ones.
    store.commit(&[]).await.unwrap();
    store
        .ensure_user(NewUser::new(user("last")), at(0))
        .await
        .unwrap();
    let last_seq = store.conversations(&[id]).await.unwrap()[0].last_seq;
    assert_eq!(last_seq % 2, 0);
}

#[tokio::test]
async fn a_send_runs_as_many_statements_in_a_large_group_as_in_a_small_one() {
    let mut costs = Vec::new();
    let mut counting = Vec::new();
    for members in [10, 10_000] {
        let store = in_memory().await;
        let (id, users) = group(&store, members).await;
        store
            .commit(&[send(id, &users[1], "warm up", "key-0")])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        let before = store.stats();
        store
            .commit(&[send(id, &users[1], "hello", "key-1")])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        costs.push(since(before, store.stats()));
        let before = store.stats();
        let room = Room {
            store: any(&store),
            id,
        };
        for reader in [&users[0], &users[members / 2], &users[members - 1]] {
            assert_eq!(room.unread(reader).await, 2);
            let badge = store.badge(reader, NOW, BlockedInGroup::default()).await.unwrap();
            assert_eq!(badge.unread_messages, 2);
        }
        assert_eq!(room.unread(&users[1]).await, 0);
        counting.push(since(before, store.stats()));
        for reader in [&users[0], &users[members - 1]] {
            assert_eq!(
                room.member(reader).await,
                member(id, reader),
                "no member row was written"
            );
        }
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(counting, [(0, 0, 7); 2], "a statement for each count");
    // BEGIN, facts, number, conversation, message, search index, COMMIT.
    assert_eq!(costs[0], (1, 7, 0));
}

#[tokio::test]
async fn a_send_in_a_batch_costs_four_round_trips() {
    let store = in_memory().await;
    let (id, users) = group(&store, 10).await;
    let sends: Vec<Change> = (0..100)
        .map(|n| send(id, &users[1], "hello", &format!("key-{n}")))
        .collect();
    let before = store.stats();
    store.commit(&sends).await.unwrap();
    let (transactions, statements, _) = since(before, store.stats());
    assert_eq!(transactions, 1);
    // Facts, savepoint, conversation, message; for the batch BEGIN, number, search index and COMMIT.
    assert_eq!(statements, 100 * 4 + 4);
}

#[tokio::test]
async fn a_page_of_the_list_is_one_statement_however_long() {
    for conversations in [3, 120] {
        let store = in_memory().await;
        let [ann] = people(&any(&store), ["ann"]).await;
        for n in 0..conversations {
            let peer = user(&format!("peer-{n}"));
            store
                .ensure_user(NewUser::new(peer.clone()), at(0))
                .await
                .unwrap();
            let conversation = direct_conversation(&ann, &peer);
            let id = conversation.id;
            let rows = vec![member(id, &ann), member(id, &peer)];
            let create = Change::new(Needs::new(Target::Conversation(id)), move |_| {
                Ok(Writes {
                    conversation: Some(conversation.clone()),
                    members: rows.clone(),
                    ..Writes::default()
                })
            });
            store
                .commit(&[create, send(id, &peer, "hello", "key")])
                .await
                .unwrap();
        }
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
async fn a_page_of_history_is_at_most_two_statements() {
    let store = in_memory().await;
    let (id, users) = group(&store, 3).await;
    let room = Room {
        store: any(&store),
        id,
    };
    room.chatter(&users[0], 30).await;
    let viewer = room.viewer(&users[1]).await;
    for (anchor, statements) in [
        (Anchor::Newest, 1),
        (Anchor::Before(20), 2),
        (Anchor::After(5), 2),
        (Anchor::Around(10), 2),
    ] {
        let query = chat_core::store::HistoryQuery {
            viewer: viewer.clone(),
            anchor,
            limit: 5,
            kind: None,
        };
        let before = store.stats();
        assert_eq!(room.store.history(&query).await.unwrap().messages.len(), 5);
        assert_eq!(since(before, store.stats()), (0, 0, statements), "{anchor:?}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_guard, config) = space();
    open(&config).await.close().await;
    let path = config.path.clone().unwrap();
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query(
        "INSERT INTO chat_migrations (version, description, success, checksum, execution_time) \
         VALUES (9, 'future', 1, x'00', 0)",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    raw.close().await.unwrap();
    for migrate in [true, false] {
        let config = config.clone().with_migrate(migrate);
        let error = SqliteStore::open(config, Arc::new(SystemClock))
            .await
            .unwrap_err();
        assert!(
            matches!(error, OpenError::SchemaNewer { found: 9, known: 1 }),
            "{error:?}"
        );
        assert!(error.to_string().contains("version 9"));
    }
}

#[tokio::test]
async fn a_foreign_or_missing_schema_is_refused() {
    let (_guard, config) = space();
    let unmigrated = SqliteStore::open(config.clone().with_migrate(false), Arc::new(SystemClock)).await;
    assert!(matches!(
        unmigrated.unwrap_err(),
        OpenError::SchemaOlder { found: 0, known: 1 }
    ));
    SqliteStore::migrate(&config).await.unwrap();
    SqliteStore::migrate(&config).await.unwrap();
    open(&config.clone().with_migrate(false)).await.close().await;
    let path = config.path.clone().unwrap();
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query("UPDATE chat_migrations SET checksum = x'00'")
        .execute(&mut raw)
        .await
        .unwrap();
    raw.close().await.unwrap();
    for migrate in [true, false] {
        let config = config.clone().with_migrate(migrate);
        let error = SqliteStore::open(config, Arc::new(SystemClock))
            .await
            .unwrap_err();
        assert!(
            matches!(error, OpenError::SchemaForeign { version: 1 }),
            "{error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_that_start_together_run_once() {
    let (_guard, config) = space();
    let runs = (0..8).map(|_| SqliteStore::migrate(&config));
    for done in join_all(runs).await {
        done.unwrap();
    }
    open(&config.with_migrate(false)).await.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_answers_what_is_queued_and_refuses_the_rest() {
    let (_guard, config) = space();
    let store = open(&config).await;
    let (id, users) = group(&store, 2).await;
    let mut sends: Vec<_> = (0..50)
        .map(|n| {
            let (store, sender) = (store.clone(), users[0].clone());
            Box::pin(async move { store.commit(&[send(id, &sender, "hello", &format!("{n}"))]).await })
        })
        .collect();
    // Polling once puts a write into the queue.
    for send in &mut sends {
        assert!(futures::poll!(send.as_mut()).is_pending());
    }
    let ((), answers) = tokio::join!(store.close(), join_all(sends));
    assert!(answers.into_iter().all(|answer| answer.unwrap()[0].is_ok()));
    let refused = store
        .set_block(&users[0], &users[1], true, at(0))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Unavailable);
    // The log is in the file now: the file alone can be copied.
    let mut log = config.path.clone().unwrap().into_os_string();
    log.push("-wal");
    assert!(!std::path::Path::new(&log).exists());
    let reopened = open(&config).await;
    assert_eq!(reopened.conversations(&[id]).await.unwrap()[0].last_seq, 50);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let store = SqliteStore::open(
        SqliteConfig::in_memory().with_queued_writes(1),
        Arc::new(SystemClock),
    )
    .await
    .unwrap();
    let (id, users) = group(&store, 2).await;
    // On one thread the writer cannot empty the queue between the two.
    let calls = (0..2).map(|n| {
        let (store, change) = (store.clone(), send(id, &users[0], "hello", &format!("{n}")));
        async move { store.commit(&[change]).await }
    });
    let answers = join_all(calls).await;
    assert!(answers[0].is_ok());
    assert_eq!(
        answers[1].as_ref().unwrap_err().kind(),
        BackendErrorKind::Unavailable
    );
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_recovers() {
    let (_guard, config) = space();
    let store = open(
        &config
            .clone()
            .with_busy_timeout(std::time::Duration::from_millis(50)),
    )
    .await;
    let (id, users) = group(&store, 2).await;
    let path = config.path.clone().unwrap();
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut raw).await.unwrap();
    let refused = store
        .commit(&[send(id, &users[0], "hello", "key")])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Unavailable);
    assert!(!refused.to_string().contains("SELECT") && !refused.to_string().contains("locked"));
    sqlx::query("ROLLBACK").execute(&mut raw).await.unwrap();
    assert!(
        store
            .commit(&[send(id, &users[0], "hello", "key")])
            .await
            .unwrap()[0]
            .is_ok()
    );
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 1);
}

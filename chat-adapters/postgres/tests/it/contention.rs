//! Many at once: broken changes, other nodes, deadlocks, locks that are not given, calls that take too
//! long, a store that was closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::changes::{group, send};
use crate::space::{any, execute, on, raw, space};
use chat_conformance::fixtures::{Room, at, text};
use chat_core::error::{BackendErrorKind, ErrorCode};
use chat_core::id::ClientId;
use chat_core::model::NewUser;
use chat_core::store::{Anchor, BlockStore, Change, ConversationStore, Needs, Target, UserStore, Writes};
use chat_core::time::SystemClock;
use chat_postgres::PostgresStore;
use futures::future::join_all;
use sqlx::Row;

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

//! A server that is killed under load: what it has answered is there when it is back, once, and without gaps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::server::OwnServer;
use chat_conformance::fixtures::{append, group_conversation, member, text, user};
use chat_conformance::opened;
use chat_core::command::{OpenDirect, SendMessage};
use chat_core::config::BlockedInGroup;
use chat_core::error::BackendErrorKind;
use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::model::NewUser;
use chat_core::port::Identity;
use chat_core::store::{
    Change, ChangesQuery, ConversationStore, MessageStore, Needs, RetentionStore, Target, UserStore, Viewer,
    Writes,
};
use chat_core::time::{Clock, SystemClock};
use chat_core::{Actor, ChatEngine};
use chat_postgres::{PostgresConfig, PostgresStore};
use sqlx::ConnectOptions;

const WRITERS: usize = 4;
const KILLS: u32 = 3;

/// Sends until told to stop, each message until it was answered; the ids of those that were.
async fn write(
    store: PostgresStore,
    room: ConversationId,
    writer: usize,
    sender: UserId,
    stop: Arc<AtomicBool>,
    failures: Arc<AtomicU64>,
) -> Vec<MessageId> {
    let mut answered = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let mut message = text(&sender, "hello");
        message.client_id = Some(ClientId::new(format!("w{writer}-{}", answered.len())).unwrap());
        let id = message.id;
        let change = append(room, message);
        loop {
            match store.commit(std::slice::from_ref(&change)).await {
                Ok(mut answers) => {
                    answers.remove(0).unwrap();
                    answered.push(id);
                    break;
                }
                // Nobody knows, or certainly nothing: the same again is right for both, by its key.
                Err(error) => {
                    let kind = error.kind();
                    assert!(
                        matches!(
                            kind,
                            BackendErrorKind::Unavailable | BackendErrorKind::OutcomeUnknown
                        ),
                        "{error:?}"
                    );
                    failures.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_nothing_that_was_answered() {
    let Some(mut server) = opened(OwnServer::start(&[]), "postgres-programs", "kill") else {
        return;
    };
    let mut config = PostgresConfig::default().with_migrate(true);
    config.acquire_timeout = Duration::from_millis(500);
    let store = PostgresStore::connect(&server.url(), config, Arc::new(SystemClock))
        .await
        .unwrap();
    let users = [user("ann"), user("bob")];
    let conversation = group_conversation(&users[0]);
    let room = conversation.id;
    let rows: Vec<_> = users.iter().map(|user| member(room, user)).collect();
    let create = Change::new(Needs::new(Target::Conversation(room)), move |_| {
        Ok(Writes {
            conversation: Some(conversation.clone()),
            members: rows.clone(),
            ..Writes::default()
        })
    });
    store.commit(&[create]).await.unwrap().remove(0).unwrap();

    let (stop, failures) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let sender = users[writer % 2].clone();
            let (stop, failures) = (Arc::clone(&stop), Arc::clone(&failures));
            tokio::spawn(write(store.clone(), room, writer, sender, stop, failures))
        })
        .collect();
    for kill in 0..KILLS {
        // At moments that fall differently into the writers' rhythm each time.
        tokio::time::sleep(Duration::from_millis(400 + u64::from(kill) * 137)).await;
        let back = tokio::task::spawn_blocking(move || {
            server.kill();
            server.again();
            server
        });
        server = back.await.unwrap();
    }
    let before = failures.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::SeqCst);
    let mut answered = Vec::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    assert!(before > 0, "nobody noticed that the server was killed");
    let stored = store.messages(&answered).await.unwrap();
    assert_eq!(stored.len(), answered.len(), "an answered message is gone");
    let row = store.conversations(&[room]).await.unwrap().remove(0);
    let all = store.oldest_messages(room, usize::MAX).await.unwrap();
    let keys: BTreeSet<_> = all
        .iter()
        .map(|message| (message.sender_id.clone(), message.client_id.clone()))
        .collect();
    assert_eq!(keys.len(), all.len(), "a message is stored twice");
    let seqs: Vec<u64> = all.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=row.last_seq).collect::<Vec<_>>(), "seqs have gaps");
    println!("{} answered, {before} failures told", answered.len());
    store.close().await;
}

/// What a user of the engine does while its database is gone: he sends the same again until it is answered.
async fn say(me: &Actor, room: ConversationId, key: &str) {
    let message = SendMessage::text(room, "hello").with_client_id(ClientId::new(key).unwrap());
    loop {
        match me.send(message.clone()).await {
            Ok(_) => return,
            Err(error) => assert!(error.code().is_retryable(), "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_goes_on_by_itself_when_its_database_is_back() {
    const BOUND: Duration = Duration::from_secs(10);
    let Some(mut server) = opened(OwnServer::start(&[]), "postgres-programs", "recovery") else {
        return;
    };
    let config = PostgresConfig::default().with_migrate(true);
    let store = PostgresStore::connect(&server.url(), config, Arc::new(SystemClock))
        .await
        .unwrap();
    let engine = ChatEngine::builder(Arc::new(store.clone())).build();
    let ids = [user("ann"), user("bob")];
    for id in &ids {
        engine.admit(&Identity::new(id.clone())).await.unwrap();
    }
    let [ann, bob] = ids.each_ref().map(|id| engine.as_user(id));
    let open = OpenDirect {
        user_id: ids[1].clone(),
    };
    let room = ann.open_direct(open).await.unwrap().conversation.id;
    for kill in 0..KILLS {
        say(&ann, room, &format!("before-{kill}")).await;
        // One is on its way while the server is killed.
        let (me, key) = (ann.clone(), format!("meanwhile-{kill}"));
        let meanwhile = tokio::spawn(async move { say(&me, room, &key).await });
        let back = tokio::task::spawn_blocking(move || {
            server.kill();
            server.again();
            server
        });
        server = back.await.unwrap();
        let goes_on = async {
            meanwhile.await.unwrap();
            say(&bob, room, &format!("after-{kill}")).await;
        };
        let in_time = tokio::time::timeout(BOUND, goes_on).await;
        in_time.expect("the engine goes on within 10 s");
    }
    let all = store.oldest_messages(room, usize::MAX).await.unwrap();
    let mut keys: Vec<_> = all
        .iter()
        .filter_map(|message| message.client_id.clone())
        .collect();
    keys.sort();
    let mut expected: Vec<_> = (0..KILLS)
        .flat_map(|kill| ["after", "before", "meanwhile"].map(|when| format!("{when}-{kill}")))
        .map(|key| ClientId::new(key).unwrap())
        .collect();
    expected.sort();
    assert_eq!(keys, expected, "each message is there once");
    store.close().await;
}

/// Transaction ids given just before a crash may be given again after it. A position read in between has seen them.
#[tokio::test]
async fn a_position_from_before_a_crash_misses_nothing_after_it() {
    // Nothing but commits that are waited for gets to the disk before the crash.
    let settings = ["wal_writer_delay=10s", "checkpoint_timeout=1h"];
    let Some(mut server) = opened(OwnServer::start(&settings), "postgres-programs", "positions") else {
        return;
    };
    let config = PostgresConfig::default().with_migrate(true);
    let store = PostgresStore::connect(&server.url(), config, Arc::new(SystemClock))
        .await
        .unwrap();
    let ann = user("ann");
    store
        .ensure_user(NewUser::new(ann.clone()), SystemClock.now())
        .await
        .unwrap();
    let conversation = group_conversation(&ann);
    let (room, me) = (conversation.id, member(conversation.id, &ann));
    let create = Change::new(Needs::new(Target::Conversation(room)), move |_| {
        Ok(Writes {
            conversation: Some(conversation.clone()),
            members: vec![me.clone()],
            ..Writes::default()
        })
    });
    store.commit(&[create]).await.unwrap().remove(0).unwrap();
    let options: sqlx::postgres::PgConnectOptions = server.url().parse().unwrap();
    let mut other = options.connect().await.unwrap();
    for _ in 0..100 {
        let text = "BEGIN; SELECT pg_current_xact_id(); ROLLBACK";
        sqlx::raw_sql(text).execute(&mut other).await.unwrap();
    }
    let before = store.sync_position().await.unwrap();
    let seen = store.changed_conversations(&ann, before, 10).await.unwrap();
    assert!(seen.ids.is_empty());
    let (server, store) = tokio::task::spawn_blocking(move || {
        server.kill();
        server.again();
        (server, store)
    })
    .await
    .unwrap();
    let message = text(&ann, "hello");
    let id = message.id;
    let change = append(room, message);
    loop {
        match store.commit(std::slice::from_ref(&change)).await {
            Ok(mut answers) => break answers.remove(0).unwrap(),
            Err(error) => assert_eq!(error.kind(), BackendErrorKind::Unavailable, "{error:?}"),
        }
    }
    assert!(store.sync_position().await.unwrap() > before, "positions rise");
    let changed = store.changed_conversations(&ann, before, 10).await.unwrap();
    assert_eq!(changed.ids, [room]);
    let row = store.member(room, &ann).await.unwrap().unwrap();
    let query = ChangesQuery {
        viewer: Viewer {
            member: row,
            now: SystemClock.now(),
            blocked_in_group: BlockedInGroup::default(),
            group: true,
        },
        since_rev: 0,
        position: Some(before),
        limit: 10,
    };
    let changed = store.changed_messages(&query).await.unwrap();
    assert!(changed.messages.iter().any(|message| message.id == id));
    store.close().await;
    drop(server);
}

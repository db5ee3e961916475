//! A server that is killed under load: what it has answered is there when it is back, once, and without gaps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chat_conformance::fixtures::{append, group_conversation, text, user};
use chat_conformance::opened;
use chat_core::command::{OpenDirect, SendMessage};
use chat_core::error::BackendErrorKind;
use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::port::Identity;
use chat_core::store::{ConversationStore, MessageStore, RetentionStore};
use chat_core::time::SystemClock;
use chat_core::{Actor, ChatEngine};
use chat_mongodb::{MongoConfig, MongoStore};

use crate::changes::create;
use crate::server::{OwnServer, STUCK};

const WRITERS: usize = 4;
const KILLS: u64 = 3;
/// The store works again by itself this long after its server accepts connections.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// Sends until told to stop, each message until it was answered; the ids of those that were.
async fn write(
    store: MongoStore,
    room: ConversationId,
    writer: usize,
    sender: UserId,
    stop: Arc<AtomicBool>,
    failures: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
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
                    sent.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                // Nobody knows, or certainly nothing: the same again is right for both, by its key.
                Err(error) => {
                    assert!(
                        matches!(
                            error.kind(),
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

async fn until(limit: Duration, what: &str, is_true: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < limit, "{what} took longer than {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// On a busy machine a server may take a second or two to say that it is there. A client that waits longer for it goes on
/// no later.
fn patient(server: &OwnServer) -> String {
    format!(
        "{}?serverSelectionTimeoutMS=5000&connectTimeoutMS=5000",
        server.url()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_nothing_that_was_answered() {
    let Some(mut server) = opened(OwnServer::start(), "mongodb-program", "kill") else {
        return;
    };
    let config = MongoConfig::default()
        .with_setup(true)
        .with_patience(Duration::from_secs(1));
    let store = MongoStore::connect(&patient(&server), config, Arc::new(SystemClock))
        .await
        .unwrap();
    let users = [user("ann"), user("bob")];
    let conversation = group_conversation(&users[0]);
    let room = conversation.id;
    let made = store.commit(&[create(conversation, &users)]).await;
    made.unwrap().remove(0).unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let (failures, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let sender = users[writer % 2].clone();
            let (stop, failures) = (Arc::clone(&stop), Arc::clone(&failures));
            let writing = write(
                store.clone(),
                room,
                writer,
                sender,
                stop,
                failures,
                Arc::clone(&sent),
            );
            tokio::spawn(writing)
        })
        .collect();
    for kill in 0..KILLS {
        // At moments that fall differently into the writers' rhythm each time.
        let enough = sent.load(Ordering::SeqCst) + 10 + kill * 7;
        until(STUCK, "writing", || sent.load(Ordering::SeqCst) >= enough).await;
        let told = failures.load(Ordering::SeqCst);
        server.kill();
        until(STUCK, "noticing", || failures.load(Ordering::SeqCst) > told).await;
        let back = tokio::task::spawn_blocking(move || {
            server.again();
            server
        });
        server = back.await.unwrap();
        let before = sent.load(Ordering::SeqCst);
        until(RECOVERED_WITHIN, "recovery", || {
            sent.load(Ordering::SeqCst) > before
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut answered = Vec::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    let stored = store.messages(&answered).await.unwrap();
    assert_eq!(stored.len(), answered.len(), "an answered message is gone");
    let row = store.conversations(&[room]).await.unwrap().remove(0);
    let all = store.oldest_messages(room, 1_000_000).await.unwrap();
    let keys: BTreeSet<_> = all
        .iter()
        .map(|message| (message.sender_id.clone(), message.client_id.clone()))
        .collect();
    assert_eq!(keys.len(), all.len(), "a message is stored twice");
    let seqs: Vec<u64> = all.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=row.last_seq).collect::<Vec<_>>(), "seqs have gaps");
    let failures = failures.load(Ordering::SeqCst);
    println!("{} answered, {failures} failures told", answered.len());
    store.close().await;
}

/// Sends until it is answered, as a client does.
async fn say(me: &Actor, room: ConversationId, key: &str) {
    let message = SendMessage::text(room, "hello").with_client_id(ClientId::new(key).unwrap());
    while let Err(error) = me.send(message.clone()).await {
        assert!(error.code().is_retryable(), "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_goes_on_by_itself_when_its_database_is_back() {
    let Some(mut server) = opened(OwnServer::start(), "mongodb-program", "recovery") else {
        return;
    };
    let config = MongoConfig::default().with_setup(true);
    let store = MongoStore::connect(&patient(&server), config, Arc::new(SystemClock))
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
        let in_time = tokio::time::timeout(RECOVERED_WITHIN, goes_on).await;
        in_time.expect("the engine goes on within 10 s");
    }
    let all = store.oldest_messages(room, 1_000_000).await.unwrap();
    let keys: Vec<_> = all
        .iter()
        .filter_map(|message| message.client_id.clone())
        .collect();
    let different: BTreeSet<_> = keys.iter().collect();
    assert_eq!(
        (keys.len(), different.len()),
        (9, 9),
        "each message is there once"
    );
    store.close().await;
}

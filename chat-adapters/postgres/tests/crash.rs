//! A server that is killed under load: what it has answered is there when it is back, once, and without gaps.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "helpers of tests: a failed expectation is a panic"
)]

#[path = "common/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chat_conformance::fixtures::{append, group_conversation, member, text, user};
use chat_conformance::opened;
use chat_core::error::BackendErrorKind;
use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::store::{Change, ConversationStore, MessageStore, Needs, RetentionStore, Target, Writes};
use chat_core::time::SystemClock;
use chat_postgres::{PostgresConfig, PostgresStore};
use server::OwnServer;

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
    let Some(mut server) = opened(OwnServer::start(), "postgres-programs", "kill") else {
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

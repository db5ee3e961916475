//! How many durable sends a second the engine does on SQLite, beside the raw limit of the same disk: one plain INSERT
//! per transaction, same settings.
//!
//! Run with `cargo run -p chat-sqlite --profile bench --example sends`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement: it prints, and a failure may end it"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_core::ChatEngine;
use chat_core::command::{OpenDirect, SendMessage};
use chat_core::id::{ClientId, ConversationId, UserId};
use chat_core::port::Identity;
use chat_core::time::SystemClock;
use chat_sqlite::{SqliteConfig, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

const EACH: Duration = Duration::from_secs(4);
const TEXT: &str = "Shall we meet at the station tomorrow at eight?";

#[tokio::main]
async fn main() {
    let raw = raw_inserts().await;
    println!("raw: one INSERT per transaction      {raw:>8.0}/s   1.00");
    for (senders, conversations) in [(1, 1), (16, 1), (64, 1), (64, 200), (256, 200)] {
        let rate = sends(senders, conversations).await;
        println!(
            "engine: {senders:>3} senders, {conversations:>3} conversations {rate:>8.0}/s   {:.2}",
            rate / raw
        );
    }
}

/// What the disk gives one writer that waits for every row.
async fn raw_inserts() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut db = SqliteConnectOptions::new()
        .filename(folder.path().join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    sqlx::query("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        .execute(&mut db)
        .await
        .unwrap();
    let (start, mut rows) = (Instant::now(), 0_u32);
    while start.elapsed() < EACH {
        sqlx::query("INSERT INTO t (text) VALUES (?1)")
            .bind(TEXT)
            .execute(&mut db)
            .await
            .unwrap();
        rows += 1;
    }
    let rate = f64::from(rows) / start.elapsed().as_secs_f64();
    db.close().await.unwrap();
    rate
}

/// Sends of the whole engine: rules, idempotency, search index, events.
async fn sends(senders: usize, conversations: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(folder.path().join("chat.db"));
    let store = SqliteStore::open(config, Arc::new(SystemClock)).await.unwrap();
    let mut limits = chat_core::ChatConfig::default();
    limits.limits.creates = chat_core::config::Rate::new(10_000, 600_000);
    let engine = ChatEngine::builder(Arc::new(store.clone()))
        .with_config(limits)
        .build();
    let rooms = Arc::new(rooms(&engine, conversations).await);
    let start = Instant::now();
    let tasks: Vec<_> = (0..senders)
        .map(|sender| {
            let (engine, rooms) = (engine.clone(), Arc::clone(&rooms));
            tokio::spawn(async move {
                let mut sent = 0_u32;
                while start.elapsed() < EACH {
                    let (id, users) = &rooms[(sender * 31 + sent as usize) % rooms.len()];
                    let key = ClientId::new(format!("{sender}-{sent}")).unwrap();
                    let message = SendMessage::text(*id, TEXT).with_client_id(key);
                    engine.as_user(&users[sender % 2]).send(message).await.unwrap();
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    let rate = f64::from(total) / start.elapsed().as_secs_f64();
    store.close().await;
    rate
}

async fn rooms(engine: &ChatEngine, count: usize) -> Vec<(ConversationId, [UserId; 2])> {
    let mut rooms = Vec::with_capacity(count);
    for number in 0..count {
        let users = ["a", "b"].map(|side| UserId::new(format!("{side}{number}")).unwrap());
        for user in &users {
            engine.admit(&Identity::new(user.clone())).await.unwrap();
        }
        let open = OpenDirect {
            user_id: users[1].clone(),
        };
        let direct = engine.as_user(&users[0]).open_direct(open).await.unwrap();
        rooms.push((direct.conversation.id, users));
    }
    rooms
}

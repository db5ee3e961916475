//! What a message costs its sender in a group of 10 and of 10,000, nine tenths of whom have a device and are not here,
//! and how long all of them are told.
//!
//! `cargo run --release -p chat-sqlite --example push_cost`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: what goes wrong ends it, and its output is what it is for"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chat_core::ChatEngine;
use chat_core::command::{CreateGroup, RegisterDevice, SendMessage};
use chat_core::config::{ChatConfig, Rate};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Device, Platform, Provider};
use chat_core::port::{Identity, Notified, Notifier, Push};
use chat_core::store::Store;
use chat_core::time::SystemClock;
use chat_sqlite::{SqliteConfig, SqliteStore};

/// Sends that are measured in each group.
const SENDS: usize = 200;

/// Takes everything at once.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

#[async_trait::async_trait]
impl Notifier for Counting {
    async fn notify(&self, _: &Device, _: &Push) -> Notified {
        self.0.fetch_add(1, Ordering::Relaxed);
        Notified::Sent
    }
}

async fn group(engine: &ChatEngine, sender: &UserId, size: usize) -> ConversationId {
    let mut members = Vec::new();
    for number in 1..size {
        let user = UserId::new(format!("g{size}-{number}")).unwrap();
        engine.admit(&Identity::new(user.clone())).await.unwrap();
        if number % 10 != 0 {
            let device = RegisterDevice {
                token: format!("token of {user}"),
                platform: Platform::Android,
                provider: Provider::Fcm,
            };
            engine.as_user(&user).register_device(device).await.unwrap();
        }
        members.push(user);
    }
    let create = CreateGroup {
        name: format!("{size}"),
        member_ids: members,
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    };
    let created = engine.as_user(sender).create_group(create).await.unwrap();
    created.conversation.id
}

/// The median of a send.
async fn cost(engine: &ChatEngine, sender: &UserId, to: ConversationId) -> Duration {
    let mut times = Vec::with_capacity(SENDS);
    for _ in 0..SENDS {
        let began = Instant::now();
        let send = SendMessage::text(to, "hello");
        engine.as_user(sender).send(send).await.unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times.get(SENDS / 2).copied().unwrap_or_default()
}

fn engine(store: &Arc<dyn Store>, notifier: &Arc<Counting>) -> ChatEngine {
    let mut config = ChatConfig::default();
    config.limits.members = 20_000;
    config.limits.add_members = 20_000;
    config.limits.commands = Rate::new(1_000_000, 1_000_000);
    config.limits.sends_per_conversation = Rate::new(60_000, 60_000);
    ChatEngine::builder(Arc::clone(store))
        .with_config(config)
        .with_notifier(Arc::clone(notifier) as Arc<dyn Notifier>)
        .build()
}

async fn store(folder: &tempfile::TempDir, name: &str) -> Arc<dyn Store> {
    let config = SqliteConfig::new(folder.path().join(name));
    Arc::new(SqliteStore::open(config, Arc::new(SystemClock)).await.unwrap())
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = Arc::new(Counting::default());
    let sender = UserId::new("sender").unwrap();

    // Without workers, so that only the sends themselves are measured; what they write waits.
    let quiet = store(&folder, "quiet.db").await;
    let sending = engine(&quiet, &notifier);
    sending.admit(&Identity::new(sender.clone())).await.unwrap();
    let small = group(&sending, &sender, 10).await;
    let large = group(&sending, &sender, 10_000).await;
    sending.drain(Duration::ZERO, Duration::from_secs(10)).await;
    cost(&sending, &sender, small).await;
    let in_small = cost(&sending, &sender, small).await;
    let in_large = cost(&sending, &sender, large).await;
    let entries = quiet.outbox_backlog("push").await.unwrap().entries;
    println!(
        "a send, median of {SENDS}: {in_small:?} in a group of 10, {in_large:?} in one of 10,000, ratio {:.2}; \
         {entries} entries in the outbox for {} messages",
        in_large.as_secs_f64() / in_small.as_secs_f64(),
        3 * SENDS,
    );

    // One message for everybody, on a node that works.
    let busy = store(&folder, "busy.db").await;
    let telling = engine(&busy, &notifier);
    telling.admit(&Identity::new(sender.clone())).await.unwrap();
    let large = group(&telling, &sender, 10_000).await;
    let began = Instant::now();
    let send = SendMessage::text(large, "hello");
    telling.as_user(&sender).send(send).await.unwrap();
    while busy.outbox_backlog("push").await.unwrap().entries > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "one message: {} devices told in {:?}",
        notifier.0.load(Ordering::Relaxed),
        began.elapsed()
    );
}

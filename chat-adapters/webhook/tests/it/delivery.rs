use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chat_core::ChatEngine;
use chat_core::command::{OpenDirect, SendMessage};
use chat_core::id::{ConversationId, UserId};
use chat_core::memory::MemoryStore;
use chat_core::model::NewUser;
use chat_core::port::RelayPolicy;
use chat_core::store::{OutboxStore, Store};
use chat_core::time::{Clock, SystemClock};
use chat_sqlite::SqliteStore;
use chat_webhook::{Webhook, WebhookSecret};

use crate::receiver::{Act, Receiver};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const STRANGE: &str = "whsec_/////////////////////////////////////////w==";

fn webhook(url: &str) -> Webhook {
    let mut policy = RelayPolicy::default();
    policy.timeout = Duration::from_millis(500);
    policy.lease = Duration::from_secs(1);
    policy.first_retry = Duration::from_millis(20);
    policy.longest_retry = Duration::from_millis(50);
    policy.poll = Duration::from_millis(10);
    let secrets = [NEW, OLD].map(|secret| WebhookSecret::parse(secret).unwrap());
    Webhook::new(url, secrets)
        .unwrap()
        .with_events(["message_created", "message_deleted"])
        .with_policy(policy)
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

async fn engine_on(store: Arc<dyn Store>, webhook: Webhook) -> ChatEngine {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for name in ["ann", "bob", "cat"] {
        store
            .ensure_user(NewUser::new(user(name)), clock.now())
            .await
            .unwrap();
    }
    ChatEngine::builder(store).with_relay(Arc::new(webhook)).build()
}

async fn direct(engine: &ChatEngine, other: &str) -> ConversationId {
    let open = OpenDirect { user_id: user(other) };
    let opened = engine.as_user(&user("ann")).open_direct(open).await.unwrap();
    opened.conversation.id
}

async fn say(engine: &ChatEngine, id: ConversationId, text: &str) {
    let sent = engine
        .as_user(&user("ann"))
        .send(SendMessage::text(id, text))
        .await;
    sent.unwrap();
}

#[tokio::test]
async fn an_event_is_posted_signed_with_every_secret() {
    let mut receiver = Receiver::start().await;
    let engine = engine_on(Arc::new(MemoryStore::default()), webhook(&receiver.url)).await;
    let id = direct(&engine, "bob").await;
    say(&engine, id, "hellö").await;
    let call = receiver.next().await;
    assert!(call.is_signed_with(NEW) && call.is_signed_with(OLD));
    assert!(!call.is_signed_with(STRANGE));
    assert_eq!(call.signatures.split(' ').count(), 2);
    let now = SystemClock.now().as_millis() / 1_000;
    assert!(
        (now - call.timestamp).abs() < 300,
        "inside the tolerance of a receiver"
    );
    let body = call.json();
    assert_eq!(body["type"], "message_created");
    assert_eq!(body["data"]["message"]["conversation_id"], serde_json::json!(id));
    assert_eq!(call.text(), "hellö");
    assert_eq!(body.as_object().unwrap().len(), 3, "type, timestamp, data");
}

#[tokio::test]
async fn order_holds_through_every_kind_of_failure() {
    let mut receiver = Receiver::start().await;
    let engine = engine_on(Arc::new(MemoryStore::default()), webhook(&receiver.url)).await;
    let id = direct(&engine, "bob").await;
    let failures = [
        Act::Answer(500, ""),
        Act::Answer(302, "location: /elsewhere\r\n"),
        Act::Reset,
        Act::Hang,
        Act::Answer(429, "retry-after: 1\r\n"),
    ];
    receiver.play(&failures);
    for n in 0..4 {
        say(&engine, id, &n.to_string()).await;
    }
    let mut first = Vec::new();
    for _ in 0..failures.len() {
        let call = receiver.next().await;
        assert_eq!((call.text().as_str(), call.taken), ("0", false));
        assert!(
            call.is_signed_with(NEW),
            "each attempt is signed for its own time"
        );
        first.push(call);
    }
    for n in 0..4 {
        let call = receiver.next().await;
        assert_eq!((call.text(), call.taken), (n.to_string(), true));
        if n == 0 {
            assert!(
                first
                    .iter()
                    .all(|other| other.id == call.id && other.body == call.body)
            );
            // The last failure asked for a second.
            assert!(call.timestamp > first.last().unwrap().timestamp);
        }
    }
    let stats = engine.stats().relays.remove(0);
    assert_eq!((stats.retried, stats.given_up_refused), (5, 0));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again() {
    let mut receiver = Receiver::start().await;
    let engine = engine_on(Arc::new(MemoryStore::default()), webhook(&receiver.url)).await;
    let id = direct(&engine, "bob").await;
    receiver.play(&[Act::Answer(410, "")]);
    say(&engine, id, "refused").await;
    say(&engine, id, "taken").await;
    assert_eq!(receiver.next().await.text(), "refused");
    assert_eq!(receiver.next().await.text(), "taken");
    let stats = engine.stats().relays.remove(0);
    assert_eq!((stats.given_up_refused, stats.retried), (1, 0));
}

async fn sqlite(file: &Path) -> SqliteStore {
    SqliteStore::from_path(file, Arc::new(SystemClock)).await.unwrap()
}

/// The process dies after the commits and before any delivery, with one under way: its runtime goes with all its tasks,
/// nothing is drained or closed.
#[test]
fn a_crash_between_commit_and_delivery_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let outside = tokio::runtime::Runtime::new().unwrap();
    let mut receiver = outside.block_on(Receiver::start());
    receiver.play(&[Act::Hang, Act::Hang]);

    let dying = tokio::runtime::Runtime::new().unwrap();
    dying.block_on(async {
        let engine = engine_on(Arc::new(sqlite(&file).await), webhook(&receiver.url)).await;
        for other in ["bob", "cat"] {
            let id = direct(&engine, other).await;
            for n in 0..3 {
                say(&engine, id, &format!("{other} {n}")).await;
            }
        }
        for _ in 0..2 {
            assert!(!receiver.next().await.taken);
        }
    });
    dying.shutdown_background();

    outside.block_on(async {
        let store = sqlite(&file).await;
        assert_eq!(store.outbox_backlog("webhook").await.unwrap().entries, 6);
        let engine = engine_on(Arc::new(store.clone()), webhook(&receiver.url)).await;
        let mut got: Vec<String> = Vec::new();
        while got.len() < 6 {
            let text = receiver.taken().await.text();
            // At least once: a repetition is legal.
            if !got.contains(&text) {
                got.push(text);
            }
        }
        for other in ["bob", "cat"] {
            let of: Vec<&String> = got.iter().filter(|text| text.starts_with(other)).collect();
            assert_eq!(
                of,
                [
                    &format!("{other} 0"),
                    &format!("{other} 1"),
                    &format!("{other} 2")
                ]
            );
        }
        assert!(engine.drain(Duration::ZERO, Duration::from_secs(20)).await);
        assert_eq!(store.outbox_backlog("webhook").await.unwrap().entries, 0);
    });
}

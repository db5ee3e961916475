//! Pushes meet every fault at every call of the store and of the provider on their way, and then the node dies. The next
//! node on the same data tells every device, and none of them more often than twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_conformance::faults::{Calls, Fault, Faults, FaultyNotifier, FaultyStore};
use chat_core::command::SendMessage;
use chat_core::id::ConversationId;
use chat_core::memory::MemoryStore;
use chat_core::model::Device;
use chat_core::port::{Identity, Notified, Notifier, Push};
use chat_core::store::{OutboxStore as _, Store};
use chat_core::time::{Clock, ManualClock};
use chat_core::{ChatEngine, ChatEngineBuilder};
use serde_json::json;

use crate::stage::{of, quiet, user_id};

/// Calls between a message that is stored and devices that are told.
const ON_THE_WAY: Calls = &[
    "claim_outbox",
    "conversations",
    "members",
    "devices",
    "outbox_keys",
    "messages",
    "users",
    "member",
    "badge",
    "notify",
    "advance_outbox",
    "finish_outbox",
    "retry_outbox",
];
const DEVICES: [(&str, &str); 4] = [("ben", "b1"), ("ben", "b2"), ("cem", "c1"), ("dan", "d1")];
/// Longer than a lease.
const LEASE_OVER: Duration = Duration::from_secs(100);

/// What each device was told.
#[derive(Debug, Default)]
struct Phones(Mutex<BTreeMap<String, usize>>);

#[async_trait::async_trait]
impl Notifier for Phones {
    async fn notify(&self, device: &Device, _: &Push) -> Notified {
        *self.0.lock().unwrap().entry(device.token.clone()).or_default() += 1;
        Notified::Sent
    }
}

struct Nodes {
    clock: Arc<ManualClock>,
    store: MemoryStore,
    phones: Arc<Phones>,
    faults: Faults,
}

impl Nodes {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        Self {
            store: MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
            phones: Arc::default(),
            faults: Faults::default(),
        }
    }

    fn builder(&self, store: Arc<dyn Store>) -> ChatEngineBuilder {
        ChatEngine::builder(store).with_clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
    }

    fn faulty(&self) -> ChatEngine {
        let store = FaultyStore::new(Arc::new(self.store.clone()), &self.faults);
        let phones = Arc::clone(&self.phones) as Arc<dyn Notifier>;
        self.builder(Arc::new(store))
            .with_notifier(Arc::new(FaultyNotifier::new(phones, &self.faults)))
            .build()
    }

    fn sound(&self) -> ChatEngine {
        let notifier = Arc::clone(&self.phones) as Arc<dyn Notifier>;
        self.builder(Arc::new(self.store.clone()))
            .with_notifier(notifier)
            .build()
    }

    /// Lets both clocks go on.
    async fn pass(&self, time: Duration) {
        for _ in 0..4 {
            self.clock.advance(time / 4);
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }
}

async fn group(engine: &ChatEngine) -> ConversationId {
    for name in ["ada", "ben", "cem", "dan"] {
        engine.admit(&Identity::new(user_id(name))).await.unwrap();
    }
    for (user, token) in DEVICES {
        let device = of(json!({ "token": token, "platform": "android", "provider": "fcm" }));
        engine
            .as_user(&user_id(user))
            .register_device(device)
            .await
            .unwrap();
    }
    let create = of(json!({ "name": "us", "member_ids": ["ben", "cem", "dan"] }));
    let ada = engine.as_user(&user_id("ada"));
    ada.create_group(create).await.unwrap().conversation.id
}

/// Whether the fault was met.
async fn survives(fault: Fault, call: usize) -> bool {
    let nodes = Nodes::new();
    let first = nodes.faulty();
    let group = group(&first).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let ada = first.as_user(&user_id("ada"));
    nodes.faults.fail(ON_THE_WAY, call, fault);
    // The send itself makes some of these calls and may fail; then there is nothing to tell.
    let sent = tokio::spawn(async move { ada.send(SendMessage::text(group, "hello")).await });
    tokio::time::sleep(Duration::from_millis(900)).await;
    let met = nodes.faults.has_failed();
    let is_sent = sent.is_finished() && matches!(sent.await, Ok(Ok(_)));
    drop(first);
    nodes.faults.watch(&[]);
    nodes.faults.release();
    let _second = nodes.sound();
    nodes.pass(LEASE_OVER).await;
    nodes.pass(LEASE_OVER).await;
    let told = nodes.phones.0.lock().unwrap().clone();
    if is_sent {
        for (_, token) in DEVICES {
            let times = told.get(token).copied().unwrap_or_default();
            assert!((1..=2).contains(&times), "{fault:?} at call {call}: {told:?}");
        }
    }
    let left = nodes.store.outbox_backlog("push").await.unwrap().entries;
    assert_eq!(left, 0, "{fault:?} at call {call}");
    met
}

#[tokio::test(start_paused = true)]
async fn every_crash_point_loses_no_push_and_repeats_each_at_most_once() {
    quiet();
    for fault in Fault::ALL {
        let mut call = 0;
        while survives(fault, call).await {
            call += 1;
        }
        assert!(call > 15, "{fault:?}: only {call} calls were there to fail");
    }
}

//! Events on their way out of the system: with their change, at least once, in order per conversation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{DeleteMessage, DeletionScope, Mark, Marks, SendMessage};
use chat_core::engine::RelayStats;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::ConversationId;
use chat_core::memory::MemoryStore;
use chat_core::port::{Relay, RelayFailure, RelayPolicy};
use chat_core::store::{OutboxEntry, OutboxStore};
use chat_core::time::{Clock, ManualClock};
use serde_json::Value;
use uuid::Uuid;

use crate::world::{World, code};

/// What the receiver does with the next deliveries of one conversation.
#[derive(Debug, Clone)]
enum Act {
    Fail(Option<Duration>),
    Refuse,
    Hang,
    Panic,
}

/// A receiver that plays a script per conversation, and takes everything after it.
#[derive(Debug, Default)]
struct Receiver {
    script: Mutex<HashMap<String, Vec<Act>>>,
    tried: Mutex<Vec<Uuid>>,
    got: Mutex<Vec<(String, Value)>>,
    everything: bool,
}

impl Receiver {
    fn play(&self, conversation: ConversationId, acts: &[Act]) {
        let mut acts = acts.to_vec();
        acts.reverse();
        self.script.lock().unwrap().insert(conversation.to_string(), acts);
    }

    /// Types of what came, by conversation, since the last question.
    fn types(&self, conversation: ConversationId) -> Vec<String> {
        let key = conversation.to_string();
        let mut got = self.got.lock().unwrap();
        let (his, others) = std::mem::take(&mut *got)
            .into_iter()
            .partition(|(of, _)| *of == key);
        *got = others;
        let his: Vec<(String, Value)> = his;
        his.iter()
            .map(|(_, body)| body["type"].as_str().unwrap().to_owned())
            .collect()
    }

    fn texts(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter()
            .filter_map(|(_, body)| Some(body["data"]["message"]["text"].as_str()?.to_owned()))
            .collect()
    }
}

#[async_trait]
impl Relay for Receiver {
    fn topic(&self) -> &str {
        "test"
    }

    fn wants(&self, event: &ChatEvent) -> bool {
        self.everything
            || !matches!(
                event,
                ChatEvent::MessageHidden { .. } | ChatEvent::InboxUpdated { .. }
            )
    }

    async fn deliver(&self, entry: &OutboxEntry) -> Result<(), RelayFailure> {
        self.tried.lock().unwrap().push(entry.id);
        let act = self.script.lock().unwrap().get_mut(&entry.key).and_then(Vec::pop);
        match act {
            Some(Act::Fail(after)) => {
                return Err(RelayFailure::Retry {
                    reason: "500".to_owned(),
                    after,
                });
            }
            Some(Act::Refuse) => {
                return Err(RelayFailure::Refused {
                    reason: "410".to_owned(),
                });
            }
            Some(Act::Hang) => std::future::pending().await,
            Some(Act::Panic) => panic!("a fault of the adapter"),
            None => {}
        }
        let body = serde_json::from_str(&entry.payload).unwrap();
        self.got.lock().unwrap().push((entry.key.clone(), body));
        Ok(())
    }
}

fn relayed(receiver: &Arc<Receiver>) -> World {
    World::wired(
        |config| config.limits.commands = chat_core::config::Rate::new(1_000_000, 1_000),
        |builder| builder.with_relay(Arc::clone(receiver) as Arc<dyn Relay>),
    )
}

/// Lets the worker look for what is due.
async fn a_moment() {
    tokio::time::sleep(RelayPolicy::default().poll * 2).await;
}

/// Lets both clocks go on.
async fn later(world: &World, by: Duration) {
    world.clock.advance(by);
    a_moment().await;
}

fn stats(world: &World) -> RelayStats {
    world.engine.stats().relays.remove(0)
}

#[tokio::test(start_paused = true)]
async fn every_persistent_event_goes_out_once_and_in_order() {
    let receiver = Arc::new(Receiver::default());
    let world = relayed(&receiver);
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    let sent = world.on(&ann).send(SendMessage::text(id, "hello")).await.unwrap();
    let marks = Marks {
        conversation_id: Some(id),
        seq: Some(sent.message.seq),
        marks: None,
    };
    world.on(&bob).mark_read(marks).await.unwrap();
    let delete = DeleteMessage {
        message_id: sent.message.id,
        scope: DeletionScope::Everyone,
    };
    world.on(&ann).delete_message(delete).await.unwrap();
    world.on(&bob).leave(id).await.unwrap();
    assert_eq!(
        code(world.on(&bob).send(SendMessage::text(id, "x")).await),
        ErrorCode::ConversationNotFound
    );
    a_moment().await;
    let events = world.names().await;
    assert_eq!(
        receiver.types(id),
        [
            "conversation_created",
            "message_created",
            "message_created",
            "receipt_updated",
            "message_deleted",
            "members_changed",
            "conversation_removed",
            "message_created"
        ]
    );
    drop(events);
    assert_eq!(world.store().outbox_backlog("test").await.unwrap().entries, 0);
    let stats = stats(&world);
    assert_eq!(
        (stats.delivered, stats.retried, stats.given_up_refused),
        (8, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_is_the_hosts_view_of_the_event() {
    let receiver = Arc::new(Receiver {
        everything: true,
        ..Receiver::default()
    });
    let world = relayed(&receiver);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let sent = world
        .on(&ann)
        .send(SendMessage::text(id, "hello"))
        .await
        .unwrap()
        .message;
    let delete = |scope| DeleteMessage {
        message_id: sent.id,
        scope,
    };
    world
        .on(&bob)
        .delete_message(delete(DeletionScope::Me))
        .await
        .unwrap();
    let mark = Mark {
        conversation_id: id,
        seq: Some(1),
    };
    world
        .on(&ann)
        .delete_message(delete(DeletionScope::Everyone))
        .await
        .unwrap();
    let _ = world.on(&bob).mark_unread(mark).await;
    a_moment().await;
    let got = receiver.got.lock().unwrap().clone();
    let of = |kind: &str| {
        let found = got.iter().find(|(_, body)| body["type"] == kind);
        found.unwrap_or_else(|| panic!("{kind} in {got:?}")).1.clone()
    };
    let created = of("message_created");
    assert_eq!(created["timestamp"], serde_json::json!(world.clock.now()));
    let message = &created["data"]["message"];
    assert_eq!(message["id"], serde_json::json!(sent.id));
    assert_eq!(
        (
            &message["text"],
            &message["sender_id"],
            &message["seq"],
            &message["kind"]
        ),
        (&"hello".into(), &"ann".into(), &1.into(), &"text".into())
    );
    assert!(message.get("edited_at").is_none(), "absent fields are left out");
    let gone = of("message_deleted");
    assert!(gone["data"]["message"].get("text").is_none());
    assert_eq!(gone["data"]["message"]["deleted"]["by"], "author");
    let hidden = of("message_hidden");
    assert_eq!(hidden["data"]["user_id"], "bob");
}

#[tokio::test(start_paused = true)]
async fn a_failing_conversation_keeps_its_order_and_holds_up_no_other() {
    let receiver = Arc::new(Receiver::default());
    let world = relayed(&receiver);
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let (bad, good) = (world.direct(&ann, &bob).await, world.direct(&ann, &cat).await);
    a_moment().await;
    receiver.types(bad);
    receiver.types(good);
    let wish = Some(Duration::from_secs(600));
    receiver.play(bad, &[Act::Fail(None), Act::Panic, Act::Fail(wish)]);
    for n in 0..3 {
        world.send(&ann, bad, &format!("bad {n}")).await;
        world.send(&ann, good, &format!("good {n}")).await;
    }
    a_moment().await;
    assert_eq!(receiver.types(good).len(), 3);
    assert!(receiver.types(bad).is_empty());
    later(&world, Duration::from_secs(5)).await;
    later(&world, Duration::from_secs(10)).await;
    // The third failure asked for ten minutes.
    later(&world, Duration::from_secs(590)).await;
    assert!(receiver.types(bad).is_empty());
    assert_eq!(stats(&world).retried, 3);
    later(&world, Duration::from_secs(10)).await;
    assert_eq!(receiver.texts(), ["bad 0", "bad 1", "bad 2"]);
    let tried = receiver.tried.lock().unwrap().clone();
    let again = tried
        .iter()
        .filter(|id| tried.iter().filter(|other| other == id).count() == 4);
    assert_eq!(again.count(), 4, "one entry, four attempts, one id");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_hangs_is_given_up_and_repeated() {
    let receiver = Arc::new(Receiver::default());
    let world = relayed(&receiver);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    a_moment().await;
    receiver.play(id, &[Act::Hang]);
    world.send(&ann, id, "hello").await;
    a_moment().await;
    assert_eq!(stats(&world).retried, 0);
    tokio::time::sleep(RelayPolicy::default().timeout).await;
    assert_eq!(stats(&world).retried, 1);
    later(&world, Duration::from_secs(5)).await;
    assert_eq!(receiver.texts(), ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_or_refused_is_given_up_and_counted() {
    let receiver = Arc::new(Receiver::default());
    let world = relayed(&receiver);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    a_moment().await;
    receiver.play(id, &[Act::Refuse, Act::Fail(None), Act::Fail(None)]);
    for text in ["refused", "too old", "goes on"] {
        world.send(&ann, id, text).await;
    }
    a_moment().await;
    assert_eq!((stats(&world).given_up_refused, stats(&world).retried), (1, 1));
    later(&world, RelayPolicy::default().max_age).await;
    let stats = stats(&world);
    assert_eq!((stats.given_up_too_old, stats.retried), (1, 1));
    assert_eq!(receiver.texts(), ["goes on"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopping_engine_gives_back_what_it_holds() {
    let clock = Arc::new(ManualClock::default());
    let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let first = Arc::new(Receiver::default());
    let world = World::on_store(store.clone(), Arc::clone(&clock), |builder| {
        builder.with_relay(Arc::clone(&first) as Arc<dyn Relay>)
    });
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    a_moment().await;
    first.play(id, &[Act::Hang]);
    world.send(&ann, id, "hello").await;
    a_moment().await;
    assert!(world.engine.drain(Duration::ZERO, Duration::from_secs(15)).await);
    let lease = Uuid::new_v4();
    let free = store
        .claim_outbox("test", 9, lease, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(free.len(), 1, "at once, not when the lease ends");
    assert_eq!(free[0].attempts, 0);
    store.release_outbox(lease).await.unwrap();

    let second = Arc::new(Receiver::default());
    let _world = World::on_store(store, clock, |builder| {
        builder.with_relay(Arc::clone(&second) as Arc<dyn Relay>)
    });
    a_moment().await;
    assert_eq!(second.texts(), ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_relay_nothing_is_written() {
    let world = World::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    world.send(&ann, id, "hello").await;
    for topic in ["test", "webhook", ""] {
        assert_eq!(world.store().outbox_backlog(topic).await.unwrap().entries, 0);
    }
}

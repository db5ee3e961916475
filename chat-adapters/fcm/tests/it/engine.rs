//! From a message to a phone, and a provider that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use chat_core::ChatEngine;
use chat_core::command::{OpenDirect, PageRequest, RegisterDevice, SendMessage};
use chat_core::id::UserId;
use chat_core::memory::MemoryStore;
use chat_core::model::{NewUser, Platform, Provider};
use chat_fake_fcm::{Act, FakeFcm};

use crate::fixture::fcm;

async fn talk(
    fake: &FakeFcm,
    tokens: &[&str],
) -> (ChatEngine, UserId, UserId, chat_core::id::ConversationId) {
    let store = Arc::new(MemoryStore::default());
    let engine = ChatEngine::builder(store)
        .with_notifier(Arc::new(fcm(fake)))
        .build();
    let [ann, bob] = ["ann", "bob"].map(|id| UserId::new(id).unwrap());
    for user in [&ann, &bob] {
        let new = NewUser::new(user.clone()).with_name(user.as_str());
        engine.store().ensure_user(new, engine.now()).await.unwrap();
    }
    for token in tokens {
        let device = RegisterDevice {
            token: (*token).to_owned(),
            platform: Platform::Android,
            provider: Provider::Fcm,
        };
        engine.as_user(&bob).register_device(device).await.unwrap();
    }
    let open = OpenDirect { user_id: bob.clone() };
    let direct = engine.as_user(&ann).open_direct(open).await.unwrap();
    (engine, ann, bob, direct.conversation.id)
}

#[tokio::test]
async fn a_message_reaches_each_device_and_dead_ones_go() {
    let fake = FakeFcm::start().await;
    let (engine, ann, bob, direct) = talk(&fake, &["phone", "dead", "limited"]).await;
    fake.play("dead", &[Act::Refuse(404, "UNREGISTERED")]);
    fake.play("limited", &[Act::RetryAfter(429, 1)]);
    engine
        .as_user(&ann)
        .send(SendMessage::text(direct, "hello"))
        .await
        .unwrap();
    let taken = fake.wait_for(2).await;
    assert!(
        taken
            .iter()
            .all(|message| message["notification"]["body"] == "hello")
    );
    assert_eq!(fake.calls("dead"), 1);
    let devices = engine
        .as_user(&bob)
        .devices(PageRequest::default())
        .await
        .unwrap()
        .items;
    assert!(devices.iter().all(|device| device.token != "dead"));
    assert_eq!(fake.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_no_send() {
    let fake = FakeFcm::start().await;
    let (engine, ann, _, direct) = talk(&fake, &["phone"]).await;
    fake.play("phone", &[Act::Hang]);
    for n in 0..30 {
        engine
            .as_user(&ann)
            .send(SendMessage::text(direct, n.to_string()))
            .await
            .unwrap();
    }
    fake.wait_for_calls("phone", 1).await;
    let waiting = engine.store().outbox_backlog("push").await.unwrap().entries;
    assert_eq!(
        (waiting, fake.calls("phone")),
        (30, 1),
        "everything else waits in the outbox"
    );
    assert!(engine.drain(Duration::ZERO, Duration::from_secs(10)).await);
}

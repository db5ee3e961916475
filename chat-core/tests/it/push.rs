//! Pushes are judged right before the provider is called, and no provider holds up anybody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{
    ConversationPatch, DeleteMessage, DeletionScope, EditMessage, Mark, Marks, RegisterDevice, SendMessage,
};
use chat_core::config::ChatConfig;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::model::{Device, Platform, Provider};
use chat_core::port::{Notifier, NotifyReport, Push};
use tokio::sync::Notify;

use crate::world::{World, settle};

/// Answers for tokens that start with "slow" when it is let, panics for "broken", and takes everything else.
#[derive(Debug, Default)]
struct Moody {
    go: Notify,
    called: Mutex<HashMap<UserId, Vec<String>>>,
}

#[async_trait]
impl Notifier for Moody {
    async fn notify(&self, devices: &[Device], push: &Push) -> BackendResult<NotifyReport> {
        self.called
            .lock()
            .unwrap()
            .entry(push.user_id.clone())
            .or_default()
            .push(push.body.clone());
        let starts = |with: &str| devices.iter().any(|device| device.token.starts_with(with));
        assert!(!starts("broken"), "a bug of the host");
        if starts("slow") {
            self.go.notified().await;
        }
        Ok(NotifyReport::default())
    }
}

impl Moody {
    fn bodies(&self, user: &UserId) -> Vec<String> {
        self.called.lock().unwrap().get(user).cloned().unwrap_or_default()
    }
}

fn world() -> (World, Arc<Moody>) {
    world_with(|_| {})
}

fn world_with(edit: impl FnOnce(&mut ChatConfig)) -> (World, Arc<Moody>) {
    let provider = Arc::new(Moody::default());
    let notifier = Arc::clone(&provider) as Arc<dyn Notifier>;
    (
        World::wired(edit, |builder| builder.with_notifier(notifier)),
        provider,
    )
}

async fn register(world: &World, user: &UserId, token: &str) {
    let device = RegisterDevice {
        token: token.to_owned(),
        platform: Platform::Android,
        provider: Provider::Fcm,
    };
    world.on(user).register_device(device).await.unwrap();
}

async fn say(world: &World, user: &UserId, to: ConversationId, text: &str) -> MessageId {
    let sent = world.on(user).send(SendMessage::text(to, text)).await;
    sent.unwrap().message.id
}

async fn delete(world: &World, user: &UserId, message_id: MessageId, scope: DeletionScope) {
    let delete = DeleteMessage { message_id, scope };
    world.on(user).delete_message(delete).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_edited_hidden_or_read_while_it_waited_is_pushed_as_it_is_now() {
    let (world, provider) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "slow").await;
    say(&world, &ann, id, "first").await;
    settle().await;
    assert_eq!(provider.bodies(&bob), ["first"]);

    let read = say(&world, &ann, id, "read elsewhere").await;
    let deleted = say(&world, &ann, id, "deleted").await;
    let hidden = say(&world, &ann, id, "hidden").await;
    let edited = say(&world, &ann, id, "edited").await;
    assert_ne!(read, deleted);
    let mark = Mark {
        conversation_id: id,
        seq: Some(2),
    };
    let marks = Marks {
        conversation_id: None,
        seq: None,
        marks: Some(vec![mark]),
    };
    world.on(&bob).mark_read(marks).await.unwrap();
    delete(&world, &ann, deleted, DeletionScope::Everyone).await;
    delete(&world, &bob, hidden, DeletionScope::Me).await;
    let edit = EditMessage {
        message_id: edited,
        text: "as it is now".to_owned(),
        expected_version: Some(1),
        mentions: None,
    };
    world.on(&ann).edit(edit).await.unwrap();
    for _ in 0..5 {
        provider.go.notify_one();
        settle().await;
    }
    assert_eq!(provider.bodies(&bob), ["first", "as it is now"]);
}

#[tokio::test(start_paused = true)]
async fn a_block_either_way_stops_pushes_that_wait() {
    for bob_blocks in [true, false] {
        let (world, provider) = world();
        let [ann, bob] = world.users(["ann", "bob"]).await;
        let id = world.direct(&ann, &bob).await;
        register(&world, &bob, "slow").await;
        say(&world, &ann, id, "first").await;
        settle().await;
        say(&world, &ann, id, "before the block").await;
        let (blocker, blocked) = if bob_blocks { (&bob, &ann) } else { (&ann, &bob) };
        world.on(blocker).block(blocked).await.unwrap();
        provider.go.notify_one();
        settle().await;
        assert_eq!(provider.bodies(&bob), ["first"], "bob blocks: {bob_blocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_left_while_a_push_waited_gets_none() {
    let (world, provider) = world();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    register(&world, &bob, "slow").await;
    say(&world, &ann, id, "first").await;
    settle().await;
    say(&world, &ann, id, "for members").await;
    world.on(&bob).leave(id).await.unwrap();
    provider.go.notify_one();
    settle().await;
    assert_eq!(provider.bodies(&bob), ["Name of ann: first"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_broken_provider_delays_nobody_else() {
    let (world, provider) = world();
    let [ann, bob, cat, dan] = world.users(["ann", "bob", "cat", "dan"]).await;
    let id = world.group(&ann, &[&bob, &cat, &dan]).await;
    register(&world, &bob, "slow").await;
    register(&world, &cat, "broken").await;
    register(&world, &dan, "good").await;
    for n in 0..12 {
        say(&world, &ann, id, &n.to_string()).await;
        settle().await;
    }
    assert_eq!(provider.bodies(&bob).len(), 1, "one call for a user at a time");
    assert_eq!(provider.bodies(&cat).len(), 12, "a panic ends nothing");
    assert_eq!(provider.bodies(&dan).len(), 12);
    assert_eq!(world.engine.stats().pushes_failed, 12);
    assert_eq!(world.engine.stats().pushes_dropped, 0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        provider.bodies(&bob).len(),
        2,
        "no call takes longer than ten seconds"
    );
    assert_eq!(world.engine.stats().pushes_failed, 13);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_one_user_is_bounded_and_the_loss_is_counted() {
    let (world, provider) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "slow").await;
    for n in 0..40 {
        say(&world, &ann, id, &n.to_string()).await;
        settle().await;
    }
    assert_eq!(world.engine.stats().pushes_dropped, 40 - 1 - 16);
    for _ in 0..20 {
        provider.go.notify_one();
        settle().await;
    }
    let bodies = provider.bodies(&bob);
    assert_eq!(bodies.first().map(String::as_str), Some("0"));
    assert_eq!(
        bodies.last().map(String::as_str),
        Some("39"),
        "the oldest gave way"
    );
    assert_eq!(bodies.len(), 17);
}

#[tokio::test(start_paused = true)]
async fn words_that_disappear_are_pushed_by_policy_only() {
    for shown in [false, true] {
        let (world, provider) = world_with(|config| config.policies.push_disappearing_content = shown);
        let [ann, bob] = world.users(["ann", "bob"]).await;
        let id = world.direct(&ann, &bob).await;
        register(&world, &bob, "token").await;
        say(&world, &ann, id, "stays").await;
        let timer = ConversationPatch {
            message_ttl_ms: Some(Some(60_000)),
            ..ConversationPatch::default()
        };
        world.on(&ann).update_conversation(id, timer).await.unwrap();
        say(&world, &ann, id, "goes").await;
        settle().await;
        let bodies = provider.bodies(&bob);
        assert_eq!(bodies.len(), 2);
        assert!(bodies[0].contains("stays"));
        assert_eq!(bodies[1].contains("goes"), shown);
    }
}

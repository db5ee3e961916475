//! Ports a host brings: its users, its say, its pushes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{ConversationSettings, Foreground, Mark, Marks, PageRequest, SendMessage};
use chat_core::error::{BackendResult, ErrorCode};
use chat_core::event::ChatEvent;
use chat_core::id::{ClientId, UserId};
use chat_core::model::{Muted, NewUser, User};
use chat_core::port::{Draft, Hook, PushKind, Rejection, UserDirectory};

use crate::phones::{self, Act, later, register};
use crate::world::{World, code, id, settle};

/// Upper-cases, refuses "spam", and remembers what happened.
#[derive(Debug, Default)]
struct Censor {
    asked: Mutex<usize>,
    after: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Hook for Censor {
    async fn before_send(&self, draft: Draft<'_>) -> Result<(), Rejection> {
        *self.asked.lock().unwrap() += 1;
        let text = draft.message.text.clone().unwrap_or_default();
        if text == "spam" {
            return Err(Rejection {
                policy_code: "no_spam".to_owned(),
                detail: "not here".to_owned(),
            });
        }
        draft.message.text = Some(text.to_uppercase());
        Ok(())
    }

    async fn after(&self, event: &ChatEvent) {
        self.after.lock().unwrap().push(event.name());
    }
}

#[tokio::test(start_paused = true)]
async fn hooks_rewrite_refuse_and_watch_but_replays_pass_them_by() {
    let censor = Arc::new(Censor::default());
    let world = World::wired(
        |_| {},
        |builder| builder.with_hook(Arc::clone(&censor) as Arc<dyn Hook>),
    );
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let direct = world.direct(&ann, &bob).await;
    let send = SendMessage::text(direct, "hello").with_client_id(ClientId::new("k").unwrap());
    let first = world.on(&ann).send(send.clone()).await.unwrap();
    assert_eq!(first.message.text.as_deref(), Some("HELLO"));
    let again = world.on(&ann).send(send).await.unwrap();
    assert!(again.replayed);
    assert_eq!(*censor.asked.lock().unwrap(), 1);

    let refused = world
        .on(&ann)
        .send(SendMessage::text(direct, "spam"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RejectedByPolicy);
    assert_eq!(refused.details()["policy_code"], "no_spam");
    settle().await;
    assert_eq!(
        *censor.after.lock().unwrap(),
        ["conversation_created", "message_created"]
    );
}

/// Knows one user the chat has never met.
#[derive(Debug)]
struct Company;

#[async_trait]
impl UserDirectory for Company {
    async fn find(&self, user: &UserId) -> BackendResult<Option<NewUser>> {
        Ok((user.as_str() == "eve").then(|| NewUser::new(user.clone()).with_name("Eve of Sales")))
    }

    async fn enrich(&self, users: &mut [User]) -> BackendResult<()> {
        for user in users {
            user.name = format!("{} (company)", user.name);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_hosts_own_users_can_be_written_to_before_they_come() {
    let world = World::wired(|_| {}, |builder| builder.with_directory(Arc::new(Company)));
    let [ann] = world.users(["ann"]).await;
    let sent = world
        .on(&ann)
        .send(SendMessage::text_to(id("eve"), "hello"))
        .await
        .unwrap();
    let peer = sent.conversation.unwrap().peer.unwrap();
    assert_eq!(peer.name, "Eve of Sales (company)");
    let nobody = world
        .on(&ann)
        .send(SendMessage::text_to(id("nobody"), "hello"))
        .await;
    assert_eq!(code(nobody), ErrorCode::UserNotFound);
}

#[tokio::test(start_paused = true)]
async fn who_looks_away_is_pushed_and_who_looks_or_has_muted_is_not() {
    let (world, phones) = phones::world();
    phones.play("dead", &[Act::Dead]);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let direct = world.direct(&ann, &bob).await;
    register(&world, &bob, "live").await;
    register(&world, &bob, "dead").await;

    world.send(&ann, direct, "one").await;
    settle().await;
    let [push] = phones.taken().try_into().unwrap();
    assert_eq!(
        (push.title.as_str(), push.body.as_str(), push.badge),
        ("Name of ann", "one", 1)
    );
    assert_eq!(
        world
            .on(&bob)
            .devices(PageRequest::default())
            .await
            .unwrap()
            .items
            .len(),
        1,
        "the dead device is gone"
    );

    let device = world.connect(&bob).await;
    world.send(&ann, direct, "two").await;
    settle().await;
    assert_eq!(phones.taken(), []);
    let away = Foreground { foreground: false };
    device
        .session
        .execute(
            "set_foreground",
            serde_json::json!({ "foreground": away.foreground }),
        )
        .await
        .unwrap();
    let seq = world.send(&ann, direct, "three").await;
    settle().await;
    assert_eq!(phones.taken(), [], "he has a moment to look");
    later(&world, Duration::from_secs(3)).await;
    assert_eq!(phones.taken().len(), 1);

    let mark = Marks {
        conversation_id: None,
        seq: None,
        marks: Some(vec![Mark {
            conversation_id: direct,
            seq: Some(seq),
        }]),
    };
    world.on(&bob).mark_read(mark).await.unwrap();
    later(&world, Duration::from_secs(3)).await;
    let [clear] = phones.taken().try_into().unwrap();
    assert_eq!((clear.kind, clear.seq, clear.badge), (PushKind::Clear, seq, 0));
    let muted = ConversationSettings {
        muted_until: Some(Some(Muted::Forever)),
        ..ConversationSettings::default()
    };
    world
        .on(&bob)
        .update_conversation_settings(direct, muted)
        .await
        .unwrap();
    world.send(&ann, direct, "four").await;
    settle().await;
    assert_eq!(phones.taken(), []);
}

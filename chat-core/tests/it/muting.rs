//! Muting a user for oneself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{PageRequest, RegisterDevice, SendMessage, SyncRequest};
use chat_core::error::{BackendResult, ErrorCode};
use chat_core::id::UserId;
use chat_core::model::{Device, Muted, Platform, Provider};
use chat_core::port::{Notifier, NotifyReport, Push};
use chat_core::time::Clock;
use serde_json::json;

use crate::world::{World, code, id, settle};

#[derive(Debug, Default)]
struct Phones {
    shown: Mutex<HashMap<UserId, Vec<String>>>,
}

#[async_trait]
impl Notifier for Phones {
    async fn notify(&self, _devices: &[Device], push: &Push) -> BackendResult<NotifyReport> {
        let mut shown = self.shown.lock().unwrap();
        shown
            .entry(push.user_id.clone())
            .or_default()
            .push(push.body.clone());
        Ok(NotifyReport::default())
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_muted_user_writes_is_not_pushed() {
    let phones = Arc::new(Phones::default());
    let notifier = Arc::clone(&phones) as Arc<dyn Notifier>;
    let world = World::wired(|_| {}, |builder| builder.with_notifier(notifier));
    let [ann, bob, cid] = world.users(["ann", "bob", "cid"]).await;
    let device = RegisterDevice {
        token: "t".to_owned(),
        platform: Platform::Android,
        provider: Provider::Fcm,
    };
    world.on(&ann).register_device(device).await.unwrap();
    let direct = world.direct(&ann, &bob).await;
    let group = world.group(&ann, &[&bob, &cid]).await;
    let until = world.clock.now().after(Duration::from_secs(60));
    world.on(&ann).mute_user(&bob, Muted::Until(until)).await.unwrap();
    world.send(&bob, direct, "muted").await;
    let mention = SendMessage {
        mentions: vec![ann.clone()],
        ..SendMessage::text(group, "muted mention")
    };
    world.on(&bob).send(mention).await.unwrap();
    world.send(&cid, group, "of another").await;
    settle().await;
    let unread = world.on(&ann).conversation(direct).await.unwrap().my.unread_count;
    assert_eq!(unread, 1, "it counts and shows");
    assert_eq!(world.on(&ann).badge().await.unwrap().mentions, 1);
    world.clock.advance(Duration::from_secs(60));
    world.send(&bob, direct, "the mute has lapsed").await;
    settle().await;
    world.on(&ann).mute_user(&bob, Muted::Forever).await.unwrap();
    world.send(&bob, direct, "muted again").await;
    settle().await;
    world.on(&ann).unmute_user(&bob).await.unwrap();
    world.send(&bob, direct, "lifted").await;
    settle().await;
    let shown = phones.shown.lock().unwrap().remove(&ann).unwrap();
    assert_eq!(
        shown,
        ["Name of cid: of another", "the mute has lapsed", "lifted"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_list_and_its_changes_are_told_to_its_owner_alone() {
    let world = World::new();
    let [ann, bob, cid] = world.users(["ann", "bob", "cid"]).await;
    let me = world.on(&ann);
    let mut mine = world.connect(&ann).await;
    let mut theirs = world.connect(&bob).await;
    let token = me.sync(SyncRequest::default()).await.unwrap().token;
    let until = Muted::Until(world.clock.now().after(Duration::from_secs(60)));
    me.mute_user(&bob, until).await.unwrap();
    me.mute_user(&bob, until).await.unwrap();
    me.mute_user(&cid, Muted::Forever).await.unwrap();
    let past = Muted::Until(world.clock.now());
    me.mute_user(&id("cid"), past).await.unwrap();
    assert_eq!(
        mine.got_of("mute_changed").await,
        [
            json!({"user_rev": 1, "user_id": "bob", "muted_until": until}),
            json!({"user_rev": 2, "user_id": "cid", "muted_until": "forever"}),
            json!({"user_rev": 3, "user_id": "cid", "muted_until": null}),
        ]
    );
    assert!(theirs.got().await.is_empty());
    let since = |token: &str| SyncRequest {
        token: Some(token.to_owned()),
        ..SyncRequest::default()
    };
    let synced = me.sync(since(&token)).await.unwrap();
    assert_eq!(synced.mutes.added, std::slice::from_ref(&bob));
    assert_eq!(synced.mutes.removed, std::slice::from_ref(&cid));
    let synced = me.sync(since(&synced.token)).await.unwrap();
    assert!(synced.mutes.added.is_empty() && synced.mutes.removed.is_empty());
    me.mute_user(&cid, Muted::Forever).await.unwrap();
    let page = |limit, cursor| PageRequest { limit, cursor };
    let first = me.muted_users(page(Some(1), None)).await.unwrap();
    assert_eq!(first.items[0].user.id, bob);
    assert_eq!(first.items[0].muted_until, until);
    let rest = me
        .muted_users(page(None, first.next_cursor.clone()))
        .await
        .unwrap();
    assert_eq!(rest.items.len(), 1);
    assert_eq!(rest.items[0].user.id, cid);
    let stolen = world.on(&bob).muted_users(page(None, first.next_cursor)).await;
    assert_eq!(code(stolen), ErrorCode::InvalidCursor);
    world.clock.advance(Duration::from_secs(60));
    let left = me.muted_users(page(None, None)).await.unwrap();
    assert_eq!(left.items.len(), 1, "what has lapsed is not listed");
    assert_eq!(
        code(me.mute_user(&ann, Muted::Forever).await),
        ErrorCode::InvalidOperation
    );
    assert_eq!(
        code(me.mute_user(&id("nobody"), Muted::Forever).await),
        ErrorCode::UserNotFound
    );
}

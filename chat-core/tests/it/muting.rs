//! Muting a user for oneself.

use std::time::Duration;

use chat_core::command::{PageRequest, SendMessage, SyncRequest};
use chat_core::error::ErrorCode;
use chat_core::model::Muted;
use chat_core::time::Clock;
use serde_json::json;

use crate::phones;
use crate::world::{World, code, id, settle};

#[tokio::test(start_paused = true)]
async fn what_a_muted_user_writes_is_not_pushed() {
    let (world, phones) = phones::world();
    let [ann, bob, cid] = world.users(["ann", "bob", "cid"]).await;
    phones::register(&world, &ann, "ann").await;
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
    let shown = phones.bodies("ann");
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

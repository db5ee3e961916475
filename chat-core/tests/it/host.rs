//! The host as an actor, its stop, and policies on the road of a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_core::ChatEngine;
use chat_core::command::{
    AddMembers, ConversationPatch, DeleteMessage, DeletionScope, OpenDirect, SendMessage, SetRole,
    TransferOwnership,
};
use chat_core::config::DeliveredOn;
use chat_core::error::ErrorCode;
use chat_core::id::UserId;
use chat_core::live::{ConnectFrom, OutboundItem};
use chat_core::memory::MemoryStore;
use chat_core::model::{MemberState, NewUser, Role, UserPatch};
use chat_core::port::Credentials;
use chat_core::store::UserStore;
use chat_core::time::{Clock, ManualClock, Timestamp};
use futures::FutureExt;

use crate::world::{ByName, World, code, group_of, id, settle};

#[tokio::test(start_paused = true)]
async fn the_host_acts_everywhere_without_being_a_member() {
    let world = World::new();
    let [ann, bob, cat, dan, system] = world.users(["ann", "bob", "cat", "dan", "system"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    let host = world.engine.as_host(&system);

    let patch = ConversationPatch {
        name: Some("Renamed".to_owned()),
        frozen: Some(false),
        ..ConversationPatch::default()
    };
    assert_eq!(
        host.update_conversation(id, patch).await.unwrap().name.as_deref(),
        Some("Renamed")
    );
    let added = host
        .add_members(
            id,
            AddMembers {
                user_ids: vec![dan.clone()],
            },
        )
        .await
        .unwrap();
    assert_eq!(added.added, [dan]);
    let seq = world.send(&bob, id, "rude").await;
    let page = world
        .on(&ann)
        .history(id, chat_core::command::HistoryRequest::default())
        .await
        .unwrap();
    let rude = page.items.iter().find(|m| m.seq == seq).unwrap().id;
    host.delete_message(DeleteMessage {
        message_id: rude,
        scope: DeletionScope::Everyone,
    })
    .await
    .unwrap();
    let notice = host.send(SendMessage::text(id, "be kind")).await.unwrap();
    assert_eq!(notice.message.sender.id, system);

    let members = world.store().member_ids(id).await.unwrap();
    assert!(!members.contains(&system), "the host is no member afterwards");
    assert_eq!(
        code(world.on(&system).send(SendMessage::text(id, "x")).await),
        ErrorCode::ConversationNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_under_whose_name_the_host_acts_is_a_member_like_any_other() {
    let world = World::new();
    let [ann, bob, cat, dan] = world.users(["ann", "bob", "cat", "dan"]).await;
    let group = world.group(&ann, &[&bob, &cat]).await;
    let hand_over = |to: &UserId| TransferOwnership { user_id: to.clone() };
    world
        .engine
        .as_host(&ann)
        .transfer_ownership(group, hand_over(&bob))
        .await
        .unwrap();
    let roles = [
        world.member(group, &ann).await.role,
        world.member(group, &bob).await.role,
    ];
    assert_eq!(roles, [Role::Admin, Role::Owner], "one owner");
    let host = world.engine.as_host(&cat);
    let promote = SetRole { role: Role::Admin };
    host.set_role(group, &cat, promote).await.unwrap();
    assert_eq!(world.member(group, &cat).await.role, Role::Admin);
    host.remove_member(group, &cat).await.unwrap();
    assert!(!world.member(group, &cat).await.is_active());
    let add = |user: &UserId| AddMembers {
        user_ids: vec![user.clone()],
    };
    let added = world
        .engine
        .as_host(&dan)
        .add_members(group, add(&dan))
        .await
        .unwrap();
    assert_eq!(added.added, std::slice::from_ref(&dan));
    assert!(world.member(group, &dan).await.is_active());
    assert_eq!(world.conversation(group).await.member_count, 3);
    world
        .engine
        .as_host(&bob)
        .delete_conversation(group)
        .await
        .unwrap();
    for member in [&ann, &bob, &dan] {
        assert_eq!(
            world.member(group, member).await.state,
            MemberState::Dissolved,
            "{member}"
        );
        assert_eq!(
            code(world.on(member).conversation(group).await),
            ErrorCode::ConversationGone
        );
    }
    assert_eq!(
        code(world.on(&cat).conversation(group).await),
        ErrorCode::ConversationNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_direct_the_host_opens_has_both_its_members() {
    let world = World::new();
    let [ann, system] = world.users(["ann", "system"]).await;
    let open = OpenDirect { user_id: ann.clone() };
    let direct = world.engine.as_host(&system).open_direct(open).await.unwrap();
    let id = direct.conversation.id;
    assert_eq!(world.store().member_ids(id).await.unwrap(), [ann, system]);
}

#[tokio::test(start_paused = true)]
async fn the_host_makes_groups_for_others() {
    let world = World::new();
    let [ann, bob, cat, system] = world.users(["ann", "bob", "cat", "system"]).await;
    let made = world
        .engine
        .as_host(&system)
        .create_group(group_of("Team", &[&ann, &bob, &cat]))
        .await
        .unwrap();
    assert_eq!(
        world.store().member_ids(made.conversation.id).await.unwrap(),
        [ann, bob, cat]
    );
}

#[tokio::test(start_paused = true)]
async fn a_suspended_user_is_out_at_once() {
    let world = World::new();
    let [ann] = world.users(["ann"]).await;
    let mut device = world.connect(&ann).await;
    world.engine.set_suspended(&ann, true).await.unwrap();
    assert!(matches!(
        device.outbound.next().await,
        Some(OutboundItem::End { .. })
    ));
    let back = chat_core::port::Identity::new(ann.clone());
    assert_eq!(code(world.engine.admit(&back).await), ErrorCode::NotPermitted);
    world.engine.set_suspended(&ann, false).await.unwrap();
    assert_eq!(world.engine.admit(&back).await.unwrap(), ann);
}

#[tokio::test(start_paused = true)]
async fn who_is_suspended_elsewhere_is_out_at_the_next_check() {
    let world = World::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let mut device = world.connect(&ann).await;
    let stays = world.connect(&bob).await;
    let suspended = UserPatch {
        suspended: Some(true),
        ..UserPatch::default()
    };
    world.store().update_user(&ann, suspended).await.unwrap();
    tokio::time::sleep(world.engine.config().limits.token_check * 2).await;
    let mut ended = device.session.has_ended();
    while let Some(OutboundItem::End { .. }) = device.outbound.try_next() {
        ended = true;
    }
    assert!(ended);
    assert!(!stays.session.has_ended());
}

/// Suspends a user the next time somebody asks for the time.
#[derive(Debug)]
struct Meanwhile {
    store: MemoryStore,
    user: UserId,
    armed: AtomicBool,
}

impl Clock for Meanwhile {
    fn now(&self) -> Timestamp {
        if self.armed.swap(false, Ordering::Relaxed) {
            let suspended = UserPatch {
                suspended: Some(true),
                ..UserPatch::default()
            };
            let update = self.store.update_user(&self.user, suspended);
            update.now_or_never().unwrap().unwrap();
        }
        Timestamp::default()
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_suspended_while_he_connects_does_not_come_in() {
    let store = MemoryStore::new(Arc::new(ManualClock::default()));
    let ann = id("ann");
    store
        .ensure_user(NewUser::new(ann.clone()), Timestamp::default())
        .await
        .unwrap();
    let clock = Arc::new(Meanwhile {
        store: store.clone(),
        user: ann,
        armed: AtomicBool::new(false),
    });
    let engine = ChatEngine::builder(Arc::new(store))
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .build();
    settle().await;
    // The first question for the time lies between his admission and his session.
    clock.armed.store(true, Ordering::Relaxed);
    let credentials = Credentials::bearer("ann");
    let connected = engine
        .connect(Arc::new(ByName), &credentials, ConnectFrom::default())
        .await;
    assert!(!clock.armed.load(Ordering::Relaxed));
    assert_eq!(code(connected), ErrorCode::NotPermitted);
    assert_eq!(engine.live().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_sessions_and_finishes_what_was_taken_in() {
    let world = World::new();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let mut device = world.connect(&bob).await;
    let sends: Vec<_> = (0..50)
        .map(|n| {
            let actor = world.on(&ann);
            tokio::spawn(async move { actor.send(SendMessage::text(id, n.to_string())).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(
        world
            .engine
            .drain(Duration::from_secs(1), Duration::from_secs(5))
            .await
    );
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert!(world.engine.is_draining());
    let mut ended = false;
    while let Some(item) = device.outbound.next().await {
        ended |= matches!(
            item,
            OutboundItem::End {
                reconnect_after: Some(_),
                ..
            }
        );
    }
    assert!(ended, "the session was told when to come back");
}

#[tokio::test(start_paused = true)]
async fn read_on_send_reads_everything_above_ones_message() {
    let world = World::with(|config| config.policies.read_on_send = true);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    world.send(&ann, id, "one").await;
    assert_eq!(world.on(&bob).conversation(id).await.unwrap().my.unread_count, 1);
    let seq = world.send(&bob, id, "two").await;
    let mine = world.on(&bob).conversation(id).await.unwrap().my;
    assert_eq!(
        (mine.read_seq, mine.delivered_seq, mine.unread_count),
        (seq, seq, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn delivery_on_emit_marks_connected_recipients() {
    let world = World::with(|config| config.policies.delivered_on = DeliveredOn::Emit);
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    let _device = world.connect(&bob).await;
    let seq = world.send(&ann, id, "hello").await;
    settle().await;
    assert_eq!(world.member(id, &bob).await.delivered_seq, seq);
    assert!(world.member(id, &cat).await.delivered_seq < seq);
    assert_eq!(world.member(id, &ann).await.delivered_seq, 0, "not for oneself");
}

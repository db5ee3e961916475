use std::time::Duration;

use chat_core::command::{ConversationSettings, ListConversations};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Muted, NotificationLevel};
use chat_core::store::InboxFilter;
use chat_core::time::Clock;

use crate::world::{World, code, refusal};

fn patch(edit: impl FnOnce(&mut ConversationSettings)) -> ConversationSettings {
    let mut patch = ConversationSettings::default();
    edit(&mut patch);
    patch
}

async fn listed(world: &World, user: &UserId, filter: InboxFilter) -> Vec<ConversationId> {
    let list = ListConversations {
        filter,
        ..ListConversations::default()
    };
    let page = world.on(user).conversations(list).await.unwrap();
    page.items.into_iter().map(|item| item.id).collect()
}

#[tokio::test(start_paused = true)]
async fn private_settings_move_only_his_own_rev() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let before = world.conversation(direct).await;
    let pin = patch(|p| p.pinned = Some(true));
    let view = world
        .on(&a)
        .update_conversation_settings(direct, pin.clone())
        .await
        .unwrap();
    assert_eq!(view.my.pinned_at, Some(world.clock.now()));
    let happened = world.happened().await;
    let [event] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    let ChatEvent::InboxUpdated {
        user_id, user_rev, ..
    } = event.as_ref()
    else {
        panic!()
    };
    assert_eq!((user_id, *user_rev), (&a, world.row(&a).await.user_rev));
    assert_eq!(world.member(direct, &a).await.user_rev, *user_rev);
    assert_eq!(world.conversation(direct).await, before);
    assert_eq!(world.row(&b).await.user_rev, 0);
    world
        .on(&a)
        .update_conversation_settings(direct, pin)
        .await
        .unwrap();
    world
        .on(&a)
        .update_conversation_settings(direct, ConversationSettings::default())
        .await
        .unwrap();
    assert_eq!((world.names().await, world.row(&a).await.user_rev), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn inbox_updated_goes_to_own_sessions_and_spares_the_one_that_asked() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let (mut mine, mut other) = (world.connect(&a).await, world.connect(&b).await);
    let level = patch(|p| p.notification_level = Some(NotificationLevel::None));
    world
        .on(&a)
        .update_conversation_settings(direct, level)
        .await
        .unwrap();
    let got = mine.got_of("inbox_updated").await;
    assert_eq!(got.len(), 1);
    assert_eq!(got[0]["conversation_id"], direct.to_string());
    assert!(other.got().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn archived_ones_come_back_with_a_message_of_somebody_else() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    world.send(&b, direct, "one").await;
    let archive = || patch(|p| p.archived = Some(true));
    let view = world
        .on(&a)
        .update_conversation_settings(direct, archive())
        .await
        .unwrap();
    assert!(view.my.archived);
    assert_eq!(listed(&world, &a, InboxFilter::Archived).await, [direct]);
    world.send(&a, direct, "my own").await;
    assert_eq!(listed(&world, &a, InboxFilter::Archived).await, [direct]);
    world.send(&b, direct, "two").await;
    assert_eq!(listed(&world, &a, InboxFilter::Default).await, [direct]);
    // It can go back there.
    let view = world
        .on(&a)
        .update_conversation_settings(direct, archive())
        .await
        .unwrap();
    assert!(view.my.archived);
    let both = patch(|p| {
        p.pinned = Some(true);
        p.archived = Some(true);
    });
    let refused = world.on(&a).update_conversation_settings(direct, both).await;
    assert_eq!(
        refusal(refused),
        (ErrorCode::InvalidArgument, "archived".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn mutes_lapse_by_the_clock() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let until = Muted::Until(world.clock.now().after(Duration::from_secs(60)));
    let mute = patch(|p| p.muted_until = Some(Some(until)));
    let view = world
        .on(&a)
        .update_conversation_settings(direct, mute)
        .await
        .unwrap();
    assert_eq!(view.my.muted_until, Some(until));
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(
        world.on(&a).conversation(direct).await.unwrap().my.muted_until,
        None
    );
    let past = patch(|p| p.muted_until = Some(Some(until)));
    world
        .on(&a)
        .update_conversation_settings(direct, past)
        .await
        .unwrap();
    assert_eq!(world.member(direct, &a).await.muted, None);
}

#[tokio::test(start_paused = true)]
async fn clearing_is_private_and_leaves_nothing_unread() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    world.send(&b, direct, "one").await;
    let seq = world.send(&b, direct, "two").await;
    world.happened().await;
    world.on(&a).clear(direct).await.unwrap();
    assert_eq!(world.names().await, ["inbox_updated"]);
    let member = world.member(direct, &a).await;
    assert_eq!((member.visible_from, member.read_seq), (seq + 1, 0));
    assert_eq!(member.reset_user_rev, member.user_rev);
    let view = world.on(&a).conversation(direct).await.unwrap();
    assert_eq!(
        (view.my.unread_count, view.last_message, view.my.hidden),
        (0, None, false)
    );
    let theirs = world.on(&b).conversation(direct).await.unwrap();
    assert_eq!(theirs.last_message.unwrap().seq, seq);
    world.on(&a).clear(direct).await.unwrap();
    assert_eq!(world.names().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn hidden_ones_come_back_with_the_next_message_and_without_the_past() {
    let world = World::new();
    let [a, b, x] = world.users(["a", "b", "x"]).await;
    let direct = world.direct(&a, &b).await;
    world.send(&b, direct, "one").await;
    world
        .on(&a)
        .update_conversation_settings(direct, patch(|p| p.pinned = Some(true)))
        .await
        .unwrap();
    world.on(&a).hide(direct).await.unwrap();
    assert!(listed(&world, &a, InboxFilter::All).await.is_empty());
    assert_eq!(world.member(direct, &a).await.pinned_at, None);
    assert_eq!(listed(&world, &b, InboxFilter::Default).await, [direct]);
    world.happened().await;
    world.on(&a).hide(direct).await.unwrap();
    assert_eq!(world.names().await, [""; 0]);
    let seq = world.send(&b, direct, "two").await;
    assert_eq!(listed(&world, &a, InboxFilter::Default).await, [direct]);
    let view = world.on(&a).conversation(direct).await.unwrap();
    assert_eq!((view.my.unread_count, view.my.visible_from_seq), (1, seq));
    assert_eq!(
        code(world.on(&x).hide(direct).await),
        ErrorCode::ConversationNotFound
    );
}

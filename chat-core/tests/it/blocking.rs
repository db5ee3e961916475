use chat_core::command::{PageRequest, SendMessage, SetTyping};
use chat_core::config::BlockedInGroup;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::UserId;
use serde_json::json;

use crate::world::{World, code, id};

#[tokio::test(start_paused = true)]
async fn a_block_closes_the_direct_both_ways_without_telling() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    world.on(&a).block(&b).await.unwrap();
    let happened = world.happened().await;
    let [event] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    assert_eq!(
        **event,
        ChatEvent::BlockChanged {
            blocker: a.clone(),
            blocked: b.clone(),
            on: true,
            user_rev: 1
        }
    );
    world.on(&a).block(&b).await.unwrap();
    assert_eq!(world.names().await, [""; 0]);
    let say = || SendMessage::text(direct, "hi");
    assert_eq!(code(world.on(&a).send(say()).await), ErrorCode::YouBlocked);
    assert_eq!(code(world.on(&b).send(say()).await), ErrorCode::NotPermitted);
    let page = world.on(&a).blocked_users(PageRequest::default()).await.unwrap();
    assert_eq!(page.items.iter().map(|user| &user.id).collect::<Vec<_>>(), [&b]);
    assert!(
        world
            .on(&b)
            .blocked_users(PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    world.on(&a).unblock(&b).await.unwrap();
    world.on(&a).unblock(&b).await.unwrap();
    assert_eq!(world.names().await, ["block_changed"]);
    world.on(&b).send(say()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_can_be_blocked() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    assert_eq!(code(world.on(&a).block(&a).await), ErrorCode::InvalidOperation);
    assert_eq!(code(world.on(&a).unblock(&a).await), ErrorCode::InvalidOperation);
    assert_eq!(
        code(world.on(&a).block(&id("nobody")).await),
        ErrorCode::UserNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn presence_goes_offline_once_for_both_and_comes_back() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    world.direct(&a, &b).await;
    world.direct(&a, &c).await;
    let (mut of_a, mut of_b, mut of_c) = (
        world.connect(&a).await,
        world.connect(&b).await,
        world.connect(&c).await,
    );
    for device in [&mut of_a, &mut of_b, &mut of_c] {
        device.got().await;
    }
    world.on(&a).block(&b).await.unwrap();
    let gone = |user: &str| vec![json!({ "user_id": user, "status": "offline" })];
    assert_eq!(of_b.got_of("presence_changed").await, gone("a"));
    assert_eq!(of_a.got_of("presence_changed").await, gone("b"));
    assert!(of_c.got().await.is_empty());
    let seen = world.on(&b).presence(std::slice::from_ref(&a)).await.unwrap();
    assert_eq!(seen[0].presence.status, chat_core::view::PresenceStatus::Offline);
    world.on(&a).block(&b).await.unwrap();
    assert!(of_b.got().await.is_empty());
    world.on(&a).unblock(&b).await.unwrap();
    let back = vec![json!({ "user_id": "a", "status": "online" })];
    assert_eq!(of_b.got_of("presence_changed").await, back);
    // Own sessions hear of the block, the blocked user never does.
    let mut names: Vec<&str> = of_a.got().await.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, ["block_changed", "presence_changed"]);
}

#[tokio::test(start_paused = true)]
async fn typing_of_both_ends() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let typing = SetTyping {
        conversation_id: direct,
        active: true,
    };
    world.on(&a).set_typing(typing.clone()).await.unwrap();
    world.on(&b).set_typing(typing.clone()).await.unwrap();
    world.happened().await;
    world.on(&a).block(&b).await.unwrap();
    let happened = world.happened().await;
    let last = happened.iter().rev().find_map(|event| match event.as_ref() {
        ChatEvent::TypingChanged { user_ids, .. } => Some(user_ids.len()),
        _ => None,
    });
    assert_eq!(last, Some(0));
    assert_eq!(
        code(world.on(&a).set_typing(typing.clone()).await),
        ErrorCode::YouBlocked
    );
    assert_eq!(
        code(world.on(&b).set_typing(typing).await),
        ErrorCode::NotPermitted
    );
}

#[tokio::test(start_paused = true)]
async fn counts_of_shared_groups_change_at_once() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let shared = world.group(&a, &[&b, &c]).await;
    world.send(&b, shared, "hi").await;
    assert_eq!(
        world.on(&a).conversation(shared).await.unwrap().my.unread_count,
        1
    );
    world.happened().await;
    let before = world.conversation(shared).await;
    world.on(&a).block(&b).await.unwrap();
    assert_eq!(world.names().await, ["block_changed", "inbox_updated"]);
    assert_eq!(
        world.on(&a).conversation(shared).await.unwrap().my.unread_count,
        0
    );
    assert_eq!(world.conversation(shared).await, before);
    assert_eq!(world.member(shared, &a).await.reset_user_rev, 0);
}

#[tokio::test(start_paused = true)]
async fn under_hide_the_group_is_read_anew_and_under_show_it_is_told_as_ever() {
    for (policy, names, reset) in [
        (BlockedInGroup::Hide, vec!["block_changed", "inbox_updated"], 2),
        (BlockedInGroup::Show, vec!["block_changed", "inbox_updated"], 0),
    ] {
        let world = World::with(|config| config.policies.blocked_in_group = policy);
        let [a, b, c] = world.users(["a", "b", "c"]).await;
        let shared = world.group(&a, &[&b, &c]).await;
        world.on(&a).block(&b).await.unwrap();
        assert_eq!(world.names().await, names);
        assert_eq!(world.member(shared, &a).await.reset_user_rev, reset);
    }
}

#[tokio::test(start_paused = true)]
async fn the_preview_in_a_group_is_folded_up_for_the_blocker_only() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let seq = world.send(&b, group, "loud words").await;
    world.on(&a).block(&b).await.unwrap();
    let last = async |who: &UserId| {
        let view = world.on(who).conversation(group).await.unwrap();
        let last = view.last_message.unwrap();
        (last.seq, last.preview, last.from_blocked)
    };
    assert_eq!(last(&a).await, (seq, "Message".to_owned(), Some(true)));
    assert_eq!(last(&c).await, (seq, "loud words".to_owned(), None));
    assert_eq!(last(&b).await, (seq, "loud words".to_owned(), None));
    world.on(&a).unblock(&b).await.unwrap();
    assert_eq!(last(&a).await, (seq, "loud words".to_owned(), None));
    let direct = world.direct(&a, &b).await;
    world.send(&b, direct, "old words").await;
    world.on(&a).block(&b).await.unwrap();
    let view = world.on(&a).conversation(direct).await.unwrap();
    assert_eq!(view.last_message.unwrap().preview, "old words");
}

//! Slow mode: a pause between two messages of one member.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{ConversationPatch, SendMessage, SetRole};
use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::ConversationId;
use chat_core::model::Role;

use crate::world::{Chats, World, client_id, code};

for_each_store!(
    members_wait_and_admins_do_not,
    a_replay_never_waits,
    leaving_and_coming_back_does_not_shorten_the_pause,
);

const PAUSE: u64 = 10_000;

async fn slow(owner: &Actor, group: ConversationId, pause: Option<u64>) -> Option<u64> {
    let patch = ConversationPatch {
        slow_mode_ms: Some(pause),
        ..ConversationPatch::default()
    };
    owner
        .update_conversation(group, patch)
        .await
        .unwrap()
        .slow_mode_ms
}

async fn too_soon(member: &Actor, group: ConversationId) -> ChatError {
    member
        .send(SendMessage::text(group, "too soon"))
        .await
        .unwrap_err()
}

async fn members_wait_and_admins_do_not(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let mut live = world.connect(&cem).await;
    assert_eq!(slow(&ada, group, Some(PAUSE)).await, Some(PAUSE));
    let told = live.next_named("conversation_updated").await;
    assert_eq!(told["changed"]["slow_mode_ms"], PAUSE);
    let patch = ConversationPatch {
        slow_mode_ms: Some(Some(1)),
        ..ConversationPatch::default()
    };
    assert_eq!(
        code(ben.update_conversation(group, patch.clone()).await),
        ErrorCode::Forbidden
    );
    let direct = ada.direct_with(&ben).await.id;
    assert_eq!(
        code(ada.update_conversation(direct, patch).await),
        ErrorCode::InvalidOperation
    );
    ben.say(group, "first").await;
    cem.say(group, "everybody has a pause of his own").await;
    world.advance(Duration::from_millis(PAUSE - 1));
    let refused = too_soon(&ben, group).await;
    assert_eq!(refused.code(), ErrorCode::SlowMode);
    assert_eq!(refused.retry_after(), Some(Duration::from_millis(1)));
    let mine = ben.conversation(group).await.unwrap().my;
    assert_eq!(
        mine.next_send_at,
        Some(world.clock_now().after(Duration::from_millis(1)))
    );
    for text in ["owner", "owner again"] {
        ada.say(group, text).await;
    }
    world.advance(Duration::from_millis(1));
    assert_eq!(ben.conversation(group).await.unwrap().my.next_send_at, None);
    ben.say(group, "second").await;
    let role = |role| SetRole { role };
    ada.set_role(group, ben.user_id(), role(Role::Admin))
        .await
        .unwrap();
    ben.say(group, "admins need not wait").await;
    ada.set_role(group, ben.user_id(), role(Role::Member))
        .await
        .unwrap();
    assert_eq!(too_soon(&ben, group).await.code(), ErrorCode::SlowMode);
    assert_eq!(slow(&ada, group, Some(0)).await, None);
    ben.say(group, "it is over").await;
    assert_eq!(slow(&ada, group, Some(PAUSE)).await, Some(PAUSE));
    assert_eq!(slow(&ada, group, None).await, None);
    assert_eq!(
        ada.texts(group).await,
        [
            "first",
            "everybody has a pause of his own",
            "owner",
            "owner again",
            "second",
            "admins need not wait",
            "it is over"
        ]
    );
}

async fn a_replay_never_waits(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    slow(&ada, group, Some(PAUSE)).await;
    let first = SendMessage::text(group, "first").with_client_id(client_id("1"));
    let sent = ben.send(first.clone()).await.unwrap();
    let again = ben.send(first).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.message.id, sent.message.id);
    let second = SendMessage::text(group, "second").with_client_id(client_id("2"));
    assert_eq!(code(ben.send(second.clone()).await), ErrorCode::SlowMode);
    world.advance(Duration::from_millis(PAUSE));
    assert!(
        !ben.send(second).await.unwrap().replayed,
        "what was refused left nothing"
    );
}

async fn leaving_and_coming_back_does_not_shorten_the_pause(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    slow(&ada, group, Some(PAUSE)).await;
    ben.say(group, "first").await;
    ben.leave(group).await.unwrap();
    let add = chat_core::command::AddMembers {
        user_ids: vec![ben.user_id().clone()],
    };
    ada.add_members(group, add).await.unwrap();
    assert_eq!(too_soon(&ben, group).await.code(), ErrorCode::SlowMode);
}

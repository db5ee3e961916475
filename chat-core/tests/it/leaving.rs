use std::time::Duration;

use chat_core::command::SetRole;
use chat_core::config::OwnerLeave;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::model::{MemberState, Role};
use chat_core::view::RemovalReason;

use crate::world::{World, code};

#[tokio::test(start_paused = true)]
async fn who_leaves_is_a_stranger_then() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let mut device = world.connect(&b).await;
    world.on(&b).leave(group).await.unwrap();
    let happened = world.happened().await;
    let [changed, removed, line] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    let ChatEvent::MembersChanged {
        removed: gone,
        rev: 3,
        ..
    } = changed.as_ref()
    else {
        panic!()
    };
    assert_eq!(gone, std::slice::from_ref(&b));
    let ChatEvent::ConversationRemoved {
        rev: 4,
        users,
        reason,
        ..
    } = removed.as_ref()
    else {
        panic!()
    };
    assert_eq!((users, *reason), (&vec![b.clone()], RemovalReason::Left));
    let ChatEvent::MessageCreated { message } = line.as_ref() else {
        panic!()
    };
    assert_eq!(
        (
            message.seq,
            message.content.system.as_ref().unwrap().code.as_str()
        ),
        (2, "member_left")
    );
    let got: Vec<&str> = device.got().await.iter().map(|(name, _)| *name).collect();
    assert_eq!(got, ["conversation_removed"]);
    assert_eq!(
        code(world.on(&b).conversation(group).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(world.on(&b).leave(group).await),
        ErrorCode::ConversationNotFound
    );
    let row = world.conversation(group).await;
    assert_eq!((row.member_count, row.members_rev), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_admin_inherits_else_the_oldest_member() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world.clock.advance(Duration::from_secs(1));
    let add = chat_core::command::AddMembers {
        user_ids: vec![d.clone()],
    };
    world.on(&a).add_members(group, add).await.unwrap();
    world
        .on(&a)
        .set_role(group, &d, SetRole { role: Role::Admin })
        .await
        .unwrap();
    world.happened().await;
    world.on(&a).leave(group).await.unwrap();
    assert_eq!(world.member(group, &d).await.role, Role::Owner);
    let happened = world.happened().await;
    let roles = happened.iter().find_map(|event| match event.as_ref() {
        ChatEvent::MembersChanged { roles, .. } if !roles.is_empty() => Some(roles.clone()),
        _ => None,
    });
    assert_eq!(roles.unwrap().get(&d), Some(&Role::Owner));
    world.on(&d).leave(group).await.unwrap();
    assert_eq!(world.member(group, &b).await.role, Role::Owner);
    world.on(&b).leave(group).await.unwrap();
    world.on(&c).leave(group).await.unwrap();
    assert_eq!(world.conversation(group).await.member_count, 0);
}

#[tokio::test(start_paused = true)]
async fn an_owner_may_have_to_hand_over_first() {
    let world = World::with(|config| config.policies.owner_leave = OwnerLeave::Refuse);
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    assert_eq!(code(world.on(&a).leave(group).await), ErrorCode::OwnerCannotLeave);
    world.on(&b).leave(group).await.unwrap();
    world.on(&c).leave(group).await.unwrap();
    world.on(&a).leave(group).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_may_remove_whom() {
    let world = World::new();
    let [a, b, c, d, x] = world.users(["a", "b", "c", "d", "x"]).await;
    let group = world.group(&a, &[&b, &c, &d]).await;
    let direct = world.direct(&a, &b).await;
    for user in [&b, &c] {
        world
            .on(&a)
            .set_role(group, user, SetRole { role: Role::Admin })
            .await
            .unwrap();
    }
    assert_eq!(
        code(world.on(&d).remove_member(group, &b).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&b).remove_member(group, &c).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&b).remove_member(group, &a).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&b).remove_member(group, &x).await),
        ErrorCode::UserNotFound
    );
    assert_eq!(
        code(world.on(&x).remove_member(group, &b).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(world.on(&a).remove_member(direct, &b).await),
        ErrorCode::InvalidOperation
    );
    assert_eq!(
        code(world.on(&a).leave(direct).await),
        ErrorCode::InvalidOperation
    );
    world.on(&b).remove_member(group, &d).await.unwrap();
    world.on(&a).remove_member(group, &c).await.unwrap();
    world.on(&b).remove_member(group, &b).await.unwrap();
    assert_eq!(world.member(group, &b).await.state, MemberState::Left);
    assert_eq!(world.member(group, &c).await.state, MemberState::Removed);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_group_is_gone_for_its_last_members_and_unknown_to_others() {
    let world = World::new();
    let [a, b, c, x] = world.users(["a", "b", "c", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let direct = world.direct(&a, &b).await;
    world.on(&c).leave(group).await.unwrap();
    world.happened().await;
    assert_eq!(
        code(world.on(&b).delete_conversation(group).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&x).delete_conversation(group).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(world.on(&a).delete_conversation(direct).await),
        ErrorCode::InvalidOperation
    );
    world.on(&a).delete_conversation(group).await.unwrap();
    let happened = world.happened().await;
    let [removed] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    let ChatEvent::ConversationRemoved { users, reason, .. } = removed.as_ref() else {
        panic!()
    };
    assert_eq!(
        (users, *reason),
        (&vec![a.clone(), b.clone()], RemovalReason::Deleted)
    );
    for (user, expected) in [
        (&a, ErrorCode::ConversationGone),
        (&b, ErrorCode::ConversationGone),
        (&c, ErrorCode::ConversationNotFound),
        (&x, ErrorCode::ConversationNotFound),
    ] {
        assert_eq!(code(world.on(user).conversation(group).await), expected);
        assert_eq!(code(world.on(user).delete_conversation(group).await), expected);
        assert_eq!(code(world.on(user).clear(group).await), expected);
    }
}

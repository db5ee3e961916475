//! Groups.

use chat_core::command::{
    AddMembers, ConversationPatch, PermissionsPatch, SendMessage, SetRole, TransferOwnership,
};
use chat_core::error::ErrorCode;
use chat_core::model::{Permission, Role};

use crate::world::{Chats, World, code, user_id};

for_each_store!(
    ranks_decide_who_may_do_what,
    newcomers_see_nothing_from_before,
    a_rejoined_member_sees_both_intervals,
    who_is_out_is_a_stranger,
    a_leaving_owner_hands_over,
    a_deleted_group_is_gone_for_its_members_and_unknown_to_others,
    permissions_and_freezing,
);

fn add(names: &[&str]) -> AddMembers {
    AddMembers {
        user_ids: names.iter().map(|name| user_id(name)).collect(),
    }
}

async fn ranks_decide_who_may_do_what(world: World) {
    let [ada, ben, cem, _dora] = world.users(["ada", "ben", "cem", "dora"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let admin = SetRole { role: Role::Admin };
    assert_eq!(
        code(ben.set_role(group, cem.user_id(), admin.clone()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(ben.remove_member(group, cem.user_id()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(code(ben.delete_conversation(group).await), ErrorCode::Forbidden);
    ada.set_role(group, ben.user_id(), admin).await.unwrap();
    assert_eq!(
        code(ben.remove_member(group, ada.user_id()).await),
        ErrorCode::Forbidden
    );
    ben.add_members(group, add(&["dora"])).await.unwrap();
    ben.remove_member(group, &user_id("dora")).await.unwrap();
    assert_eq!(
        code(ben.remove_member(group, &user_id("dora")).await),
        ErrorCode::UserNotFound
    );
    assert_eq!(code(ben.delete_conversation(group).await), ErrorCode::Forbidden);
    ada.transfer_ownership(
        group,
        TransferOwnership {
            user_id: user_id("cem"),
        },
    )
    .await
    .unwrap();
    let seen = ada.conversation(group).await.unwrap();
    assert_eq!(seen.my.role, Role::Admin);
    assert_eq!(cem.conversation(group).await.unwrap().my.role, Role::Owner);
    assert_eq!(seen.member_count, 3);
}

async fn newcomers_see_nothing_from_before(world: World) {
    let [ada, ben, cem, dora] = world.users(["ada", "ben", "cem", "dora"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.say(group, "before").await;
    let answer = ada
        .add_members(group, add(&["dora", "ben", "nobody"]))
        .await
        .unwrap();
    assert_eq!(answer.added, [user_id("dora")]);
    assert_eq!(answer.already_members, [user_id("ben")]);
    assert_eq!(answer.skipped, [user_id("nobody")]);
    assert_eq!(dora.unread(group).await, 0);
    ada.say(group, "after").await;
    assert_eq!(dora.texts(group).await, ["after"]);
    assert_eq!(dora.unread(group).await, 1);
}

async fn a_rejoined_member_sees_both_intervals(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.say(group, "first").await;
    ada.remove_member(group, ben.user_id()).await.unwrap();
    let missed = ada.say(group, "without ben").await;
    ada.add_members(group, add(&["ben"])).await.unwrap();
    ada.say(group, "back").await;
    assert_eq!(ben.texts(group).await, ["first", "back"]);
    assert!(!ben.sees(missed.id).await);
    assert_eq!(ben.unread(group).await, 1, "unread starts at joining");
}

async fn who_is_out_is_a_stranger(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let mut live = world.connect(&ben).await;
    let seen = ada.say(group, "seen").await;
    ada.remove_member(group, ben.user_id()).await.unwrap();
    let removed = live.next_named("conversation_removed").await;
    assert_eq!(removed["reason"], "removed");
    ada.say(group, "not for ben").await;
    live.hears_no("message_created").await;
    assert!(!ben.sees(seen.id).await);
    assert_eq!(
        code(ben.conversation(group).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(ben.send(SendMessage::text(group, "x")).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(code(ben.leave(group).await), ErrorCode::ConversationNotFound);
    assert!(
        ben.conversations(Default::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

async fn a_leaving_owner_hands_over(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.set_role(group, cem.user_id(), SetRole { role: Role::Admin })
        .await
        .unwrap();
    ada.leave(group).await.unwrap();
    assert_eq!(cem.conversation(group).await.unwrap().my.role, Role::Owner);
    cem.leave(group).await.unwrap();
    assert_eq!(ben.conversation(group).await.unwrap().my.role, Role::Owner);
}

async fn a_deleted_group_is_gone_for_its_members_and_unknown_to_others(world: World) {
    let [ada, ben, cem, eve] = world.users(["ada", "ben", "cem", "eve"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ben.leave(group).await.unwrap();
    ada.delete_conversation(group).await.unwrap();
    assert_eq!(code(cem.conversation(group).await), ErrorCode::ConversationGone);
    assert_eq!(
        code(ada.send(SendMessage::text(group, "x")).await),
        ErrorCode::ConversationGone
    );
    assert_eq!(
        code(ben.conversation(group).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(eve.conversation(group).await),
        ErrorCode::ConversationNotFound
    );
}

async fn permissions_and_freezing(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("News", &[&ben, &cem]).await.id;
    let patch = |send: Option<Permission>, frozen: Option<bool>| ConversationPatch {
        permissions: send.map(|send| PermissionsPatch {
            send: Some(send),
            ..PermissionsPatch::default()
        }),
        frozen,
        ..ConversationPatch::default()
    };
    assert_eq!(
        code(ben.update_conversation(group, patch(None, Some(true))).await),
        ErrorCode::Forbidden
    );
    ada.update_conversation(group, patch(Some(Permission::Admins), None))
        .await
        .unwrap();
    assert_eq!(
        code(ben.send(SendMessage::text(group, "x")).await),
        ErrorCode::Forbidden
    );
    assert!(!ben.conversation(group).await.unwrap().my.can.contains(&"send"));
    ada.say(group, "news").await;
    ada.update_conversation(group, patch(Some(Permission::Everyone), Some(true)))
        .await
        .unwrap();
    assert_eq!(
        code(ada.send(SendMessage::text(group, "x")).await),
        ErrorCode::NotPermitted
    );
    ada.update_conversation(group, patch(None, Some(false)))
        .await
        .unwrap();
    ben.say(group, "hello").await;
    assert_eq!(ben.texts(group).await, ["news", "hello"]);
}

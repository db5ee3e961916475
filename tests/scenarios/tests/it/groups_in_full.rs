//! What a group is, from its first line to its last.

use std::collections::BTreeMap;

use chat_core::Actor;
use chat_core::command::{
    AddMembers, ConversationPatch, PageRequest, PermissionsPatch, SendMessage, SetRole, TransferOwnership,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::ConversationId;
use chat_core::model::{JsonObject, MessageKind, Permission, Role};
use serde_json::{Value, json};

use crate::world::{Chats, World, code, user_id, whole_history};

for_each_store!(
    every_change_of_a_group_has_its_line,
    three_memberships_are_three_windows,
    an_announcement_group_is_written_by_admins_and_read_by_all,
    adding_many_says_what_became_of_each,
    who_removed_and_who_left_come_back_by_an_admin,
    a_removed_member_hears_nothing_of_the_next_message,
    custom_data_is_the_admins_and_everybody_reads_it,
    members_come_in_pages,
    a_promoted_member_may_what_an_admin_may_until_he_is_demoted,
);

fn add(names: &[&str]) -> AddMembers {
    AddMembers {
        user_ids: names.iter().map(|name| user_id(name)).collect(),
    }
}

fn role(role: Role) -> SetRole {
    SetRole { role }
}

async fn every_change_of_a_group_has_its_line(world: World) {
    let [ada, ben, cem, _dora] = world.users(["ada", "ben", "cem", "dora"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let patch = |patch: ConversationPatch| {
        let ada = &ada;
        async move { ada.update_conversation(group, patch).await.unwrap() }
    };
    patch(ConversationPatch {
        name: Some("Journey".to_owned()),
        description: Some(Some("by train".to_owned())),
        ..ConversationPatch::default()
    })
    .await;
    patch(ConversationPatch {
        permissions: Some(PermissionsPatch {
            add_members: Some(Permission::Everyone),
            ..PermissionsPatch::default()
        }),
        frozen: Some(true),
        ..ConversationPatch::default()
    })
    .await;
    patch(ConversationPatch {
        frozen: Some(false),
        ..ConversationPatch::default()
    })
    .await;
    ada.add_members(group, add(&["dora"])).await.unwrap();
    ada.set_role(group, &user_id("ben"), role(Role::Admin))
        .await
        .unwrap();
    ada.remove_member(group, &user_id("dora")).await.unwrap();
    cem.leave(group).await.unwrap();
    let to_ben = TransferOwnership {
        user_id: user_id("ben"),
    };
    ada.transfer_ownership(group, to_ben).await.unwrap();
    let lines: Vec<(String, Value)> = (whole_history(&ada, group).await.into_iter())
        .map(|message| {
            assert_eq!(
                (message.kind, message.text.as_deref()),
                (MessageKind::System, None)
            );
            let line = message.system.unwrap();
            (line.code, json!(line.params))
        })
        .collect();
    let codes: Vec<&str> = lines.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "conversation_created",
            "renamed",
            "description_changed",
            "permissions_changed",
            "frozen",
            "unfrozen",
            "member_added",
            "admin_changed",
            "member_removed",
            "member_left",
            "owner_changed",
        ]
    );
    let params: BTreeMap<&str, &Value> = lines
        .iter()
        .map(|(code, params)| (code.as_str(), params))
        .collect();
    assert_eq!(params["conversation_created"], &json!({ "name": "Trip" }));
    assert_eq!(params["renamed"], &json!({ "name": "Journey" }));
    assert_eq!(params["member_added"], &json!({ "user_ids": ["dora"] }));
    assert_eq!(
        params["admin_changed"],
        &json!({ "user_id": "ben", "role": "admin" })
    );
    assert_eq!(params["member_removed"], &json!({ "user_id": "dora" }));
    assert_eq!(params["member_left"], &json!({ "user_id": "cem" }));
    assert_eq!(params["owner_changed"], &json!({ "user_id": "ben" }));
    // Lines count for nobody and alert nobody.
    assert_eq!(ben.unread(group).await, 0);
}

async fn three_memberships_are_three_windows(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    for round in 0..3 {
        ada.say(group, &format!("in {round}")).await;
        if round == 2 {
            break;
        }
        ben.leave(group).await.unwrap();
        ada.say(group, &format!("out {round}")).await;
        ada.add_members(group, add(&["ben"])).await.unwrap();
    }
    assert_eq!(ben.texts(group).await, ["in 0", "in 1", "in 2"]);
    assert_eq!(ben.unread(group).await, 1);
    assert_eq!(cem.texts(group).await, ["in 0", "out 0", "in 1", "out 1", "in 2"]);
}

async fn an_announcement_group_is_written_by_admins_and_read_by_all(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("News", &[&ben, &cem]).await.id;
    let admins_only = ConversationPatch {
        permissions: Some(PermissionsPatch {
            send: Some(Permission::Admins),
            ..PermissionsPatch::default()
        }),
        ..ConversationPatch::default()
    };
    ada.update_conversation(group, admins_only).await.unwrap();
    assert_eq!(code(send(&ben, group).await), ErrorCode::Forbidden);
    ada.set_role(group, ben.user_id(), role(Role::Admin))
        .await
        .unwrap();
    send(&ben, group).await.unwrap();
    let news = ada.say(group, "news").await;
    assert_eq!(cem.unread(group).await, 2);
    // Reading along is more than reading: who may not write still reacts.
    let react = chat_core::command::ReactTo {
        message_id: news.id,
        emoji: "👍".to_owned(),
    };
    cem.add_reaction(react).await.unwrap();
}

async fn send(actor: &Actor, group: ConversationId) -> ChatResult<()> {
    actor.send(SendMessage::text(group, "hello")).await.map(drop)
}

async fn adding_many_says_what_became_of_each(world: World) {
    let names: Vec<String> = (0..40).map(|n| format!("user{n:02}")).collect();
    let [ada, ben, cem, eve] = world.users(["ada", "ben", "cem", "eve"]).await;
    for name in &names {
        world.user(name).await;
    }
    eve.block(ada.user_id()).await.unwrap();
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    wanted.extend(["ben", "eve", "nobody", "user00"]);
    let answer = ada.add_members(group, add(&wanted)).await.unwrap();
    assert_eq!(answer.added.len(), 40);
    assert_eq!(answer.already_members, [user_id("ben")]);
    assert_eq!(answer.skipped, [user_id("eve"), user_id("nobody")]);
    assert_eq!(ada.conversation(group).await.unwrap().member_count, 43);
}

async fn who_removed_and_who_left_come_back_by_an_admin(world: World) {
    let [ada, ben, cem, dora, eve] = world.users(["ada", "ben", "cem", "dora", "eve"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem, &dora]).await.id;
    let anybody_adds = ConversationPatch {
        permissions: Some(PermissionsPatch {
            add_members: Some(Permission::Everyone),
            ..PermissionsPatch::default()
        }),
        ..ConversationPatch::default()
    };
    ada.update_conversation(group, anybody_adds).await.unwrap();
    cem.leave(group).await.unwrap();
    ada.remove_member(group, dora.user_id()).await.unwrap();
    let answer = ben
        .add_members(group, add(&["cem", "dora", "eve"]))
        .await
        .unwrap();
    assert_eq!(answer.added, [eve.user_id().clone()]);
    assert_eq!(answer.skipped, [user_id("cem"), user_id("dora")]);
    let answer = ada.add_members(group, add(&["cem", "dora"])).await.unwrap();
    assert_eq!(answer.added.len(), 2);
    // Neither can bring himself back.
    dora.leave(group).await.unwrap();
    let refused = dora.add_members(group, add(&["dora"])).await;
    assert_eq!(code(refused), ErrorCode::ConversationNotFound);
}

async fn a_removed_member_hears_nothing_of_the_next_message(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let elsewhere = ada.direct_with(&ben).await.id;
    let mut phones = [world.connect(&ben).await, world.connect(&ben).await];
    // Sent without waiting for one another: the next message is behind the removal in the queue.
    let (removed, sent) = tokio::join!(
        ada.remove_member(group, ben.user_id()),
        ada.send(SendMessage::text(group, "not for ben"))
    );
    removed.unwrap();
    let secret = sent.unwrap().message;
    ada.say(group, "nor this").await;
    ada.say(elsewhere, "for ben").await;
    for phone in &mut phones {
        let (mut out, mut heard) = (false, false);
        while !(out && heard) {
            let (name, event) = phone.next().await;
            out |= name == "conversation_removed";
            heard |= event["conversation_id"] == elsewhere.to_string();
            if name == "message_created" && event["conversation_id"] == group.to_string() {
                // Only what was committed before he was removed.
                assert!(!out && event["message"]["id"] == secret.id.to_string(), "{event}");
                assert!(!ben.sees(secret.id).await);
            }
        }
    }
}

async fn custom_data_is_the_admins_and_everybody_reads_it(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let data: JsonObject = serde_json::from_value(json!({ "order": 7 })).unwrap();
    let patch = |custom| ConversationPatch {
        custom: Some(custom),
        ..ConversationPatch::default()
    };
    let refused = ben.update_conversation(group, patch(Some(data.clone()))).await;
    assert_eq!(code(refused), ErrorCode::Forbidden);
    ada.update_conversation(group, patch(Some(data.clone())))
        .await
        .unwrap();
    assert_eq!(ben.conversation(group).await.unwrap().custom, data);
    ada.update_conversation(group, patch(None)).await.unwrap();
    assert!(ben.conversation(group).await.unwrap().custom.is_empty());
}

async fn members_come_in_pages(world: World) {
    let [ada, ben, cem, dora, eve] = world.users(["ada", "ben", "cem", "dora", "eve"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem, &dora]).await.id;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            limit: Some(3),
            cursor,
        };
        let page = ben.members(group, page).await.unwrap();
        found.extend(page.items.into_iter().map(|member| member.user.id.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ["ada", "ben", "cem", "dora"]);
    let refused = eve.members(group, PageRequest::default()).await;
    assert_eq!(code(refused), ErrorCode::ConversationNotFound);
}

async fn a_promoted_member_may_what_an_admin_may_until_he_is_demoted(world: World) {
    let [ada, ben, cem, _dora] = world.users(["ada", "ben", "cem", "dora"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let renamed = |name: &str| ConversationPatch {
        name: Some(name.to_owned()),
        ..ConversationPatch::default()
    };
    assert_eq!(
        code(ben.update_conversation(group, renamed("no")).await),
        ErrorCode::Forbidden
    );
    ada.set_role(group, ben.user_id(), role(Role::Admin))
        .await
        .unwrap();
    ben.update_conversation(group, renamed("yes")).await.unwrap();
    ben.add_members(group, add(&["dora"])).await.unwrap();
    ada.set_role(group, ben.user_id(), role(Role::Member))
        .await
        .unwrap();
    assert_eq!(
        code(ben.update_conversation(group, renamed("no")).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(ben.remove_member(group, &user_id("dora")).await),
        ErrorCode::Forbidden
    );
}

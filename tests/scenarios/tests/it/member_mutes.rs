//! Muting one member of a group.

use std::time::Duration;

use chat_core::command::{
    AddMembers, DeleteMessage, DeletionScope, EditMessage, ReactTo, SendMessage, SetRole, SetTyping,
    SyncRequest, TransferOwnership,
};
use chat_core::error::ErrorCode;
use chat_core::model::{Muted, Role};
use chat_core::view::MemberView;
use serde_json::json;

use crate::direct::up_to;
use crate::world::{Chats, World, code};

for_each_store!(
    a_muted_member_reads_and_does_not_write,
    a_mute_ends_by_the_clock,
    rank_decides_who_mutes_whom,
    only_admins_and_the_muted_know,
);

async fn a_muted_member_reads_and_does_not_write(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let mine = ben.say(group, "mine").await;
    let theirs = cem.say(group, "theirs").await;
    let keyed = SendMessage::text(group, "sent before").with_client_id(crate::world::client_id("k"));
    ben.send(keyed.clone()).await.unwrap();
    let muted = ada
        .mute_member(group, ben.user_id(), Muted::Forever)
        .await
        .unwrap();
    assert_eq!(muted.muted_until, Some(Muted::Forever));
    let send = ben.send(SendMessage::text(group, "no")).await.unwrap_err();
    assert_eq!(send.code(), ErrorCode::NotPermitted);
    assert_eq!(send.details()["muted_until"], "forever");
    let edit = EditMessage {
        message_id: mine.id,
        text: "no".to_owned(),
        mentions: None,
        expected_version: None,
    };
    assert_eq!(code(ben.edit(edit).await), ErrorCode::NotPermitted);
    let react = ReactTo {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
    };
    assert_eq!(code(ben.add_reaction(react).await), ErrorCode::NotPermitted);
    let typing = |active| SetTyping {
        conversation_id: group,
        active,
    };
    assert_eq!(code(ben.set_typing(typing(true)).await), ErrorCode::NotPermitted);
    ben.set_typing(typing(false)).await.unwrap();
    assert!(ben.send(keyed).await.unwrap().replayed);
    ben.mark_read(up_to(group, theirs.seq)).await.unwrap();
    assert_eq!(ben.texts(group).await, ["mine", "theirs", "sent before"]);
    let delete = DeleteMessage {
        message_id: mine.id,
        scope: DeletionScope::Everyone,
    };
    ben.delete_message(delete).await.unwrap();
    let can = ben.conversation(group).await.unwrap().my.can;
    assert!(
        !can.contains(&"send") && !can.contains(&"react") && can.contains(&"leave"),
        "{can:?}"
    );
    let direct = ben.direct_with(&cem).await.id;
    ben.say(direct, "elsewhere he may").await;
    ben.leave(group).await.unwrap();
    let back = AddMembers {
        user_ids: vec![ben.user_id().clone()],
    };
    ada.add_members(group, back).await.unwrap();
    assert_eq!(
        code(ben.send(SendMessage::text(group, "no")).await),
        ErrorCode::NotPermitted,
        "leaving and coming back does not end it"
    );
    let free = ada.unmute_member(group, ben.user_id()).await.unwrap();
    assert_eq!(free.muted_until, None);
    ada.unmute_member(group, ben.user_id()).await.unwrap();
    ben.say(group, "again").await;
}

async fn a_mute_ends_by_the_clock(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let until = world.clock_now().after(Duration::from_secs(60));
    ada.mute_member(group, ben.user_id(), Muted::Until(until))
        .await
        .unwrap();
    world.advance(Duration::from_millis(59_999));
    let refused = ben.send(SendMessage::text(group, "no")).await.unwrap_err();
    assert_eq!(refused.details()["muted_until"], until.to_string());
    world.advance(Duration::from_millis(1));
    ben.say(group, "yes").await;
    assert!(ben.conversation(group).await.unwrap().my.can.contains(&"send"));
    let members = ada.members(group, Default::default()).await.unwrap().items;
    assert!(members.iter().all(|member| member.muted_until.is_none()));
    let past = ada
        .mute_member(group, ben.user_id(), Muted::Until(until))
        .await
        .unwrap();
    assert_eq!(past.muted_until, None, "a mute in the past is none");
    ben.say(group, "still").await;
}

async fn rank_decides_who_mutes_whom(world: World) {
    let [ada, ben, cem, dan, eve] = world.users(["ada", "ben", "cem", "dan", "eve"]).await;
    let group = ada.group_of("g", &[&ben, &cem, &dan]).await.id;
    for admin in [&ben, &cem] {
        let set = SetRole { role: Role::Admin };
        ada.set_role(group, admin.user_id(), set).await.unwrap();
    }
    let mute = async |by: &chat_core::Actor, whom: &chat_core::Actor| {
        by.mute_member(group, whom.user_id(), Muted::Forever)
            .await
            .map(|member| member.muted_until)
            .map_err(|error| error.code())
    };
    let done = Ok(Some(Muted::Forever));
    assert_eq!(mute(&dan, &ben).await, Err(ErrorCode::Forbidden));
    assert_eq!(mute(&ben, &cem).await, Err(ErrorCode::Forbidden));
    assert_eq!(mute(&ben, &ada).await, Err(ErrorCode::Forbidden));
    assert_eq!(mute(&ben, &ben).await, Err(ErrorCode::Forbidden));
    assert_eq!(mute(&ada, &ada).await, Err(ErrorCode::Forbidden));
    assert_eq!(mute(&ben, &eve).await, Err(ErrorCode::UserNotFound));
    assert_eq!(mute(&eve, &dan).await, Err(ErrorCode::ConversationNotFound));
    let direct = ada.direct_with(&ben).await.id;
    let in_direct = ada.mute_member(direct, ben.user_id(), Muted::Forever).await;
    assert_eq!(code(in_direct), ErrorCode::InvalidOperation);
    assert_eq!(mute(&ben, &dan).await, done);
    assert_eq!(mute(&ada, &cem).await, done);
    assert_eq!(
        code(cem.unmute_member(group, cem.user_id()).await),
        ErrorCode::Forbidden,
        "nobody lifts his own"
    );
    let host = world.engine.as_host(eve.user_id());
    assert_eq!(mute(&host, &ada).await, done, "the host outranks the owner");
    host.unmute_member(group, ada.user_id()).await.unwrap();
    let to = TransferOwnership {
        user_id: cem.user_id().clone(),
    };
    ada.transfer_ownership(group, to).await.unwrap();
    cem.say(group, "nobody outranks an owner, so his mute is over")
        .await;
}

async fn only_admins_and_the_muted_know(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let mut live = [
        world.connect(&ada).await,
        world.connect(&ben).await,
        world.connect(&cem).await,
    ];
    let tokens = [
        cem.sync(SyncRequest::default()).await.unwrap().token,
        ben.sync(SyncRequest::default()).await.unwrap().token,
    ];
    let answer = live[0]
        .session
        .execute(
            "mute_member",
            json!({"conversation_id": group, "user_id": "ben", "until": "forever"}),
        )
        .await
        .unwrap();
    assert_eq!(answer["member"]["muted_until"], "forever");
    let told = live[1].next_named("members_changed").await;
    assert_eq!(told["muted"], json!({"ben": "forever"}));
    live[2].hears_no("members_changed").await;
    let of_ben = |members: Vec<MemberView>| {
        let ben = members
            .into_iter()
            .find(|member| member.user.id.as_str() == "ben");
        ben.unwrap().muted_until
    };
    for (viewer, expected) in [
        (&ada, Some(Muted::Forever)),
        (&ben, Some(Muted::Forever)),
        (&cem, None),
    ] {
        let page = viewer.members(group, Default::default()).await.unwrap().items;
        assert_eq!(of_ben(page), expected);
        let shown = viewer.conversation(group).await.unwrap().members.unwrap();
        assert_eq!(of_ben(shown), expected);
    }
    for (viewer, token, expected) in [(&cem, &tokens[0], None), (&ben, &tokens[1], Some(Muted::Forever))] {
        let request = SyncRequest {
            token: Some(token.clone()),
            ..SyncRequest::default()
        };
        let synced = viewer.sync(request).await.unwrap().conversations;
        let members = synced[0].members.iter().map(|synced| synced.member.clone());
        assert_eq!(of_ben(members.collect()), expected);
    }
    let lift = json!({"conversation_id": group, "user_id": "ben"});
    live[0].session.execute("unmute_member", lift).await.unwrap();
    let told = live[1].next_named("members_changed").await;
    assert_eq!(told["muted"], json!({"ben": null}));
}

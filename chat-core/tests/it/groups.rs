use chat_core::command::{ConversationPatch, PermissionsPatch, SendMessage};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::{ClientId, ConversationId};
use chat_core::model::{AttachmentKind, AttachmentState, JsonObject, Permission, Role};
use serde_json::{Value, json};

use crate::world::{World, code, group_of, id, refusal};

#[tokio::test(start_paused = true)]
async fn a_group_has_its_creator_as_owner_and_tells_of_its_beginning() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let create = group_of("Team", &[&b, &c, &b, &a]);
    let answer = world.on(&a).create_group(create).await.unwrap();
    assert!(answer.created && answer.skipped.is_empty());
    let view = answer.conversation;
    assert_eq!((view.member_count, view.name.as_deref()), (3, Some("Team")));
    assert_eq!((view.my.role, view.my.unread_count), (Role::Owner, 0));
    let last = view.last_message.unwrap();
    assert_eq!((last.seq, last.sender_id), (1, a.clone()));
    assert_eq!(world.member(view.id, &b).await.role, Role::Member);
    let row = world.conversation(view.id).await;
    assert_eq!((row.rev, row.members_rev, row.last_seq), (2, 1, 1));
    let happened = world.happened().await;
    let [first, second] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    let ChatEvent::ConversationCreated { rev: 1, users, .. } = first.as_ref() else {
        panic!()
    };
    assert_eq!(users, &[a, b, c]);
    let ChatEvent::MessageCreated { message } = second.as_ref() else {
        panic!()
    };
    assert_eq!(
        message.content.system.as_ref().unwrap().code,
        "conversation_created"
    );
}

#[tokio::test(start_paused = true)]
async fn the_size_of_a_group_is_bounded_both_ways() {
    let world = World::with(|config| config.limits.members = 4);
    let [a, b, c, d, e] = world.users(["a", "b", "c", "d", "e"]).await;
    let actor = world.on(&a);
    assert_eq!(
        code(actor.create_group(group_of("x", &[&b])).await),
        ErrorCode::GroupTooSmall
    );
    assert_eq!(
        code(actor.create_group(group_of("x", &[&b, &a, &b])).await),
        ErrorCode::GroupTooSmall
    );
    assert!(actor.create_group(group_of("x", &[&b, &c, &d])).await.is_ok());
    assert_eq!(
        code(actor.create_group(group_of("x", &[&b, &c, &d, &e])).await),
        ErrorCode::MemberLimitExceeded
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_users_are_refused_and_blocked_ones_skipped() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let refused = world
        .on(&a)
        .create_group(group_of("x", &[&b, &id("nobody")]))
        .await;
    assert_eq!(
        refusal(refused),
        (ErrorCode::UserNotFound, "member_ids".to_owned())
    );
    world.on(&d).block(&a).await.unwrap();
    let answer = world
        .on(&a)
        .create_group(group_of("x", &[&b, &c, &d]))
        .await
        .unwrap();
    assert_eq!(
        (answer.skipped, answer.conversation.member_count),
        (vec![d.clone()], 3)
    );
    let refused = world.on(&a).create_group(group_of("x", &[&b, &d])).await;
    assert_eq!(code(refused), ErrorCode::GroupTooSmall);
}

#[tokio::test(start_paused = true)]
async fn texts_and_data_are_checked_for_hosts_too() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let actor = world.on(&a);
    for name in ["", " ", "a\0b", "x".repeat(121).as_str()] {
        let refused = actor.create_group(group_of(name, &[&b, &c])).await;
        assert_eq!(refusal(refused), (ErrorCode::InvalidArgument, "name".to_owned()));
    }
    let mut create = group_of("x", &[&b, &c]);
    create.custom = Some(object(json!({ "a": "x".repeat(9000) })));
    assert_eq!(
        refusal(actor.create_group(create).await),
        (ErrorCode::PayloadTooLarge, "custom".to_owned())
    );
    let mut create = group_of("x", &[&b, &c]);
    create.description = Some("x".repeat(501));
    assert_eq!(
        refusal(actor.create_group(create).await),
        (ErrorCode::InvalidArgument, "description".to_owned())
    );
}

fn object(value: Value) -> JsonObject {
    serde_json::from_value(value).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_key_finds_the_same_group() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    world.on(&d).block(&a).await.unwrap();
    let key = || Some(ClientId::new("k").unwrap());
    let mut create = group_of("x", &[&b, &c, &d]);
    create.client_id = key();
    let first = world.on(&a).create_group(create.clone()).await.unwrap();
    assert_eq!(
        world.names().await,
        ["block_changed", "conversation_created", "message_created"]
    );
    // Members in another order, defaults spelled out: the same payload.
    let mut again = group_of("x", &[&d, &c, &b, &a]);
    again.client_id = key();
    again.custom = Some(JsonObject::default());
    again.permissions = Some(PermissionsPatch::default());
    let second = world.on(&a).create_group(again).await.unwrap();
    assert!(!second.created);
    assert_eq!(second.conversation.id, first.conversation.id);
    assert_eq!(
        (&second.skipped, &first.skipped),
        (&vec![d.clone()], &vec![d.clone()])
    );
    assert_eq!(world.names().await, [""; 0]);
    // Changed since: still the same group.
    let patch = ConversationPatch {
        name: Some("y".to_owned()),
        ..ConversationPatch::default()
    };
    world
        .on(&a)
        .update_conversation(first.conversation.id, patch)
        .await
        .unwrap();
    assert!(!world.on(&a).create_group(create.clone()).await.unwrap().created);
    let mut other = create.clone();
    other.name = "z".to_owned();
    assert_eq!(
        refusal(world.on(&a).create_group(other).await),
        (ErrorCode::IdempotencyConflict, "client_id".to_owned())
    );
    // Another user's key is another key.
    let mut theirs = group_of("x", &[&a, &c]);
    theirs.client_id = key();
    let theirs = world.on(&b).create_group(theirs).await.unwrap();
    assert!(theirs.created && theirs.conversation.id != first.conversation.id);
    // Whom it concerns no more learns nothing.
    world.on(&a).leave(first.conversation.id).await.unwrap();
    assert_eq!(
        code(world.on(&a).create_group(create).await),
        ErrorCode::ConversationNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn concurrent_creations_under_one_key_make_one_group() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let attempts = (0..8).map(|_| {
        let mut create = group_of("x", &[&b, &c]);
        create.client_id = Some(ClientId::new("k").unwrap());
        let actor = world.on(&a);
        async move { actor.create_group(create).await.unwrap() }
    });
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
    let ids: std::collections::HashSet<ConversationId> = answers.iter().map(|a| a.conversation.id).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_claimed_once_and_replaced_ones_go() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let picture = world.upload(&a, AttachmentKind::Image).await;
    let mut create = group_of("x", &[&b, &c]);
    create.avatar_attachment_id = Some(picture);
    let group = world
        .on(&a)
        .create_group(create.clone())
        .await
        .unwrap()
        .conversation;
    assert!(group.avatar_url.unwrap().contains(&picture.to_string()));
    assert_eq!(world.upload_state(picture).await, AttachmentState::Avatar);
    let field = "avatar_attachment_id".to_owned();
    assert_eq!(
        refusal(world.on(&a).create_group(create.clone()).await),
        (ErrorCode::Conflict, field.clone())
    );
    create.avatar_attachment_id = Some(world.upload(&b, AttachmentKind::Image).await);
    assert_eq!(
        refusal(world.on(&a).create_group(create.clone()).await),
        (ErrorCode::AttachmentNotFound, field.clone())
    );
    create.avatar_attachment_id = Some(world.upload(&a, AttachmentKind::File).await);
    assert_eq!(
        refusal(world.on(&a).create_group(create).await),
        (ErrorCode::InvalidArgument, field)
    );
    let newer = world.upload(&a, AttachmentKind::Image).await;
    let patch = |avatar| ConversationPatch {
        avatar_attachment_id: Some(avatar),
        ..ConversationPatch::default()
    };
    world
        .on(&a)
        .update_conversation(group.id, patch(Some(newer)))
        .await
        .unwrap();
    assert_eq!(world.upload_state(picture).await, AttachmentState::Deleted);
    assert_eq!(world.upload_state(newer).await, AttachmentState::Avatar);
    let bare = world
        .on(&a)
        .update_conversation(group.id, patch(None))
        .await
        .unwrap();
    assert_eq!(bare.avatar_url, None);
    assert_eq!(world.upload_state(newer).await, AttachmentState::Deleted);
}

#[tokio::test(start_paused = true)]
async fn an_update_tells_new_values_and_only_what_changed() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let patch = ConversationPatch {
        name: Some("New".to_owned()),
        description: Some(Some("About".to_owned())),
        permissions: Some(PermissionsPatch {
            send: Some(Permission::Admins),
            ..PermissionsPatch::default()
        }),
        frozen: Some(true),
        custom: Some(Some(object(json!({ "k": 1 })))),
        ..ConversationPatch::default()
    };
    let view = world
        .on(&a)
        .update_conversation(group, patch.clone())
        .await
        .unwrap();
    assert_eq!((view.name.as_deref(), view.frozen), (Some("New"), true));
    let happened = world.happened().await;
    let ChatEvent::ConversationUpdated { rev: 3, changed, .. } = happened[0].as_ref() else {
        panic!("{happened:?}")
    };
    let permissions =
        json!({ "send": "admins", "add_members": "admins", "edit_info": "admins", "pin_messages": "admins" });
    assert_eq!(
        Value::Object(changed.clone()),
        json!({ "name": "New", "description": "About", "permissions": permissions, "frozen": true, "custom": { "k": 1 } })
    );
    let lines: Vec<(u64, String)> = happened[1..]
        .iter()
        .map(|event| match event.as_ref() {
            ChatEvent::MessageCreated { message } => {
                (message.rev, message.content.system.clone().unwrap().code)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            (4, "renamed"),
            (5, "description_changed"),
            (6, "permissions_changed"),
            (7, "frozen")
        ]
        .map(|(rev, code)| (rev, code.to_owned()))
    );
    let rev = world.conversation(group).await.rev;
    world.on(&a).update_conversation(group, patch).await.unwrap();
    world
        .on(&b)
        .update_conversation(group, ConversationPatch::default())
        .await
        .unwrap();
    assert_eq!(
        (world.names().await, world.conversation(group).await.rev),
        (vec![], rev)
    );
    let cleared = ConversationPatch {
        description: Some(Some(" ".to_owned())),
        custom: Some(None),
        ..ConversationPatch::default()
    };
    world.on(&a).update_conversation(group, cleared).await.unwrap();
    let happened = world.happened().await;
    let ChatEvent::ConversationUpdated { changed, .. } = happened[0].as_ref() else {
        panic!()
    };
    assert_eq!(
        Value::Object(changed.clone()),
        json!({ "description": null, "custom": null })
    );
}

#[tokio::test(start_paused = true)]
async fn who_may_change_a_group() {
    let world = World::new();
    let [a, b, c, x] = world.users(["a", "b", "c", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let direct = world.direct(&a, &b).await;
    let rename = || ConversationPatch {
        name: Some("n".to_owned()),
        ..ConversationPatch::default()
    };
    let freeze = || ConversationPatch {
        frozen: Some(true),
        ..ConversationPatch::default()
    };
    let open = ConversationPatch {
        permissions: Some(PermissionsPatch {
            edit_info: Some(Permission::Everyone),
            ..PermissionsPatch::default()
        }),
        ..ConversationPatch::default()
    };
    assert_eq!(
        code(world.on(&b).update_conversation(group, rename()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(world.on(&x).update_conversation(group, rename()).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(world.on(&a).update_conversation(direct, rename()).await),
        ErrorCode::InvalidOperation
    );
    world.on(&a).update_conversation(group, open).await.unwrap();
    world.on(&b).update_conversation(group, rename()).await.unwrap();
    assert_eq!(
        code(world.on(&b).update_conversation(group, freeze()).await),
        ErrorCode::Forbidden
    );
    world.on(&a).update_conversation(group, freeze()).await.unwrap();
    let refused = world.on(&b).send(SendMessage::text(group, "hi")).await;
    assert_eq!(code(refused), ErrorCode::NotPermitted);
}

#[tokio::test(start_paused = true)]
async fn the_host_makes_a_group_without_being_in_it() {
    let world = World::new();
    let [bot, a, b, c] = world.users(["bot", "a", "b", "c"]).await;
    let host = world.engine.as_host(&bot);
    let group = host
        .create_group(group_of("x", &[&a, &b, &c]))
        .await
        .unwrap()
        .conversation;
    assert_eq!(group.member_count, 3);
    assert!(world.store().member(group.id, &bot).await.unwrap().is_none());
    assert_eq!(code(host.leave(group.id).await), ErrorCode::InvalidOperation);
    let to = chat_core::command::TransferOwnership { user_id: a.clone() };
    host.transfer_ownership(group.id, to).await.unwrap();
    let to = chat_core::command::TransferOwnership { user_id: b.clone() };
    host.transfer_ownership(group.id, to).await.unwrap();
    assert_eq!(world.member(group.id, &a).await.role, Role::Admin);
    assert_eq!(world.member(group.id, &b).await.role, Role::Owner);
    host.remove_member(group.id, &b).await.unwrap();
    host.delete_conversation(group.id).await.unwrap();
    assert_eq!(
        code(world.on(&a).conversation(group.id).await),
        ErrorCode::ConversationGone
    );
}

#[tokio::test(start_paused = true)]
async fn the_event_of_a_new_group_carries_its_own_rev() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let mut of_b = world.connect(&b).await;
    world.group(&a, &[&b, &c]).await;
    let got = of_b.got().await;
    let revs: Vec<(&str, u64)> = got
        .iter()
        .map(|(name, payload)| {
            let rev = payload.get("rev").unwrap_or(&payload["conversation"]["rev"]);
            (*name, rev.as_u64().unwrap())
        })
        .collect();
    assert_eq!(revs, [("conversation_created", 1), ("message_created", 2)]);
}

#[test]
fn what_cannot_be_cleared_is_not_patched_with_null() {
    let patch = |field: &str| serde_json::from_value::<ConversationPatch>(serde_json::json!({ field: null }));
    for field in ["name", "permissions", "frozen"] {
        assert!(patch(field).is_err(), "{field}");
    }
    for field in ["description", "avatar_attachment_id", "custom"] {
        assert!(patch(field).is_ok(), "{field}");
    }
}

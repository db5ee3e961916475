//! Everything of one user, on its way out: exported to him, and erased.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    ConversationSettings, EditMessage, EraseMe, HistoryRequest, Mark, Marks, OpenDirect, PageRequest,
    ReactTo, RegisterDevice, SearchMessages, SendMessage, StarMessage, SyncRequest,
};
use chat_core::config::{OwnerLeave, Rate};
use chat_core::engine::EventItem;
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::ConversationId;
use chat_core::model::{ErasedMessages, Muted, Platform, Provider, Role};
use chat_core::store::Store;
use chat_core::view::{ExportRecord, MessageView, SyncedMessage};
use futures::StreamExt;
use serde_json::Value;

use crate::world::{Chats, World, client_id, code, user_id, whole_history};

for_each_store!(
    an_erased_user_leaves_tombstones_and_nothing_else,
    messages_may_stay_of_a_deleted_user,
    other_members_hear_of_an_erasure_by_sync,
    an_erasure_that_was_cut_short_goes_on,
    an_erased_owner_hands_over_whatever_the_policy,
    users_erase_and_export_themselves_where_the_host_lets_them,
    an_export_is_complete_and_holds_nothing_of_others,
    unknown_users_are_neither_exported_nor_erased,
);

/// What a user does so that something of his is everywhere.
async fn live(world: &World, zoe: &Actor, ben: &Actor, cem: &Actor) -> [ConversationId; 2] {
    let direct = zoe.direct_with(ben).await.id;
    let group = zoe.group_of("Trip", &[ben, cem]).await.id;
    let first = zoe.say(direct, "secret one").await;
    zoe.say(group, "secret two").await;
    let theirs = ben.say(group, "of ben").await;
    let react = |message: &MessageView| ReactTo {
        message_id: message.id,
        emoji: "👍".to_owned(),
    };
    zoe.add_reaction(react(&theirs)).await.unwrap();
    ben.add_reaction(react(&first)).await.unwrap();
    let hidden = ben.say(group, "hidden by zoe").await;
    zoe.delete_message(chat_core::command::DeleteMessage {
        message_id: hidden.id,
        scope: chat_core::command::DeletionScope::Me,
    })
    .await
    .unwrap();
    let mark = Marks {
        conversation_id: Some(group),
        seq: Some(theirs.seq),
        marks: None,
    };
    zoe.mark_read(mark).await.unwrap();
    let settings = ConversationSettings {
        pinned: Some(true),
        muted_until: Some(Some(Muted::Forever)),
        ..ConversationSettings::default()
    };
    zoe.update_conversation_settings(group, settings).await.unwrap();
    let device = RegisterDevice {
        token: "secret-token".to_owned(),
        platform: Platform::Web,
        provider: Provider::Fcm,
    };
    zoe.register_device(device).await.unwrap();
    zoe.block(cem.user_id()).await.unwrap();
    world.user("dora").await.block(zoe.user_id()).await.unwrap();
    [direct, group]
}

async fn secrets(actor: &Actor) -> usize {
    let search = SearchMessages {
        q: "secret".to_owned(),
        ..SearchMessages::default()
    };
    actor.search_messages(search).await.unwrap().items.len()
}

/// How many rows a store keeps of a user alone.
async fn private_rows(store: &dyn Store, name: &str) -> [usize; 4] {
    let user = user_id(name);
    let mut steps = 0;
    for member in store.memberships(&user, None, 50).await.unwrap() {
        let found = store.mark_steps(member.conversation_id, &user, None, 50).await;
        steps += found.unwrap().len();
    }
    [
        store.devices(std::slice::from_ref(&user)).await.unwrap().len(),
        store.hides_by(&user, None, 50).await.unwrap().len(),
        store.blocks_by(&user, None, 50).await.unwrap().len(),
        steps,
    ]
}

async fn an_erased_user_leaves_tombstones_and_nothing_else(world: World) {
    let world = world.with_config(|config| config.limits.searches = Rate::new(100, 100));
    let [zoe, ben, cem] = world.users(["zoe", "ben", "cem"]).await;
    let [direct, group] = live(&world, &zoe, &ben, &cem).await;
    let mut phone = world.connect(&zoe).await;
    let store = world.engine.store().clone();
    assert!(
        private_rows(store.as_ref(), "zoe")
            .await
            .iter()
            .all(|rows| *rows > 0)
    );
    assert_eq!(secrets(&ben).await, 2);
    world
        .engine
        .erase_user(zoe.user_id(), ErasedMessages::Delete)
        .await
        .unwrap();
    // Out at once and for good.
    while !phone.session.has_ended() {
        phone.next().await;
    }
    assert_eq!(
        code(world.try_connect(&zoe).await.map(drop)),
        ErrorCode::NotPermitted
    );
    // Nothing of what was his alone.
    assert_eq!(private_rows(store.as_ref(), "zoe").await, [0; 4]);
    assert!(
        store
            .reactions_by(zoe.user_id(), None, 5)
            .await
            .unwrap()
            .is_empty()
    );
    let row = store.users(&[user_id("zoe")]).await.unwrap().remove(0);
    assert_eq!(row.name, "");
    assert!(row.erased.unwrap().done);
    assert!(
        store
            .blocks_of(&user_id("dora"))
            .await
            .unwrap()
            .blocked
            .is_empty()
    );
    // The others find tombstones of a deleted user.
    assert_eq!(secrets(&ben).await, 0);
    assert!(ben.texts(direct).await.is_empty());
    let tombstone = whole_history(&ben, direct).await.remove(0);
    assert!(tombstone.deleted.is_some() && tombstone.reactions.is_none());
    assert_eq!(
        (tombstone.sender.name.as_str(), tombstone.sender.deleted),
        ("Deleted user", Some(true))
    );
    let seen = ben.conversation(direct).await.unwrap();
    assert!(seen.frozen && seen.my.unread_count == 0);
    assert!(!seen.my.can.contains(&"send"));
    assert_eq!(seen.peer.unwrap().deleted, Some(true));
    let refused = ben.send(SendMessage::text(direct, "hello?")).await;
    assert_eq!(code(refused), ErrorCode::NotPermitted);
    let open = OpenDirect {
        user_id: user_id("zoe"),
    };
    assert_eq!(code(cem.open_direct(open).await), ErrorCode::UserNotFound);
    // The group goes on without him.
    let seen = ben.conversation(group).await.unwrap();
    assert_eq!(seen.member_count, 2);
    let owners: Vec<_> = (seen.members.unwrap().into_iter())
        .filter(|member| member.role == Role::Owner)
        .collect();
    assert_eq!(owners.len(), 1);
    let theirs = whole_history(&ben, group).await;
    assert!(theirs.iter().all(|message| message.reactions.is_none()));
    ben.say(group, "still here").await;
    let found = ben.search_users("zoe", PageRequest::default()).await.unwrap();
    assert!(found.items.is_empty());
    // Again is no fault.
    world
        .engine
        .erase_user(zoe.user_id(), ErasedMessages::Keep)
        .await
        .unwrap();
    assert_eq!(world.engine.resume_erasures().await.unwrap(), 0);
}

async fn messages_may_stay_of_a_deleted_user(world: World) {
    let [zoe, ben, cem] = world.users(["zoe", "ben", "cem"]).await;
    let [direct, group] = live(&world, &zoe, &ben, &cem).await;
    world
        .engine
        .erase_user(zoe.user_id(), ErasedMessages::Keep)
        .await
        .unwrap();
    assert_eq!(ben.texts(direct).await, ["secret one"]);
    let of_zoe = whole_history(&ben, direct).await.remove(0);
    assert_eq!(
        (of_zoe.sender.name.as_str(), of_zoe.sender.deleted),
        ("Deleted user", Some(true))
    );
    let all = whole_history(&ben, group).await;
    assert!(all.iter().any(|message| message.reactions.is_some()));
    assert_eq!(private_rows(world.engine.store().as_ref(), "zoe").await, [0; 4]);
    assert_eq!(
        code(world.try_connect(&zoe).await.map(drop)),
        ErrorCode::NotPermitted
    );
}

async fn other_members_hear_of_an_erasure_by_sync(world: World) {
    let [zoe, ben, cem] = world.users(["zoe", "ben", "cem"]).await;
    let [direct, group] = live(&world, &zoe, &ben, &cem).await;
    let sync = |token: Option<String>| {
        let request = SyncRequest {
            token,
            conversations: None,
        };
        let ben = &ben;
        async move { ben.sync(request).await.unwrap() }
    };
    let before = sync(None).await;
    world
        .engine
        .erase_user(zoe.user_id(), ErasedMessages::Delete)
        .await
        .unwrap();
    let after = sync(Some(before.token)).await;
    let changed: BTreeMap<_, _> = (after.conversations.iter())
        .map(|synced| (synced.conversation.id, synced))
        .collect();
    assert_eq!(changed.len(), 2);
    for id in [direct, group] {
        let of_zoe = changed[&id].messages.iter().filter_map(|message| match message {
            SyncedMessage::Message(message) if message.sender.id == user_id("zoe") => Some(message),
            _ => None,
        });
        let revs: Vec<u64> = of_zoe
            .filter(|message| message.deleted.is_some())
            .map(|message| message.rev)
            .collect();
        let old = before
            .conversations
            .iter()
            .find(|synced| synced.conversation.id == id);
        assert_eq!(revs.len(), 1);
        assert!(revs[0] > old.unwrap().conversation.rev);
    }
    assert!(changed[&direct].conversation.frozen);
    let members: Vec<_> = changed[&group]
        .members
        .iter()
        .map(|one| &one.member.user.id)
        .collect();
    assert_eq!(members, [&user_id("ben"), &user_id("cem")]);
}

async fn an_erasure_that_was_cut_short_goes_on(world: World) {
    let [zoe, ben] = world.users(["zoe", "ben"]).await;
    let direct = zoe.direct_with(&ben).await.id;
    for n in 0..300 {
        zoe.say(direct, &format!("secret {n}")).await;
    }
    let mut events = Box::pin(world.engine.events());
    let erasing = world.engine.erase_user(zoe.user_id(), ErasedMessages::Delete);
    let first_burial = async {
        while let Some(event) = events.next().await {
            if matches!(&event, EventItem::Event(event) if matches!(**event, ChatEvent::MessageDeleted { .. }))
            {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = first_burial => {}
        done = erasing => panic!("erased before it could be cut short: {done:?}"),
    }
    // He is shut out all the same, and what is left goes with the next round.
    assert!(!ben.texts(direct).await.is_empty());
    assert_eq!(
        code(world.try_connect(&zoe).await.map(drop)),
        ErrorCode::NotPermitted
    );
    assert_eq!(world.engine.resume_erasures().await.unwrap(), 1);
    assert!(ben.texts(direct).await.is_empty());
    assert_eq!(world.engine.resume_erasures().await.unwrap(), 0);
    let newest = ben.history(direct, HistoryRequest::default()).await.unwrap();
    assert!(newest.items.iter().all(|message| message.deleted.is_some()));
}

async fn an_erased_owner_hands_over_whatever_the_policy(world: World) {
    let world = world.with_config(|config| config.policies.owner_leave = OwnerLeave::Refuse);
    let [zoe, ben, cem] = world.users(["zoe", "ben", "cem"]).await;
    let group = zoe.group_of("Trip", &[&ben, &cem]).await.id;
    assert_eq!(code(zoe.leave(group).await), ErrorCode::OwnerCannotLeave);
    world
        .engine
        .erase_user(zoe.user_id(), ErasedMessages::Keep)
        .await
        .unwrap();
    assert_eq!(ben.conversation(group).await.unwrap().my.role, Role::Owner);
}

async fn users_erase_and_export_themselves_where_the_host_lets_them(world: World) {
    let [zoe, ben] = world.users(["zoe", "ben"]).await;
    let direct = zoe.direct_with(&ben).await.id;
    zoe.say(direct, "secret").await;
    assert_eq!(code(zoe.export_me().await.map(drop)), ErrorCode::NotPermitted);
    assert_eq!(
        code(
            zoe.erase_me(EraseMe {
                messages: ErasedMessages::Delete
            })
            .await
        ),
        ErrorCode::NotPermitted
    );
    let world = world.with_config(|config| {
        config.policies.self_export = true;
        config.policies.self_erase = true;
    });
    let zoe = world.engine.as_user(&user_id("zoe"));
    let records = zoe.export_me().await.unwrap().count().await;
    assert!(records > 3);
    zoe.erase_me(EraseMe {
        messages: ErasedMessages::Delete,
    })
    .await
    .unwrap();
    assert_eq!(
        code(world.try_connect(&zoe).await.map(drop)),
        ErrorCode::NotPermitted
    );
    // Whatever of it is left when he is answered.
    world.engine.resume_erasures().await.unwrap();
    let ben = world.engine.as_user(&user_id("ben"));
    assert!(ben.texts(direct).await.is_empty());
}

async fn exported(world: &World, user: &Actor) -> Vec<Value> {
    let records = world.engine.export_user(user.user_id()).await.unwrap();
    let records: Vec<ExportRecord> = records.map(Result::unwrap).collect().await;
    records
        .iter()
        .map(|record| serde_json::to_value(record).unwrap())
        .collect()
}

async fn an_export_is_complete_and_holds_nothing_of_others(world: World) {
    let [zoe, ben, cem] = world.users(["zoe", "ben", "cem"]).await;
    let [direct, group] = live(&world, &zoe, &ben, &cem).await;
    let keyed = SendMessage {
        client_id: Some(client_id("my key")),
        ..SendMessage::text(direct, "with a key")
    };
    let message_id = zoe.send(keyed).await.unwrap().message.id;
    let edit = EditMessage {
        message_id,
        text: "with a key and better".to_owned(),
        mentions: None,
        expected_version: None,
    };
    zoe.edit(edit).await.unwrap();
    zoe.star_message(StarMessage { message_id }).await.unwrap();
    for n in 0..250 {
        zoe.say(direct, &format!("many {n}")).await;
    }
    world.advance(Duration::from_secs(1));
    let records = exported(&world, &zoe).await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        *counts.entry(record["type"].as_str().unwrap()).or_default() += 1;
    }
    // Lines of the beginning of the group count among the messages.
    let expected = [
        ("block", 1),
        ("device", 1),
        ("end", 1),
        ("former_text", 1),
        ("hide", 1),
        ("mark", 2),
        ("membership", 2),
        ("message", 254),
        ("reaction", 1),
        ("settings", 1),
        ("star", 1),
        ("user", 1),
    ];
    assert_eq!(counts, expected.into_iter().collect());
    assert_eq!(records[0]["type"], "user");
    let end = records.last().unwrap();
    assert_eq!(end["records"].as_u64(), Some(records.len() as u64 - 1));
    let of = |kind: &str| {
        records
            .iter()
            .filter(|record| record["type"] == kind)
            .collect::<Vec<_>>()
    };
    assert!(
        of("message")
            .iter()
            .any(|message| message["client_id"] == "my key")
    );
    let memberships = of("membership");
    let pinned = memberships
        .iter()
        .find(|one| one["conversation_id"] == group.to_string())
        .unwrap();
    assert_eq!(pinned["muted_until"], "forever");
    assert!(pinned["pinned_at"].is_string());
    assert_eq!(of("device")[0]["token"], "secret-token");
    let text = serde_json::to_string(&records).unwrap();
    assert!(text.contains("secret one") && text.contains("many 249"));
    // Words and names of others are theirs.
    for theirs in ["of ben", "hidden by zoe", "dora"] {
        assert!(!text.contains(theirs), "{theirs}");
    }
    let empty = exported(&world, &cem).await;
    assert!(empty.iter().all(|record| record["type"] != "message"));
}

async fn unknown_users_are_neither_exported_nor_erased(world: World) {
    let nobody = user_id("nobody");
    assert_eq!(
        code(world.engine.export_user(&nobody).await.map(drop)),
        ErrorCode::UserNotFound
    );
    assert_eq!(
        code(world.engine.erase_user(&nobody, ErasedMessages::Keep).await),
        ErrorCode::UserNotFound
    );
    let mark = Mark {
        conversation_id: ConversationId::from_uuid(uuid::Uuid::now_v7()),
        seq: None,
    };
    let [ada] = world.users(["ada"]).await;
    assert_eq!(code(ada.mark_unread(mark).await), ErrorCode::ConversationNotFound);
}

//! Catching up.

use std::collections::HashMap;
use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    AddMembers, DeleteMessage, DeletionScope, EditMessage, Marks, SendMessage, SyncRequest,
};
use chat_core::config::{BlockedInGroup, HistoryForNewMembers, Rate};
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::view::{SyncAnswer, SyncedMessage};

use crate::world::{Chats, World, code, whole_history};

for_each_store!(
    a_backlog_comes_with_sync_once,
    a_backlog_of_five_thousand_arrives_complete,
    more_than_fits_is_limited,
    an_entity_edited_often_comes_once,
    what_is_gone_comes_as_gone,
    old_tokens_start_over_and_foreign_ones_are_refused,
    applying_an_answer_twice_is_harmless,
    a_sync_of_several_pages_misses_nothing,
    a_block_tells_of_groups_the_other_has_left,
    by_revs_a_block_that_hides_is_told,
    the_end_of_a_block_tells_marks_under_every_policy,
    who_joins_at_the_moment_of_the_beginning_gets_what_was_said,
);

fn since(token: &str) -> SyncRequest {
    SyncRequest {
        token: Some(token.to_owned()),
        conversations: None,
    }
}

fn texts(answer: &SyncAnswer) -> Vec<String> {
    let messages = answer.conversations.iter().flat_map(|entry| &entry.messages);
    messages
        .map(|message| match message {
            SyncedMessage::Message(message) if message.deleted.is_some() => "(deleted)".to_owned(),
            SyncedMessage::Message(message) => message.text.clone().unwrap_or_default(),
            SyncedMessage::Gone(_) => "(gone)".to_owned(),
        })
        .collect()
}

async fn a_backlog_comes_with_sync_once(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    for i in 0..5 {
        ada.say(direct, &format!("m{i}")).await;
    }
    let delta = ben.sync(since(&start.token)).await.unwrap();
    assert_eq!(texts(&delta), ["m0", "m1", "m2", "m3", "m4"]);
    assert_eq!(delta.badge.unread_messages, 5);
    assert!(!delta.has_more && !delta.conversations[0].limited);
    let rev = delta.conversations[0].conversation.rev;
    let by_rev = SyncRequest {
        token: None,
        conversations: Some(HashMap::from([(direct, rev)])),
    };
    assert!(texts(&ben.sync(by_rev).await.unwrap()).is_empty());
}

/// Catches up from a token as a client does: pages of sync to the end, and history where sync says that it is limited.
async fn catch_up(actor: &Actor, token: &str) -> Vec<(ConversationId, u64, String)> {
    let (mut all, mut whole, mut token) = (Vec::new(), Vec::new(), token.to_owned());
    loop {
        let page = actor.sync(since(&token)).await.unwrap();
        for entry in page.conversations {
            let id = entry.conversation.id;
            if entry.limited {
                whole.push(id);
            }
            for message in entry.messages {
                let SyncedMessage::Message(message) = message else {
                    panic!("nothing was deleted");
                };
                all.push((id, message.seq, message.text.unwrap_or_default()));
            }
        }
        token = page.token;
        if !page.has_more {
            break;
        }
    }
    for id in whole {
        let history = whole_history(actor, id).await.into_iter();
        all.extend(history.map(|message| (id, message.seq, message.text.unwrap_or_default())));
    }
    all.sort();
    // What came by sync comes by history as well.
    all.dedup();
    all
}

async fn a_backlog_of_five_thousand_arrives_complete(world: World) {
    let world = world.with_config(|config| config.limits.commands = Rate::new(100_000, 6_000_000));
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let places = [
        ada.direct_with(&ben).await.id,
        ada.group_of("First", &[&ben, &cem]).await.id,
        ada.group_of("Second", &[&ben, &cem]).await.id,
    ];
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    let mut sent = Vec::new();
    for round in 0..50 {
        // Many at a time, most of them in one place: more than a page of sync in each, far more in one.
        let sends = (0..100).map(|n| {
            let place = places[if n < 80 { 0 } else { n % 3 }];
            let send = SendMessage::text(place, format!("{round}-{n}"));
            let ada = &ada;
            async move { (place, ada.send(send).await.unwrap().message) }
        });
        for (place, message) in futures::future::join_all(sends).await {
            sent.push((place, message.seq, message.text.unwrap_or_default()));
        }
    }
    sent.sort();
    assert_eq!(sent.len(), 5_000);
    let mut got = catch_up(&ben, &start.token).await;
    // What was there before the token, as the groups' beginnings, comes with the history of what is limited.
    got.retain(|(_, _, text)| !text.is_empty());
    assert_eq!(got.len(), sent.len());
    assert_eq!(got, sent);
    let badge = ben.badge().await.unwrap();
    assert_eq!(badge.unread_messages, 5_000);
}

async fn more_than_fits_is_limited(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    for i in 0..60 {
        ada.say(direct, &i.to_string()).await;
    }
    let delta = ben.sync(since(&start.token)).await.unwrap();
    let entry = delta
        .conversations
        .iter()
        .find(|entry| entry.conversation.id == direct)
        .unwrap();
    assert!(entry.limited);
    assert_eq!(entry.conversation.my.unread_count, 60);
    assert_eq!(ben.texts(direct).await.len(), 60, "history has it all");
}

async fn an_entity_edited_often_comes_once(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let message = ada.say(direct, "v1").await;
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    for i in 2..=5 {
        let edit = EditMessage {
            message_id: message.id,
            text: format!("v{i}"),
            mentions: None,
            expected_version: None,
        };
        ada.edit(edit).await.unwrap();
    }
    assert_eq!(texts(&ben.sync(since(&start.token)).await.unwrap()), ["v5"]);
}

async fn what_is_gone_comes_as_gone(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let (first, second) = (ada.say(group, "1").await, ada.say(group, "2").await);
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    ada.delete_message(DeleteMessage {
        message_id: first.id,
        scope: DeletionScope::Everyone,
    })
    .await
    .unwrap();
    ben.delete_message(DeleteMessage {
        message_id: second.id,
        scope: DeletionScope::Me,
    })
    .await
    .unwrap();
    let delta = ben.sync(since(&start.token)).await.unwrap();
    assert_eq!(texts(&delta), ["(deleted)", "(gone)"]);
    ada.remove_member(group, ben.user_id()).await.unwrap();
    let last = ben.sync(since(&delta.token)).await.unwrap();
    assert!(last.conversations.is_empty());
    assert_eq!(
        serde_json::to_value(&last.removed).unwrap()[0]["reason"],
        "removed"
    );
}

async fn old_tokens_start_over_and_foreign_ones_are_refused(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let start = ada.sync(SyncRequest::default()).await.unwrap();
    assert_eq!(
        code(ben.sync(since(&start.token)).await),
        ErrorCode::InvalidCursor
    );
    assert_eq!(code(ada.sync(since("nonsense")).await), ErrorCode::InvalidCursor);
    world.advance(Duration::from_secs(30 * 86_400 + 1));
    assert_eq!(
        code(ada.sync(since(&start.token)).await),
        ErrorCode::ResetRequired
    );
}

async fn applying_an_answer_twice_is_harmless(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let start = ben.sync(SyncRequest::default()).await.unwrap();
    ada.say(direct, "x").await;
    let (once, twice) = (
        ben.sync(since(&start.token)).await.unwrap(),
        ben.sync(since(&start.token)).await.unwrap(),
    );
    assert_eq!(once.conversations, twice.conversations);
}

/// One conversation changes before and after another one: the page that brings it brings both of its changes.
async fn a_sync_of_several_pages_misses_nothing(world: World) {
    let world = world.with_config(|config| config.limits.sync_conversations = 1);
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let (one, two) = (ada.direct_with(&ben).await.id, ada.direct_with(&cem).await.id);
    let mut token = ada.sync(SyncRequest::default()).await.unwrap().token;
    token = ada.sync(since(&token)).await.unwrap().token;
    ben.say(one, "before").await;
    cem.say(two, "between").await;
    ben.say(one, "after").await;
    let (mut all, mut more) = (Vec::new(), true);
    while more {
        let answer = ada.sync(since(&token)).await.unwrap();
        all.extend(texts(&answer));
        (token, more) = (answer.token, answer.has_more);
    }
    assert_eq!(all, ["between", "before", "after"]);
    assert!(ada.sync(since(&token)).await.unwrap().conversations.is_empty());
}

async fn a_block_tells_of_groups_the_other_has_left(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ben.say(group, "hi").await;
    ben.leave(group).await.unwrap();
    let first = ada.sync(SyncRequest::default()).await.unwrap();
    ada.block(ben.user_id()).await.unwrap();
    let answer = ada.sync(since(&first.token)).await.unwrap();
    assert_eq!(answer.conversations.len(), 1);
    assert_eq!(answer.conversations[0].conversation.my.unread_count, 0);
}

/// Under `hide` a block has no rev of the conversation, so a client that asks by revs is told to read it anew; and what
/// is not seen cannot be answered.
async fn by_revs_a_block_that_hides_is_told(world: World) {
    let world = world.with_config(|config| config.policies.blocked_in_group = BlockedInGroup::Hide);
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let said = ben.say(group, "hi").await.id;
    let rev = ada.conversation(group).await.unwrap().rev;
    ada.block(ben.user_id()).await.unwrap();
    let known = SyncRequest {
        token: None,
        conversations: Some(HashMap::from([(group, rev)])),
    };
    let answer = ada.sync(known).await.unwrap();
    assert!(answer.conversations[0].limited);
    assert!(texts(&answer).iter().all(|text| text != "hi"));
    let reply = SendMessage {
        reply_to: Some(said),
        ..SendMessage::text(group, "so?")
    };
    assert_eq!(code(ada.send(reply).await), ErrorCode::MessageNotFound);
}

/// What was read while a block stood is shown in groups once it is over, also where blocked users' messages show.
async fn the_end_of_a_block_tells_marks_under_every_policy(mut world: World) {
    for policy in [
        BlockedInGroup::Collapse,
        BlockedInGroup::Hide,
        BlockedInGroup::Show,
    ] {
        world = world.with_config(|config| config.policies.blocked_in_group = policy);
        let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
        let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
        ben.block(ada.user_id()).await.unwrap();
        world.advance(Duration::from_secs(1));
        let said = cem.say(group, "hi").await.seq;
        for reader in [&ada, &ben] {
            let read = Marks {
                conversation_id: Some(group),
                seq: Some(said),
                marks: None,
            };
            reader.mark_read(read).await.unwrap();
        }
        let before = [
            ben.sync(SyncRequest::default()).await.unwrap(),
            ada.sync(SyncRequest::default()).await.unwrap(),
        ];
        ben.unblock(ada.user_id()).await.unwrap();
        for ((reader, other), before) in [(&ben, &ada), (&ada, &ben)].into_iter().zip(before) {
            let after = reader.sync(since(&before.token)).await.unwrap();
            let mut told = after.conversations.iter().map(|entry| &entry.conversation);
            let told = told.find(|conversation| conversation.id == group);
            let mut members = told.into_iter().flat_map(|told| told.members.iter().flatten());
            let mark = members
                .find(|member| member.user.id == *other.user_id())
                .map(|member| member.read_seq);
            assert_eq!(mark, Some(said), "{policy:?}: {}", reader.user_id());
        }
    }
}

async fn who_joins_at_the_moment_of_the_beginning_gets_what_was_said(world: World) {
    let world =
        world.with_config(|config| config.policies.history_for_new_members = HistoryForNewMembers::All);
    let [ada, ben, cem, dee] = world.users(["ada", "ben", "cem", "dee"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.say(group, "hi").await;
    let before = dee.sync(SyncRequest::default()).await.unwrap();
    let user_ids = vec![dee.user_id().clone()];
    ada.add_members(group, AddMembers { user_ids }).await.unwrap();
    let answer = dee.sync(since(&before.token)).await.unwrap();
    assert!(answer.conversations[0].limited || texts(&answer).contains(&"hi".to_owned()));
}

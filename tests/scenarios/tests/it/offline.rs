//! Catching up.

use std::collections::HashMap;
use std::time::Duration;

use chat_core::command::{DeleteMessage, DeletionScope, EditMessage, SyncRequest};
use chat_core::error::ErrorCode;
use chat_core::view::{SyncAnswer, SyncedMessage};

use crate::world::{Chats, World, code};

for_each_store!(
    a_backlog_comes_with_sync_once,
    more_than_fits_is_limited,
    an_entity_edited_often_comes_once,
    what_is_gone_comes_as_gone,
    old_tokens_start_over_and_foreign_ones_are_refused,
    applying_an_answer_twice_is_harmless,
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

//! The list of conversations.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{ConversationSettings, ListConversations, PageRequest, SendMessage};
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::Muted;
use chat_core::store::InboxFilter;

use crate::world::{Chats, World, code};

for_each_store!(
    pinned_first_then_latest_activity,
    archived_comes_back_with_something_new,
    muted_and_archived_are_not_in_the_badge,
    silent_messages_move_nothing,
    pages_visit_everything_once,
    a_mute_lapses_by_itself,
);

async fn names(actor: &Actor, filter: InboxFilter) -> Vec<String> {
    let list = ListConversations {
        filter,
        ..ListConversations::default()
    };
    let page = actor.conversations(list).await.unwrap();
    page.items
        .into_iter()
        .map(|item| {
            item.name
                .unwrap_or_else(|| item.peer.map(|peer| peer.name).unwrap_or_default())
        })
        .collect()
}

async fn set(actor: &Actor, id: ConversationId, change: impl FnOnce(&mut ConversationSettings)) {
    let mut patch = ConversationSettings::default();
    change(&mut patch);
    actor.update_conversation_settings(id, patch).await.unwrap();
}

async fn pinned_first_then_latest_activity(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let with_ben = ada.direct_with(&ben).await.id;
    ada.say(with_ben, "1").await;
    world.advance(Duration::from_secs(1));
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.say(group, "2").await;
    assert_eq!(names(&ada, InboxFilter::Default).await, ["Trip", "ben"]);
    world.advance(Duration::from_secs(1));
    ben.say(with_ben, "3").await;
    assert_eq!(names(&ada, InboxFilter::Default).await, ["ben", "Trip"]);
    set(&ada, group, |s| s.pinned = Some(true)).await;
    assert_eq!(names(&ada, InboxFilter::Default).await, ["Trip", "ben"]);
    assert_eq!(names(&ada, InboxFilter::Pinned).await, ["Trip"]);
    assert_eq!(names(&ada, InboxFilter::Direct).await, ["ben"]);
    assert_eq!(
        names(&ben, InboxFilter::Default).await,
        ["ada", "Trip"],
        "pinning is one's own"
    );
}

async fn archived_comes_back_with_something_new(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "1").await;
    set(&ada, direct, |s| s.archived = Some(true)).await;
    assert!(names(&ada, InboxFilter::Default).await.is_empty());
    assert_eq!(names(&ada, InboxFilter::Archived).await, ["ben"]);
    assert_eq!(names(&ada, InboxFilter::All).await, ["ben"]);
    ada.say(direct, "mine").await;
    assert!(
        names(&ada, InboxFilter::Default).await.is_empty(),
        "one's own does not bring it back"
    );
    ben.say(direct, "2").await;
    assert_eq!(names(&ada, InboxFilter::Default).await, ["ben"]);
}

async fn muted_and_archived_are_not_in_the_badge(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let (one, two) = (ada.direct_with(&ben).await.id, ada.direct_with(&cem).await.id);
    ben.say(one, "x").await;
    cem.say(two, "y").await;
    assert_eq!(ada.badge().await.unwrap().unread_conversations, 2);
    set(&ada, one, |s| s.muted_until = Some(Some(Muted::Forever))).await;
    assert_eq!(ada.badge().await.unwrap().unread_conversations, 1);
    assert_eq!(ada.unread(one).await, 1, "the count itself stays exact");
    assert_eq!(names(&ada, InboxFilter::Muted).await, ["ben"]);
    set(&ada, two, |s| s.archived = Some(true)).await;
    assert_eq!(ada.badge().await.unwrap().unread_conversations, 0);
}

async fn silent_messages_move_nothing(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "loud").await;
    let before = ben.conversation(direct).await.unwrap();
    world.advance(Duration::from_secs(60));
    let silent = SendMessage {
        silent: true,
        ..SendMessage::text(direct, "quiet")
    };
    ada.send(silent).await.unwrap();
    let after = ben.conversation(direct).await.unwrap();
    assert_eq!(after.my.unread_count, before.my.unread_count);
    assert_eq!(after.last_activity_at, before.last_activity_at);
    assert_eq!(ben.texts(direct).await, ["loud", "quiet"]);
}

async fn pages_visit_everything_once(world: World) {
    let ada = world.user("ada").await;
    let eve = world.user("eve").await;
    for i in 0..12 {
        let other = world.user(&format!("user{i:02}")).await;
        let direct = other.direct_with(&ada).await.id;
        other.say(direct, "hi").await;
        if i % 3 == 0 {
            world.advance(Duration::from_secs(1));
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            limit: Some(5),
            cursor,
        };
        let page = ada
            .conversations(ListConversations {
                page,
                ..Default::default()
            })
            .await
            .unwrap();
        seen.extend(page.items.iter().map(|item| item.id));
        cursor = page.next_cursor;
        if let Some(cursor) = &cursor {
            let foreign = PageRequest {
                limit: Some(5),
                cursor: Some(cursor.clone()),
            };
            let refused = eve
                .conversations(ListConversations {
                    page: foreign,
                    ..Default::default()
                })
                .await;
            assert_eq!(code(refused), ErrorCode::InvalidCursor);
        } else {
            break;
        }
    }
    assert_eq!(seen.len(), 12);
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), 12);
}

async fn a_mute_lapses_by_itself(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ben.say(direct, "x").await;
    let until = world.engine.now().after(Duration::from_secs(60));
    set(&ada, direct, |s| s.muted_until = Some(Some(Muted::Until(until)))).await;
    assert_eq!(ada.badge().await.unwrap().unread_messages, 0);
    world.advance(Duration::from_secs(61));
    assert_eq!(ada.badge().await.unwrap().unread_messages, 1);
    assert!(names(&ada, InboxFilter::Muted).await.is_empty());
}

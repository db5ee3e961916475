//! Cases for mentions over all conversations ([`MentionStore`](chat_core::store::MentionStore)).

use chat_core::config::BlockedInGroup::{self, Collapse, Hide, Show};
use chat_core::id::UserId;
use chat_core::model::Message;
use chat_core::store::{MentionQuery, SearchKey};
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, at, people, text};

async fn mentions_as(
    store: &AnyStore,
    user: &UserId,
    unread: bool,
    (now, policy): (Timestamp, BlockedInGroup),
) -> Vec<Message> {
    let query = MentionQuery {
        user: user.clone(),
        now,
        blocked_in_group: policy,
        unread,
        after: None,
        limit: 1_000,
    };
    store.mentions(&query).await.unwrap()
}

async fn texts(store: &AnyStore, user: &UserId, unread: bool) -> Vec<String> {
    let found = mentions_as(store, user, unread, (NOW, Collapse)).await;
    found.into_iter().map(|message| message.text).collect()
}

async fn hey(room: &Room, sender: &UserId, named: &[&UserId], words: &str, seconds: u64) -> Message {
    room.send(Message {
        mentions: named.iter().copied().cloned().collect(),
        created_at: at(seconds),
        ..text(sender, words)
    })
    .await
}

/// Mentions of a user come from all his conversations, newest first, by name and with everybody, and never his own.
pub async fn mentions_of_all_conversations_are_newest_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let one = Room::group(&store, &[&ann, &bob]).await;
    let two = Room::group(&store, &[&ann, &bob]).await;
    hey(&one, &bob, &[&ann], "first", 10).await;
    hey(&two, &bob, &[&ann, &bob], "second", 20).await;
    hey(&two, &bob, &[], "nobody", 25).await;
    one.send(Message {
        mentions_all: true,
        created_at: at(30),
        ..text(&bob, "all")
    })
    .await;
    one.send(Message {
        mentions: vec![ann.clone()],
        mentions_all: true,
        created_at: at(40),
        ..text(&bob, "both")
    })
    .await;
    hey(&two, &ann, &[&ann, &bob], "own", 50).await;
    assert_eq!(
        texts(&store, &ann, false).await,
        ["both", "all", "second", "first"]
    );
    assert_eq!(texts(&store, &bob, false).await, ["own"]);
}

/// With `unread` only those after the read mark come, and an unread marker brings them back.
pub async fn unread_mentions_are_those_that_count(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    hey(&room, &bob, &[&ann], "first", 10).await;
    hey(&room, &bob, &[&ann], "second", 20).await;
    room.send(Message {
        mentions: vec![ann.clone()],
        silent: true,
        countable: false,
        created_at: at(30),
        ..text(&bob, "psst")
    })
    .await;
    assert_eq!(texts(&store, &ann, true).await, ["second", "first"]);
    room.read(&ann, 1).await;
    assert_eq!(texts(&store, &ann, true).await, ["second"]);
    room.read(&ann, 3).await;
    assert!(texts(&store, &ann, true).await.is_empty());
    room.set_private(&ann, |member| member.unread_from = Some(2))
        .await;
    assert_eq!(texts(&store, &ann, true).await, ["second"]);
    assert_eq!(texts(&store, &ann, false).await, ["psst", "second", "first"]);
}

/// A mention that is deleted, hidden, cleared, expired, edited out or lost with the membership is none.
pub async fn what_is_not_seen_mentions_nobody(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let mut sent = Vec::new();
    for n in 1..=6 {
        sent.push(hey(&room, &bob, &[&ann], &format!("m{n}"), n * 10).await);
    }
    room.send(Message {
        mentions: vec![ann.clone()],
        created_at: at(70),
        expires_at: Some(at(80)),
        ..text(&bob, "expired")
    })
    .await;
    room.delete(&sent[5]).await;
    room.hide(&ann, &sent[4]).await;
    room.edit(&sent[3], |message| message.mentions.clear()).await;
    assert_eq!(texts(&store, &ann, false).await, ["m3", "m2", "m1"]);
    room.edit(&sent[3], |message| {
        message.mentions = vec![UserId::new("ann").unwrap()]
    })
    .await;
    assert_eq!(texts(&store, &ann, false).await, ["m4", "m3", "m2", "m1"]);
    room.set_private(&ann, |member| member.visible_from = 3).await;
    assert_eq!(texts(&store, &ann, false).await, ["m4", "m3"]);
    room.leave(&ann).await;
    assert!(texts(&store, &ann, false).await.is_empty());
}

/// Pages of any size together are all mentions, also among equal times.
pub async fn mentions_come_in_pages(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let rooms = [
        Room::group(&store, &[&ann, &bob]).await,
        Room::group(&store, &[&ann, &bob]).await,
    ];
    for n in 0..9_u64 {
        let room = &rooms[usize::try_from(n % 2).unwrap()];
        room.send(Message {
            mentions: vec![ann.clone()],
            mentions_all: n % 3 == 0,
            created_at: at(n / 4),
            ..text(&bob, "hey")
        })
        .await;
    }
    let whole = mentions_as(&store, &ann, false, (NOW, Collapse)).await;
    assert_eq!(whole.len(), 9);
    for limit in [1, 2, 4, 9, 10] {
        let mut seen: Vec<Message> = Vec::new();
        loop {
            let query = MentionQuery {
                user: ann.clone(),
                now: NOW,
                blocked_in_group: Collapse,
                unread: false,
                after: seen.last().map(|last| SearchKey {
                    created_at: last.created_at,
                    id: last.id,
                }),
                limit,
            };
            let page = store.mentions(&query).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, whole, "pages of {limit}");
    }
}

/// Mentions are what a naive reader finds in the rows, over random pasts and under every policy.
pub async fn mentions_equal_a_naive_reading(store: AnyStore) {
    let random = RandomRoom::new(&store, 11, 250).await;
    let messages = random.messages().await;
    for user in &random.users {
        for now in [at(50), NOW] {
            for policy in [Show, Collapse, Hide] {
                let eye = random.eye(user, now, policy).await;
                for unread in [false, true] {
                    let mut expected = eye.mentioning(&messages, unread);
                    expected.sort_by_key(|m| std::cmp::Reverse((m.created_at, m.id)));
                    let found = mentions_as(&store, user, unread, (now, policy)).await;
                    assert_eq!(found, expected, "{user} {now} {policy:?} {unread}");
                }
            }
        }
    }
}

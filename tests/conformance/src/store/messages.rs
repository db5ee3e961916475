//! Cases for [`MessageStore`](chat_core::store::MessageStore): rows, hides, reactions, expiry.

use chat_core::id::{AttachmentId, ClientId, UserId};
use chat_core::model::{
    Content, CustomContent, Forwarded, Kept, Location, Meeting, MeetingStatus, Message, MessageKind, Pin,
    ReplyTarget, TextFormat,
};
use chat_core::store::{ExpiryKey, PersonalFacts, ReactionSummary};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{AnyStore, Room, at, message_id, people, system, text, tombstone, user};

/// Every field of a message comes back as it was written.
pub async fn a_message_comes_back_whole(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let place = Location {
        latitude: -33.856_784,
        longitude: 151.215_297,
        label: Some("Opera ü😀".to_owned()),
        live_until: Some(at(77)),
    };
    let full = Message {
        client_id: Some(ClientId::new("c-1").unwrap()),
        payload_hash: Some("ab".repeat(32)),
        kind: MessageKind::Meeting,
        format: TextFormat::Markdown,
        content: Content {
            attachments: vec![
                AttachmentId::from_uuid(Uuid::now_v7()),
                AttachmentId::from_uuid(Uuid::now_v7()),
            ],
            location: Some(place.clone()),
            meeting: Some(Meeting {
                place: Some("here".to_owned()),
                location: Some(place),
                scheduled_at: at(88),
                note: None,
                status: MeetingStatus::Rescheduled,
                proposed_by: bob.clone(),
                version: 3,
            }),
            custom: Some(CustomContent {
                kind: "order".to_owned(),
                data: json!({"a": [null, true, 1.5, "\u{1}"]}),
            }),
            system: None,
            forwarded: Some(Forwarded {
                sender_id: Some(user("nobody")),
            }),
        },
        reply_to: Some(ReplyTarget {
            message_id: message_id(),
            seq: 7,
        }),
        mentions: vec![bob.clone(), user("nobody")],
        mentions_all: true,
        silent: true,
        countable: false,
        client_time: Some(at(3)),
        created_at: at(66),
        edited_at: Some(at(67)),
        version: 4,
        expires_at: Some(at(99_999)),
        kept: Some(Kept {
            at: at(68),
            by: bob.clone(),
            expires_at: at(99_998),
        }),
        pinned: Some(Pin {
            at: at(70),
            by: ann.clone(),
        }),
        ..text(&ann, "**all**")
    };
    for message in [text(&ann, "plain"), system(&ann, "renamed"), full.clone()] {
        let stored = room.send(message.clone()).await;
        let expected = Message {
            conversation_id: room.id,
            seq: stored.seq,
            rev: stored.seq + 1,
            created_at: stored.created_at,
            ..message
        };
        assert_eq!(stored, expected);
    }
    let stored = room.message(full.id).await;
    assert_eq!(stored.created_at, at(66));
    room.delete(&stored).await;
    let deleted = room.message(full.id).await;
    assert_eq!(
        deleted,
        Message {
            rev: 5,
            ..tombstone(&stored)
        }
    );
}

/// Every kind of message is kept as that kind.
pub async fn every_kind_comes_back(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    for kind in MessageKind::ALL {
        let message = Message {
            kind,
            ..text(&ann, "x")
        };
        assert_eq!(room.send(message).await.kind, kind);
    }
}

/// Every text comes back exactly, up to the longest one and the largest payload.
pub async fn texts_come_back_as_they_went_in(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let longest = "a".repeat(16_384);
    let wide = "😀".repeat(4_096);
    for words in [
        "e\u{301} é ﬁ Å Å",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 ❤\u{fe0f} 🏴\u{e0067}\u{e0062}\u{e007f}",
        "\u{202e}txet desrever\u{202c} \u{200f}שלום",
        "'; DROP TABLE messages; -- \" \\ %s {} $1 ?1",
        " \t leading and trailing \r\n\n",
        "\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}\u{10ffff}",
        &longest,
        &wide,
    ] {
        assert_eq!(room.say(&ann, words).await.text, words);
    }
    let data = json!("ü".repeat(4_000));
    let custom = Message {
        kind: MessageKind::Custom,
        content: Content {
            custom: Some(CustomContent {
                kind: "k".repeat(64),
                data: data.clone(),
            }),
            ..Content::default()
        },
        ..text(&ann, "")
    };
    let stored = room.send(custom).await;
    assert_eq!(stored.content.custom.unwrap().data, data);
}

/// Messages come back by id, each once; unknown ids are left out.
pub async fn messages_come_back_by_id(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let rooms = [
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    ];
    let here = rooms[0].say(&ann, "here").await;
    let there = rooms[1].say(&ann, "there").await;
    rooms[0].say(&ann, "unasked").await;
    let ids = [there.id, message_id(), here.id, there.id];
    let mut found = store.messages(&ids).await.unwrap();
    found.sort_by_key(|m| m.text.clone());
    assert_eq!(found, [here, there]);
    assert!(store.messages(&[]).await.unwrap().is_empty());
}

/// Hides are told of one user and among the messages asked for.
pub async fn hides_are_told_of_one_user(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&ann, 3).await;
    room.hide(&ann, &messages[0]).await;
    room.hide(&ann, &messages[1]).await;
    room.hide(&ann, &messages[1]).await;
    room.hide(&bob, &messages[2]).await;
    let ids = [messages[1].id, messages[2].id, message_id()];
    assert_eq!(store.hidden_among(&ann, &ids).await.unwrap(), [messages[1].id]);
    assert_eq!(store.hidden_among(&bob, &ids).await.unwrap(), [messages[2].id]);
    assert!(store.hidden_among(&ann, &[]).await.unwrap().is_empty());
}

/// Reactions are summed up by emoji in order of first use, with the first users and whether one's own is there.
pub async fn reactions_are_summed_up(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    let messages = room.chatter(&ann, 2).await;
    let message = &messages[0];
    for (user, emoji, seconds) in [
        (&cid, "👍", 20),
        (&bob, "👍", 10),
        (&bob, "❤", 15),
        (&ann, "👍🏽", 5),
    ] {
        room.react(user, message, emoji, at(seconds)).await;
    }
    let ids = [message.id, messages[1].id, message_id()];
    let summaries = store.reactions(&ids, &cid, &[]).await.unwrap();
    let summary = |emoji: &str, mine, users: &[&UserId]| ReactionSummary {
        emoji: emoji.to_owned(),
        count: u64::try_from(users.len()).unwrap(),
        mine,
        users: users.iter().map(|user| (*user).clone()).collect(),
    };
    let expected = [
        summary("👍🏽", false, &[&ann]),
        summary("👍", true, &[&bob, &cid]),
        summary("❤", false, &[&bob]),
    ];
    assert_eq!(summaries[&message.id], expected);
    assert!(summaries.get(&messages[1].id).is_none_or(Vec::is_empty));
    let without = store
        .reactions(&ids, &ann, std::slice::from_ref(&bob))
        .await
        .unwrap();
    let expected = [summary("👍🏽", true, &[&ann]), summary("👍", false, &[&cid])];
    assert_eq!(without[&message.id], expected);
    let without = store
        .reactions(&ids, &ann, &[ann.clone(), bob, cid])
        .await
        .unwrap();
    assert!(without.get(&message.id).is_none_or(Vec::is_empty));
}

/// A summary counts everybody and names the first few.
pub async fn a_summary_names_the_first_few(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let message = room.say(&ann, "hi").await;
    let users: Vec<UserId> = (0..15).map(|n| user(&format!("u{n:02}"))).collect();
    for (seconds, user) in (1..).zip(users.iter().rev()) {
        room.react(user, &message, "👍", at(seconds)).await;
    }
    let summaries = store.reactions(&[message.id], &users[0], &[]).await.unwrap();
    let summary = &summaries[&message.id][0];
    assert_eq!((summary.count, summary.mine), (15, true));
    let first: Vec<_> = users.into_iter().rev().take(ReactionSummary::USERS).collect();
    assert_eq!(summary.users, first);
}

/// Messages whose time is over are found until their content is gone, as many as asked for.
pub async fn expired_messages_with_content_are_found(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let mut messages = Vec::new();
    for expires in [Some(10), Some(20), Some(30), None, Some(5)] {
        let message = Message {
            expires_at: expires.map(at),
            ..text(&ann, "x")
        };
        messages.push(room.send(message).await);
    }
    room.delete(&messages[4]).await;
    let expired = async |seconds, limit| {
        let found = store.expired_messages(at(seconds), None, limit).await.unwrap();
        let mut seqs: Vec<_> = found.into_iter().map(|m| m.seq).collect();
        seqs.sort_unstable();
        seqs
    };
    assert!(expired(9, 9).await.is_empty());
    assert_eq!(expired(10, 9).await, [1]);
    assert_eq!(expired(1_000, 9).await, [1, 2, 3]);
    assert_eq!(expired(1_000, 2).await.len(), 2);
    room.edit(&messages[0], |message| *message = tombstone(message))
        .await;
    room.edit(&messages[1], |message| message.text.clear()).await;
    assert_eq!(expired(1_000, 9).await, [3]);
    let picture = Message {
        kind: MessageKind::Image,
        content: Content {
            attachments: vec![AttachmentId::from_uuid(Uuid::now_v7())],
            ..Content::default()
        },
        expires_at: Some(at(40)),
        ..text(&ann, "")
    };
    room.send(picture).await;
    assert_eq!(expired(1_000, 9).await, [3, 6]);
}

/// Expired messages come by the time they expired at, then by id, and go on after the place given.
pub async fn expired_messages_come_in_order(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let rooms = [
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    ];
    let mut keys = Vec::new();
    for (n, expires) in [30, 10, 20, 10, 10, 50].into_iter().enumerate() {
        let message = Message {
            expires_at: Some(at(expires)),
            ..text(&ann, "x")
        };
        let message = rooms[n % 2].send(message).await;
        if expires <= 40 {
            keys.push(ExpiryKey {
                expires_at: at(expires),
                id: message.id,
            });
        }
    }
    keys.sort_unstable();
    let (mut after, mut found) = (None, Vec::new());
    for _ in 0..4 {
        for message in store.expired_messages(at(40), after, 2).await.unwrap() {
            let (expires_at, id) = (message.expires_at.unwrap(), message.id);
            after = Some(ExpiryKey { expires_at, id });
            found.extend(after);
        }
    }
    assert_eq!(found, keys);
}

/// Who hid a message and who reacted with what comes back in one answer, reactions in order of their time.
pub async fn personal_facts_name_hiders_and_reactors(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.say(&ann, "hi").await;
    let other = room.say(&ann, "ho").await;
    assert_eq!(
        store.personal_facts(message.id).await.unwrap(),
        PersonalFacts::default()
    );
    room.hide(&bob, &message).await;
    room.react(&bob, &message, "\u{1f680}", at(1)).await;
    room.react(&ann, &message, "\u{1f44d}", at(2)).await;
    room.react(&bob, &message, "\u{1f44d}", at(2)).await;
    room.react(&ann, &other, "\u{1f680}", at(1)).await;
    let facts = store.personal_facts(message.id).await.unwrap();
    assert_eq!(facts.hidden_by, std::slice::from_ref(&bob));
    assert_eq!(
        facts.reactions,
        [
            (bob.clone(), "\u{1f680}".to_owned()),
            (ann.clone(), "\u{1f44d}".to_owned()),
            (bob, "\u{1f44d}".to_owned()),
        ]
    );
    assert_eq!(facts.reactions_of(&ann).len(), 1);
}

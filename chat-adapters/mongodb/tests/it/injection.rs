//! What users write is data: never an operator, a field, a path or a pattern.

use chat_conformance::fixtures::{NOW, Room, at, people, text};
use chat_core::config::BlockedInGroup;
use chat_core::id::ClientId;
use chat_core::model::{CustomContent, Message, MessageKind};
use chat_core::store::{Anchor, InboxList, InboxQuery, SearchQuery, UserSearch};
use serde_json::json;

use crate::changes::any;
use crate::space::open;
use crate::there_or_return;

const NASTY: [&str; 7] = [
    "$where",
    "$$ROOT",
    "$mentions",
    "{\"$gt\":\"\"}",
    "a.b.$",
    ".*",
    "[$regex]",
];

#[tokio::test]
async fn names_that_look_like_operators_are_names() {
    let (_space, store) = there_or_return!(open().await, "names");
    let store = any(&store);
    let users = people(&store, NASTY).await;
    let room = Room::group(&store, &users.iter().collect::<Vec<_>>()).await;
    for (index, sender) in users.iter().enumerate() {
        let mentioned = &users[(index + 1) % users.len()];
        let message = Message {
            client_id: Some(ClientId::new(NASTY[index]).unwrap()),
            mentions: vec![mentioned.clone()],
            kind: MessageKind::Custom,
            content: chat_core::model::Content {
                custom: Some(CustomContent {
                    kind: "$set".to_owned(),
                    data: json!({ "$set": { "a.b": 1 }, "": null, "$$NOW": ["$unset"] }),
                }),
                ..Default::default()
            },
            ..text(sender, NASTY[index])
        };
        let sent = room.send(message).await;
        assert_eq!(room.message(sent.id).await, sent);
        room.react(sender, &sent, "$inc.x", at(1)).await;
    }
    for user in &users {
        let query = InboxQuery {
            user: user.clone(),
            now: NOW,
            blocked_in_group: BlockedInGroup::default(),
            list: Some(InboxList {
                limit: 9,
                ..InboxList::default()
            }),
            ids: Vec::new(),
        };
        let entry = store.inbox(&query).await.unwrap().remove(0);
        assert_eq!((entry.unread_count, entry.mention_count), (6, 1), "{user}");
    }
    let page = room.history(&users[0], Anchor::Newest, 9).await.messages;
    assert_eq!(page.len(), NASTY.len());
}

#[tokio::test]
async fn searches_are_literal() {
    let (_space, store) = there_or_return!(open().await, "searches");
    let store = any(&store);
    let users = people(&store, NASTY).await;
    let room = Room::group(&store, &[&users[0]]).await;
    let texts = [
        "100% sure_thing",
        "a\\b.*c",
        "(x|y)^z$ [q] {2} +?",
        "今天天气 👍🏽",
        "#hash /slash/ ~`'\"",
        "$where $gt",
    ];
    for words in texts {
        room.say(&users[0], words).await;
    }
    let search = async |words: &str| {
        let query = SearchQuery {
            user: users[0].clone(),
            now: NOW,
            blocked_in_group: BlockedInGroup::default(),
            text: words.to_owned(),
            conversation: None,
            sender: None,
            kind: None,
            from: None,
            to: None,
            after: None,
            limit: 9,
        };
        let found = store.search(&query).await.unwrap();
        found.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    for words in texts {
        assert_eq!(search(words).await, [words]);
        let part: String = words.chars().skip(1).take(3).collect();
        assert!(search(&part).await.contains(&words.to_owned()), "{part}");
    }
    for nothing in [".*c.*", "^", "a.b", "[a-z]", "\\w", "s.re"] {
        let found = search(nothing).await;
        assert!(
            found.iter().all(|text| text.contains(nothing)),
            "{nothing}: {found:?}"
        );
    }
    for name in NASTY {
        let search = UserSearch {
            query: name.to_lowercase(),
            exact: name.to_owned(),
            after: None,
            limit: 9,
        };
        let found = store.search_users(&search).await.unwrap();
        let names: Vec<_> = found.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, [name]);
    }
}

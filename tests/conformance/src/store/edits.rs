//! Cases for [`EditStore`](chat_core::store::EditStore).

use chat_core::model::{FormerText, Message};
use chat_core::store::{Purge, Writes};

use crate::fixtures::{AnyStore, Room, at, people};

/// Writes what a message said in a version.
async fn keep(room: &Room, message: &Message, version: u32, text: &str) -> FormerText {
    let former = FormerText {
        conversation_id: room.id,
        message_id: message.id,
        version,
        text: text.to_owned(),
        edited_at: at(u64::from(version)),
    };
    room.write(Writes {
        former_texts: vec![former.clone()],
        ..Writes::none()
    })
    .await;
    former
}

/// Former texts come back whole, the newest version first, a page at a time, each message's for itself.
pub async fn former_texts_come_newest_version_first(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let (message, other) = (room.say(&ann, "x").await, room.say(&ann, "y").await);
    let mut all = Vec::new();
    for (version, text) in [(1, "früh 👩\u{200d}👧"), (2, ""), (3, "third"), (10, "tenth")] {
        all.push(keep(&room, &message, version, text).await);
    }
    keep(&room, &other, 1, "other").await;
    all.reverse();
    assert_eq!(store.former_texts(message.id, None, 9).await.unwrap(), all);
    assert_eq!(store.former_texts(message.id, None, 2).await.unwrap(), all[..2]);
    assert_eq!(
        store.former_texts(message.id, Some(3), 9).await.unwrap(),
        all[2..]
    );
    assert!(
        store
            .former_texts(message.id, Some(1), 9)
            .await
            .unwrap()
            .is_empty()
    );
    all[0] = keep(&room, &message, 10, "replaced").await;
    assert_eq!(store.former_texts(message.id, None, 1).await.unwrap(), all[..1]);
}

/// Former texts go when they are cleared, and with a purge; those of other messages stay.
pub async fn former_texts_go_with_their_message(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let m = room.chatter(&ann, 3).await;
    for message in &m {
        keep(&room, message, 1, "old").await;
    }
    room.write(Writes {
        former_texts_cleared: vec![m[1].id],
        ..Writes::none()
    })
    .await;
    let left = async |message: &Message| store.former_texts(message.id, None, 9).await.unwrap().len();
    assert_eq!(
        [left(&m[0]).await, left(&m[1]).await, left(&m[2]).await],
        [1, 0, 1]
    );
    let id = room.id;
    room.decide(room.needs(), move |facts| Writes {
        conversation: facts.conversation.clone(),
        purge: Some(Purge {
            conversation_id: id,
            below: 3,
        }),
        ..Writes::none()
    })
    .await;
    assert_eq!([left(&m[0]).await, left(&m[2]).await], [0, 1]);
}

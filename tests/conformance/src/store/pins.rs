//! Cases for pinned messages: [`pinned`](chat_core::store::MessageStore::pinned), and how many a decision sees.

use chat_core::config::BlockedInGroup::{Collapse, Hide};
use chat_core::id::{MessageId, UserId};
use chat_core::model::{Message, Pin};
use chat_core::store::{PinKey, PinsQuery, Viewer};

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, at, people, see, text};

async fn pin(room: &Room, message: &Message, by: &UserId, seconds: u64) {
    let by = by.clone();
    room.edit(message, move |message| {
        message.pinned = Some(Pin {
            at: at(seconds),
            by: by.clone(),
        });
    })
    .await;
}

async fn page(room: &Room, viewer: &Viewer, after: Option<PinKey>, limit: usize) -> Vec<MessageId> {
    let query = PinsQuery {
        viewer: viewer.clone(),
        after,
        limit,
    };
    let pinned = room.store.pinned(&query).await.unwrap();
    pinned.into_iter().map(|message| message.id).collect()
}

/// The newest pin comes first, of equal ones the higher seq; a pin taken off is off; others' and tombstones are not
/// among them.
pub async fn pins_come_newest_first_in_pages(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let other = Room::group(&store, &[&ann]).await;
    let m = room.chatter(&ann, 6).await;
    let elsewhere = other.say(&ann, "x").await;
    pin(&other, &elsewhere, &ann, 9).await;
    for (message, seconds) in [(&m[0], 30), (&m[1], 10), (&m[2], 20), (&m[3], 20), (&m[4], 40)] {
        pin(&room, message, &bob, seconds).await;
    }
    let ann = room.viewer(&ann).await;
    let all = [m[4].id, m[0].id, m[3].id, m[2].id, m[1].id];
    assert_eq!(page(&room, &ann, None, 9).await, all);
    assert_eq!(page(&room, &ann, None, 3).await, all[..3]);
    let after = |message: &Message, seconds| {
        Some(PinKey {
            at: at(seconds),
            seq: message.seq,
        })
    };
    assert_eq!(page(&room, &ann, after(&m[3], 20), 9).await, all[3..]);
    assert_eq!(page(&room, &ann, after(&m[1], 10), 9).await, []);
    let whole = room.message(m[0].id).await;
    assert_eq!(whole.pinned, Some(Pin { at: at(30), by: bob }));
    room.edit(&m[0], |message| message.pinned = None).await;
    room.delete(&m[3]).await;
    assert_eq!(page(&room, &ann, None, 9).await, [m[4].id, m[2].id, m[1].id]);
}

/// A decision that asks sees how many messages of its conversation are pinned; deleted and expired ones do not count.
pub async fn pins_are_seen_by_their_number(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let other = Room::group(&store, &[&ann]).await;
    let elsewhere = other.say(&ann, "x").await;
    pin(&other, &elsewhere, &ann, 9).await;
    let m = room.chatter(&ann, 4).await;
    let gone = Message {
        expires_at: Some(at(1)),
        ..text(&ann, "gone by now")
    };
    let gone = room.send(gone).await;
    for message in m.iter().take(3).chain([&gone]) {
        pin(&room, message, &ann, 5).await;
    }
    room.delete(&m[0]).await;
    let mut needs = room.needs();
    assert_eq!(see(&store, needs.clone()).await.pins, 0, "not asked for");
    needs.pins = true;
    assert_eq!(see(&store, needs.clone()).await.pins, 2);
    room.edit(&m[1], |message| message.pinned = None).await;
    assert_eq!(see(&store, needs).await.pins, 1);
}

/// The pins a member sees are those a naive reader takes from the rows, over random pasts and policies.
pub async fn pins_equal_a_naive_reading(store: AnyStore) {
    let random = RandomRoom::new(&store, 7, 300).await;
    let messages = random.messages().await;
    let mut seen = 0;
    for user in &random.users {
        for (now, policy) in [(at(60), Collapse), (NOW, Hide)] {
            let eye = random.eye(user, now, policy).await;
            let query = PinsQuery {
                viewer: Viewer {
                    member: eye.member.clone(),
                    now,
                    blocked_in_group: policy,
                    group: true,
                },
                after: None,
                limit: 500,
            };
            let pinned = store.pinned(&query).await.unwrap();
            seen += pinned.len();
            assert_eq!(pinned, eye.pinned(&messages), "{user}");
        }
    }
    assert!(seen > 0, "the past has pins");
}

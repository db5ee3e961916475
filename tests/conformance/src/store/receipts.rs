//! Cases for [`ReceiptStore`](chat_core::store::ReceiptStore).

use chat_core::id::UserId;
use chat_core::model::ReadAudience::{Contacts, Everyone, Nobody};
use chat_core::model::{ReadAudience, Seq};
use chat_core::store::{MarkTimes, MarksThen};
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, Room, at, people, user};

async fn times(room: &Room, seq: Seq, user: &UserId, audience: ReadAudience) -> MarkTimes {
    let asked = [user.clone()];
    let answer = room.store.mark_times(room.id, seq, &asked, audience).await;
    answer.unwrap().get(user).copied().unwrap_or_default()
}

async fn read_at(room: &Room, seq: Seq, user: &UserId, audience: ReadAudience) -> Option<Timestamp> {
    times(room, seq, user, audience).await.read_at
}

/// A mark crossed a message with the first step that reached it.
pub async fn the_first_step_over_a_message_counts(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    for read in [None, Some(Everyone)] {
        room.step(&bob, read, (0, 3), at(10)).await;
        room.step(&bob, read, (3, 7), at(20)).await;
    }
    for (seq, expected) in [
        (1, Some(at(10))),
        (3, Some(at(10))),
        (4, Some(at(20))),
        (7, Some(at(20))),
        (8, None),
    ] {
        let times = times(&room, seq, &bob, Everyone).await;
        assert_eq!((times.delivered_at, times.read_at), (expected, expected), "{seq}");
    }
}

/// Being delivered and being read are two things.
pub async fn delivered_and_read_are_told_apart(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.step(&bob, None, (0, 5), at(10)).await;
    room.step(&bob, Some(Everyone), (0, 2), at(20)).await;
    let early = times(&room, 2, &bob, Everyone).await;
    assert_eq!((early.delivered_at, early.read_at), (Some(at(10)), Some(at(20))));
    let late = times(&room, 5, &bob, Everyone).await;
    assert_eq!((late.delivered_at, late.read_at), (Some(at(10)), None));
}

/// A step of the read mark is told only to those it was meant for; a later public step over it is told instead.
pub async fn reading_is_told_only_to_its_audience(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.step(&bob, Some(Nobody), (0, 2), at(10)).await;
    room.step(&bob, Some(Contacts), (2, 4), at(20)).await;
    room.step(&bob, Some(Everyone), (4, 6), at(30)).await;
    room.step(&bob, Some(Nobody), (6, 8), at(40)).await;
    for (seq, nobody, contacts, everyone) in [
        (1, Some(10), Some(20), Some(30)),
        (3, Some(20), Some(20), Some(30)),
        (5, Some(30), Some(30), Some(30)),
        (7, Some(40), None, None),
    ] {
        for (audience, seconds) in [(Nobody, nobody), (Contacts, contacts), (Everyone, everyone)] {
            let expected = seconds.map(at);
            assert_eq!(
                read_at(&room, seq, &bob, audience).await,
                expected,
                "{seq} {audience:?}"
            );
        }
    }
}

/// Delivery is told whatever the audience.
pub async fn delivery_has_no_audience(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.step(&bob, None, (0, 4), at(10)).await;
    for audience in [Nobody, Contacts, Everyone] {
        let times = times(&room, 4, &bob, audience).await;
        assert_eq!(times.delivered_at, Some(at(10)));
        assert_eq!(times.read_at, None);
    }
}

/// Only the users asked for are told of, and only their steps in this conversation.
pub async fn steps_of_others_and_elsewhere_do_not_count(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    let other = Room::group(&store, &[&ann, &bob, &cid]).await;
    room.step(&bob, Some(Everyone), (0, 4), at(10)).await;
    room.step(&cid, Some(Everyone), (0, 4), at(20)).await;
    other.step(&ann, Some(Everyone), (0, 4), at(30)).await;
    let asked = [ann.clone(), cid.clone(), user("nobody")];
    let answer = store.mark_times(room.id, 1, &asked, Everyone).await.unwrap();
    assert!(!answer.contains_key(&bob));
    assert_eq!(answer[&cid].read_at, Some(at(20)));
    for silent in [&ann, &user("nobody")] {
        assert_eq!(
            answer.get(silent).copied().unwrap_or_default(),
            MarkTimes::default()
        );
    }
    let nobody = store.mark_times(room.id, 1, &[], Everyone).await.unwrap();
    assert!(nobody.is_empty());
}

/// Who is blocked, either way, is told with his marks as they were when the earlier block began.
pub async fn marks_from_before_a_block_are_told(store: AnyStore) {
    let [ann, bob, cid, dan] = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid, &dan]).await;
    let other = Room::group(&store, &[&ann, &bob]).await;
    for user in [&bob, &cid, &dan] {
        for (read, to) in [
            (None, 5),
            (Some(Nobody), 4),
            (Some(Contacts), 3),
            (Some(Everyone), 2),
        ] {
            room.step(user, read, (0, to), at(10)).await;
        }
    }
    for (read, to) in [(None, 9), (Some(Contacts), 9), (Some(Everyone), 8)] {
        room.step(&bob, read, (5, to), at(30)).await;
        room.step(&cid, read, (5, to), at(20)).await;
    }
    other.step(&bob, Some(Everyone), (0, 7), at(30)).await;
    store.set_block(&ann, &bob, true, at(20)).await.unwrap();
    store.set_block(&bob, &ann, true, at(40)).await.unwrap();
    store.set_block(&cid, &ann, true, at(20)).await.unwrap();
    store.set_block(&ann, &dan, true, at(20)).await.unwrap();
    store.set_block(&ann, &dan, false, at(21)).await.unwrap();

    let (all, rooms) = ([bob.clone(), cid.clone(), dan.clone()], [room.id, other.id]);
    let marks = store.marks_before_blocks(&ann, &all, &rooms).await.unwrap();
    let then = |delivered_seq, contacts_read_seq, public_read_seq| MarksThen {
        delivered_seq,
        contacts_read_seq,
        public_read_seq,
    };
    let expected = [
        ((room.id, bob.clone()), then(5, 3, 2)),
        ((room.id, cid.clone()), then(9, 9, 8)),
    ];
    assert_eq!(marks, expected.into());
    // Only those asked for, and only between these two.
    let one = store.marks_before_blocks(&ann, &all[1..2], &rooms).await.unwrap();
    assert_eq!(one.into_keys().collect::<Vec<_>>(), [(room.id, cid.clone())]);
    let back = store.marks_before_blocks(&dan, &all, &rooms).await.unwrap();
    assert!(back.is_empty());
}

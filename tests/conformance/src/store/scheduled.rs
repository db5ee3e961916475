//! Cases for [`ScheduledStore`](chat_core::store::ScheduledStore).

use std::time::Duration;

use chat_core::command::{MeetingDraft, SendMessage};
use chat_core::id::{AttachmentId, ClientId, ConversationId, ScheduledId, UserId};
use chat_core::model::{
    AttachmentState, CustomContent, Location, MessageKind, Scheduled, ScheduledState, TextFormat,
};
use chat_core::store::{AddedScheduled, ScheduledKey, ScheduledQuery};
use chat_core::time::{Clock, SystemClock, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{AnyStore, NOW, at, attachment, message_id, people};

const LONG: Duration = Duration::from_secs(3_600);

/// A text that waits.
#[must_use]
pub fn new(owner: &UserId, send_at: Timestamp) -> Scheduled {
    Scheduled {
        id: ScheduledId::from_uuid(Uuid::now_v7()),
        user_id: owner.clone(),
        client_id: None,
        payload_hash: None,
        conversation_id: Some(ConversationId::from_uuid(Uuid::now_v7())),
        recipient_id: None,
        message: SendMessage {
            text: Some("later".to_owned()),
            ..SendMessage::default()
        },
        send_at,
        state: ScheduledState::Pending,
        message_id: None,
        error_code: None,
        version: 1,
        user_rev: 0,
        claims: 0,
        claimed_until: None,
        created_at: at(1),
        changed_at: at(1),
    }
}

async fn add(store: &AnyStore, row: Scheduled) -> Scheduled {
    match store.add_scheduled(row, 100).await.unwrap() {
        AddedScheduled::Added(added) => *added,
        other => panic!("{other:?}"),
    }
}

async fn user_rev(store: &AnyStore, user: &UserId) -> u64 {
    store.users(std::slice::from_ref(user)).await.unwrap()[0].user_rev
}

async fn file_state(store: &AnyStore, id: AttachmentId) -> AttachmentState {
    store.attachments(&[id]).await.unwrap()[0].state
}

fn ids(rows: &[Scheduled]) -> Vec<ScheduledId> {
    rows.iter().map(|row| row.id).collect()
}

/// Every field of a scheduled message comes back as it was written, but for the `user_rev`, which the store gives.
pub async fn a_scheduled_message_comes_back_whole(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let before = user_rev(&store, &ann).await;
    let place = Location {
        latitude: -33.856_784,
        longitude: 151.215_297,
        label: Some("Opera ü😀".to_owned()),
        live_until: Some(at(77)),
    };
    let full = Scheduled {
        client_id: Some(ClientId::new("c-1").unwrap()),
        payload_hash: Some("ab".repeat(32)),
        conversation_id: None,
        recipient_id: Some(bob.clone()),
        message: SendMessage {
            kind: MessageKind::Meeting,
            text: Some("x".repeat(16_384)),
            format: TextFormat::Markdown,
            location: Some(place.clone()),
            meeting: Some(MeetingDraft {
                place: Some("here".to_owned()),
                location: Some(place),
                scheduled_at: at(88),
                note: None,
            }),
            custom: Some(CustomContent {
                kind: "order".to_owned(),
                data: json!({"a": [null, true, 1.5, "\u{1}"]}),
            }),
            reply_to: Some(message_id()),
            mentions: vec![bob],
            silent: true,
            client_time: Some(at(3)),
            ..SendMessage::default()
        },
        send_at: NOW,
        ..new(&ann, NOW)
    };
    for (row, rev) in [(full, before + 1), (new(&ann, at(5)), before + 2)] {
        let added = add(&store, row.clone()).await;
        assert_eq!(added, Scheduled { user_rev: rev, ..row });
        assert_eq!(store.scheduled(added.id).await.unwrap(), Some(added));
        assert_eq!(user_rev(&store, &ann).await, rev);
    }
    let nothing = ScheduledId::from_uuid(Uuid::now_v7());
    assert_eq!(store.scheduled(nothing).await.unwrap(), None);
}

/// The same id is the same row, whatever else has changed; concurrent calls add it once.
pub async fn a_scheduled_message_is_added_once(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let row = new(&ann, NOW);
    let calls = (0..8).map(|_| {
        let (store, row) = (store.clone(), row.clone());
        tokio::spawn(async move { store.add_scheduled(row, 1).await.unwrap() })
    });
    let mut added = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            AddedScheduled::Added(_) => added += 1,
            AddedScheduled::Known(known) => assert_eq!(known.id, row.id),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((added, user_rev(&store, &ann).await), (1, 1));
}

/// Only pending ones of the same owner count.
pub async fn pending_scheduled_messages_are_capped(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    add(&store, new(&bob, NOW)).await;
    let first = add(&store, new(&ann, NOW)).await;
    add(&store, new(&ann, NOW)).await;
    let refused = store.add_scheduled(new(&ann, NOW), 2).await.unwrap();
    assert_eq!(refused, AddedScheduled::TooMany);
    let over = Scheduled {
        state: ScheduledState::Failed,
        ..first.clone()
    };
    store.put_scheduled(over, first.stamp()).await.unwrap().unwrap();
    let taken = store.add_scheduled(new(&ann, NOW), 2).await.unwrap();
    assert!(matches!(taken, AddedScheduled::Added(_)));
}

/// Files are reserved together with the row, all or none, and are free again when it fails or is cancelled.
pub async fn files_wait_with_a_scheduled_message(store: AnyStore) {
    use AttachmentState::{Attached, Pending, Reserved};
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut files = Vec::new();
    for owner in [&ann, &ann, &bob] {
        let file = attachment(owner);
        store.add_attachment(file.clone()).await.unwrap();
        files.push(file.id);
    }
    let with = |ids: &[AttachmentId]| {
        let mut row = new(&ann, NOW);
        row.message.attachment_ids = ids.to_vec();
        row
    };
    let nowhere = AttachmentId::from_uuid(Uuid::now_v7());
    for refused in [[files[0], files[2]], [files[0], nowhere]] {
        let answer = store.add_scheduled(with(&refused), 9).await.unwrap();
        assert_eq!(answer, AddedScheduled::FileTaken);
        assert_eq!(file_state(&store, files[0]).await, Pending);
    }
    assert_eq!(user_rev(&store, &ann).await, 0);
    let row = add(&store, with(&files[..2])).await;
    for file in &files[..2] {
        assert_eq!(file_state(&store, *file).await, Reserved);
    }
    let again = store.add_scheduled(with(&files[1..2]), 9).await.unwrap();
    assert_eq!(again, AddedScheduled::FileTaken);
    let stale = store.stale_attachments(NOW, None, 9).await.unwrap();
    assert_eq!(stale.iter().map(|file| file.id).collect::<Vec<_>>(), [files[2]]);
    // One of them was sent meanwhile; only what still waits is given back.
    let sent = store.move_attachment(files[0], Reserved, Attached);
    assert!(sent.await.unwrap());
    let edited = Scheduled {
        version: 2,
        ..row.clone()
    };
    let row = store.put_scheduled(edited, row.stamp()).await.unwrap().unwrap();
    assert_eq!(file_state(&store, files[1]).await, Reserved);
    let cancelled = Scheduled {
        state: ScheduledState::Cancelled,
        message: SendMessage::default(),
        version: 3,
        ..row.clone()
    };
    store
        .put_scheduled(cancelled, row.stamp())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(file_state(&store, files[0]).await, Attached);
    assert_eq!(file_state(&store, files[1]).await, Pending);
}

/// A row is replaced only as it was seen; every replacement moves the owner's `user_rev`.
pub async fn a_scheduled_message_is_replaced_as_it_was_seen(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let row = add(&store, new(&ann, at(5))).await;
    let edited = |n: u32| Scheduled {
        version: n,
        send_at: at(u64::from(n)),
        conversation_id: None,
        recipient_id: Some(ann.clone()),
        state: ScheduledState::Failed,
        error_code: Some("conversation_not_found".to_owned()),
        message_id: Some(message_id()),
        changed_at: at(9),
        ..row.clone()
    };
    let second = edited(2);
    let kept = store.put_scheduled(second.clone(), row.stamp()).await.unwrap();
    let expected = Scheduled {
        user_rev: 2,
        ..second
    };
    assert_eq!(kept, Some(expected.clone()));
    assert_eq!(store.put_scheduled(edited(3), row.stamp()).await.unwrap(), None);
    assert_eq!(store.scheduled(row.id).await.unwrap(), Some(expected));
    assert_eq!(user_rev(&store, &ann).await, 2);
    let strange = new(&ann, NOW);
    let stamp = strange.stamp();
    assert_eq!(store.put_scheduled(strange, stamp).await.unwrap(), None);
}

/// What is due is claimed for a while by the store's clock, those due longest first, and by one only.
pub async fn due_messages_are_claimed_by_one(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let now = SystemClock.now();
    let mut rows = Vec::new();
    for (owner, send_at) in [
        (&ann, at(30)),
        (&bob, at(10)),
        (&ann, at(20)),
        (&ann, now.after(LONG)),
    ] {
        rows.push(add(&store, new(owner, send_at)).await);
    }
    let over = Scheduled {
        state: ScheduledState::Cancelled,
        ..add(&store, new(&ann, at(5))).await
    };
    let stamp = over.stamp();
    store.put_scheduled(over, stamp).await.unwrap().unwrap();
    let rev = user_rev(&store, &ann).await;

    let first = store.claim_scheduled(LONG, 2).await.unwrap();
    assert_eq!(ids(&first), [rows[1].id, rows[2].id]);
    for row in &first {
        assert_eq!(row.claims, 1);
        let until = row.claimed_until.unwrap();
        assert!(until >= now.after(LONG) && until <= SystemClock.now().after(LONG));
        assert_eq!(store.scheduled(row.id).await.unwrap().as_ref(), Some(row));
    }
    assert_eq!(user_rev(&store, &ann).await, rev, "nobody sees a claim");
    let calls = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.claim_scheduled(LONG, 9).await.unwrap() })
    });
    let mut claimed = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        claimed.extend(call.await.unwrap());
    }
    assert_eq!(ids(&claimed), [rows[0].id]);
    assert!(store.claim_scheduled(LONG, 9).await.unwrap().is_empty());
}

/// A claim that is over, or given back, is free; the row knows how often it was claimed, and a former holder changes
/// nothing.
pub async fn a_lapsed_claim_is_taken_over(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    add(&store, new(&ann, at(5))).await;
    let first = store.claim_scheduled(Duration::ZERO, 9).await.unwrap().remove(0);
    let second = store.claim_scheduled(LONG, 9).await.unwrap().remove(0);
    assert_eq!((first.id, first.claims, second.claims), (second.id, 1, 2));
    let sent = |row: &Scheduled| Scheduled {
        state: ScheduledState::Sent,
        version: 2,
        claimed_until: None,
        ..row.clone()
    };
    assert_eq!(
        store.put_scheduled(sent(&first), first.stamp()).await.unwrap(),
        None
    );
    assert!(!store.release_scheduled(first.id, first.stamp()).await.unwrap());
    assert!(store.release_scheduled(second.id, second.stamp()).await.unwrap());
    assert!(!store.release_scheduled(second.id, second.stamp()).await.unwrap());
    let third = store.claim_scheduled(LONG, 9).await.unwrap().remove(0);
    assert_eq!(third.claims, 3);
    let marked = store.put_scheduled(sent(&third), third.stamp()).await.unwrap();
    assert_eq!(marked.map(|row| row.state), Some(ScheduledState::Sent));
    assert!(store.claim_scheduled(LONG, 9).await.unwrap().is_empty());
}

/// The list has what is pending or failed, by time, then id, in pages, all or of one conversation.
pub async fn scheduled_messages_are_listed_by_time(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = ConversationId::from_uuid(Uuid::now_v7());
    let mut rows = Vec::new();
    for (seconds, to, state) in [
        (30, Some(room), ScheduledState::Pending),
        (10, None, ScheduledState::Failed),
        (20, Some(room), ScheduledState::Pending),
        (20, None, ScheduledState::Pending),
        (5, Some(room), ScheduledState::Sent),
        (6, Some(room), ScheduledState::Cancelled),
    ] {
        let row = Scheduled {
            conversation_id: to,
            recipient_id: Some(bob.clone()),
            state,
            ..new(&ann, at(seconds))
        };
        rows.push(add(&store, row).await);
    }
    add(&store, new(&bob, at(1))).await;
    rows.truncate(4);
    rows.sort_by_key(|row| (row.send_at, row.id));
    let list = async |to: Option<(ConversationId, Option<UserId>)>, limit: usize| {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..4 {
            let query = ScheduledQuery {
                user: ann.clone(),
                to: to.clone(),
                after,
                limit,
            };
            let page = store.scheduled_of(&query).await.unwrap();
            assert!(page.len() <= limit);
            after = page
                .last()
                .map(|row| ScheduledKey {
                    send_at: row.send_at,
                    id: row.id,
                })
                .or(after);
            found.extend(page);
        }
        ids(&found)
    };
    assert_eq!(list(None, 1).await, ids(&rows));
    assert_eq!(list(None, 3).await, ids(&rows));
    let in_room: Vec<ScheduledId> = rows
        .iter()
        .filter(|row| row.conversation_id == Some(room))
        .map(|row| row.id)
        .collect();
    assert_eq!(list(Some((room, None)), 9).await, in_room);
    assert_eq!(list(Some((room, Some(bob))), 9).await, ids(&rows));
    assert_eq!(list(Some((room, Some(cid))), 9).await, in_room);
}

/// Changes come by `user_rev` for sync, all or only those that are open.
pub async fn changed_scheduled_messages_come_by_user_rev(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let first = add(&store, new(&ann, at(9))).await;
    let second = add(&store, new(&ann, at(5))).await;
    add(&store, new(&bob, at(5))).await;
    let over = Scheduled {
        state: ScheduledState::Sent,
        ..first.clone()
    };
    let over = store.put_scheduled(over, first.stamp()).await.unwrap().unwrap();
    let changed = async |since, open, limit| {
        let rows = store.changed_scheduled(&ann, since, open, limit).await;
        ids(&rows.unwrap())
    };
    assert_eq!(changed(0, false, 9).await, [second.id, first.id]);
    assert_eq!(changed(0, false, 1).await, [second.id]);
    assert_eq!(changed(0, true, 9).await, [second.id]);
    assert_eq!(changed(second.user_rev, false, 9).await, [first.id]);
    assert!(changed(over.user_rev, false, 9).await.is_empty());
}

/// What was settled long ago is forgotten, never what is pending.
pub async fn settled_scheduled_messages_are_forgotten(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let mut rows = Vec::new();
    for (state, changed) in [
        (ScheduledState::Pending, 1),
        (ScheduledState::Sent, 10),
        (ScheduledState::Failed, 19),
        (ScheduledState::Cancelled, 20),
    ] {
        let row = Scheduled {
            state,
            changed_at: at(changed),
            ..new(&ann, NOW)
        };
        rows.push(add(&store, row).await);
    }
    assert_eq!(store.forget_scheduled(at(20), 1).await.unwrap(), 1);
    assert_eq!(store.forget_scheduled(at(20), 9).await.unwrap(), 1);
    assert_eq!(store.forget_scheduled(at(20), 9).await.unwrap(), 0);
    for (row, kept) in rows.iter().zip([true, false, false, true]) {
        assert_eq!(store.scheduled(row.id).await.unwrap().is_some(), kept);
    }
}

//! Cases for [`OutboxStore`](chat_core::store::OutboxStore): at least once, in order per key, one worker at a time.

use std::collections::HashSet;
use std::time::Duration;

use chat_core::error::ErrorCode;
use chat_core::store::{Change, ClaimedEntry, Needs, OutboxBacklog, OutboxEntry, Target, Writes};
use chat_core::time::Timestamp;
use uuid::Uuid;

use crate::fixtures::{AnyStore, Room, at, commit_one, is_refused, people};

const HOUR: Duration = Duration::from_secs(3_600);
/// A lease that is over at once.
const NO_TIME: Duration = Duration::ZERO;

fn entry(topic: &str, key: &str, payload: &str) -> OutboxEntry {
    entry_at(topic, key, payload, at(1))
}

fn entry_at(topic: &str, key: &str, payload: &str, created_at: Timestamp) -> OutboxEntry {
    OutboxEntry {
        id: Uuid::new_v4(),
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload: payload.to_owned(),
        created_at,
    }
}

fn adding(room: &Room, entries: &[OutboxEntry]) -> Change {
    let entries = entries.to_vec();
    Change::new(Needs::new(Target::Conversation(room.id)), move |_| {
        Ok(Writes {
            outbox: entries.clone(),
            ..Writes::default()
        })
    })
}

async fn room_with(store: &AnyStore, entries: &[OutboxEntry]) -> Room {
    let [ann] = people(store, ["ann"]).await;
    let room = Room::group(store, &[&ann]).await;
    commit_one(store, adding(&room, entries)).await.unwrap();
    room
}

async fn claim_for(
    store: &AnyStore,
    topic: &str,
    limit: usize,
    lasting: Duration,
) -> (Uuid, Vec<ClaimedEntry>) {
    let lease = Uuid::new_v4();
    let claimed = store.claim_outbox(topic, limit, lease, lasting).await.unwrap();
    (lease, claimed)
}

async fn claim(store: &AnyStore, topic: &str) -> (Uuid, Vec<ClaimedEntry>) {
    claim_for(store, topic, 100, HOUR).await
}

fn payloads(claimed: &[ClaimedEntry]) -> Vec<&str> {
    claimed
        .iter()
        .map(|claimed| claimed.entry.payload.as_str())
        .collect()
}

/// Entries come back as they went in, and only for their topic.
pub async fn entries_come_back_whole(store: AnyStore) {
    let long = format!("{{\"text\":\"ü😀 {}\"}}", "x".repeat(20_000));
    let (one, other) = (entry("one", &"k".repeat(64), &long), entry("other", "k", "{}"));
    room_with(&store, &[one.clone(), other.clone()]).await;
    for (topic, expected) in [("one", one), ("other", other)] {
        let (_, claimed) = claim(&store, topic).await;
        let expected = ClaimedEntry {
            entry: expected,
            attempts: 0,
        };
        assert_eq!(claimed, [expected]);
    }
    assert!(claim(&store, "third").await.1.is_empty());
}

/// An entry is there when its change is, and not otherwise.
pub async fn entries_come_with_their_change(store: AnyStore) {
    let room = room_with(&store, &[entry("t", "k", "kept")]).await;
    let refused = Change::new(Needs::new(Target::Conversation(room.id)), |_| {
        Err(ErrorCode::Forbidden.into())
    });
    let panicking = Change::new(Needs::new(Target::Conversation(room.id)), |_| panic!("a fault"));
    assert!(is_refused(&store, refused).await);
    assert!(is_refused(&store, panicking).await);
    // A row of a conversation that does not exist breaks its change, and with it the entry.
    let [bob] = people(&store, ["bob"]).await;
    let stray = chat_core::model::Member::joined(
        chat_core::id::ConversationId::from_uuid(Uuid::new_v4()),
        bob,
        at(1),
        1,
    );
    let lost = entry("t", "lost", "lost");
    let broken = Change::new(Needs::new(Target::Conversation(room.id)), move |_| {
        Ok(Writes {
            members: vec![stray.clone()],
            outbox: vec![lost.clone()],
            ..Writes::default()
        })
    });
    assert!(is_refused(&store, broken).await);
    assert_eq!(payloads(&claim(&store, "t").await.1), ["kept"]);
}

/// Of one key only the oldest entry is handed out; the next one comes when it is finished.
pub async fn a_key_is_delivered_in_its_order(store: AnyStore) {
    let room = room_with(&store, &[entry("t", "k", "1"), entry("t", "k", "2")]).await;
    commit_one(&store, adding(&room, &[entry("t", "k", "3")]))
        .await
        .unwrap();
    for expected in ["1", "2", "3"] {
        let (lease, claimed) = claim(&store, "t").await;
        assert_eq!(payloads(&claimed), [expected]);
        assert!(claim(&store, "t").await.1.is_empty(), "one at a time");
        assert!(store.finish_outbox(claimed[0].entry.id, lease).await.unwrap());
    }
    assert!(claim(&store, "t").await.1.is_empty());
    commit_one(&store, adding(&room, &[entry("t", "k", "4")]))
        .await
        .unwrap();
    assert_eq!(
        payloads(&claim(&store, "t").await.1),
        ["4"],
        "an empty key starts again"
    );
}

/// A key whose oldest entry waits for another attempt holds up itself and no other.
pub async fn keys_do_not_wait_for_each_other(store: AnyStore) {
    let entries = [
        entry("t", "a", "a1"),
        entry("t", "a", "a2"),
        entry("t", "b", "b1"),
        entry("u", "a", "of another topic"),
    ];
    room_with(&store, &entries).await;
    let (lease, claimed) = claim_for(&store, "t", 1, HOUR).await;
    assert_eq!(payloads(&claimed), ["a1"]);
    assert!(
        store
            .retry_outbox(claimed[0].entry.id, lease, HOUR)
            .await
            .unwrap()
    );
    assert_eq!(payloads(&claim(&store, "t").await.1), ["b1"]);
    assert_eq!(payloads(&claim(&store, "u").await.1), ["of another topic"]);
}

/// Those due for longest come first, and no more than asked for.
pub async fn the_longest_due_come_first(store: AnyStore) {
    let entries = [
        entry_at("t", "c", "third", at(30)),
        entry_at("t", "a", "first", at(10)),
        entry_at("t", "b", "second", at(20)),
    ];
    room_with(&store, &entries).await;
    assert_eq!(
        payloads(&claim_for(&store, "t", 2, HOUR).await.1),
        ["first", "second"]
    );
    assert_eq!(payloads(&claim_for(&store, "t", 2, HOUR).await.1), ["third"]);
}

/// A lease excludes others until it ends; who held it before can do nothing any more.
pub async fn a_lease_that_is_over_is_worth_nothing(store: AnyStore) {
    room_with(&store, &[entry("t", "k", "1"), entry("t", "k", "2")]).await;
    let (old, claimed) = claim_for(&store, "t", 9, NO_TIME).await;
    assert_eq!(payloads(&claimed), ["1"]);
    let id = claimed[0].entry.id;
    let (new, again) = claim(&store, "t").await;
    assert_eq!(again, claimed, "as if it had never been claimed");
    assert!(!store.finish_outbox(id, old).await.unwrap());
    assert!(!store.retry_outbox(id, old, NO_TIME).await.unwrap());
    assert_eq!(store.release_outbox(old).await.unwrap(), 0);
    assert!(claim(&store, "t").await.1.is_empty(), "the new lease is in force");
    assert!(store.finish_outbox(id, new).await.unwrap());
    assert!(!store.finish_outbox(id, new).await.unwrap(), "once");
    assert_eq!(payloads(&claim(&store, "t").await.1), ["2"]);
}

/// A failed attempt is counted, and the entry waits as long as was said.
pub async fn a_failed_attempt_counts_and_waits(store: AnyStore) {
    room_with(&store, &[entry("t", "k", "1")]).await;
    for attempts in 0..3 {
        let (lease, claimed) = claim(&store, "t").await;
        assert_eq!(claimed[0].attempts, attempts);
        let id = claimed[0].entry.id;
        assert!(store.retry_outbox(id, lease, NO_TIME).await.unwrap());
    }
    let (lease, claimed) = claim(&store, "t").await;
    let id = claimed[0].entry.id;
    assert!(store.retry_outbox(id, lease, HOUR).await.unwrap());
    assert!(claim(&store, "t").await.1.is_empty(), "not before its time");
    assert!(
        !store.finish_outbox(id, lease).await.unwrap(),
        "its lease has ended"
    );
}

/// A worker that stops gives back what it holds, and only that; it counts as no attempt.
pub async fn released_leases_are_free_at_once(store: AnyStore) {
    let entries = [entry("t", "a", "a"), entry("t", "b", "b"), entry("t", "c", "c")];
    room_with(&store, &entries).await;
    let (mine, _) = claim_for(&store, "t", 2, HOUR).await;
    let (_, others) = claim(&store, "t").await;
    assert_eq!(payloads(&others), ["c"]);
    assert_eq!(store.release_outbox(mine).await.unwrap(), 2);
    assert_eq!(store.release_outbox(mine).await.unwrap(), 0);
    let (_, again) = claim(&store, "t").await;
    assert_eq!(payloads(&again), ["a", "b"]);
    assert!(again.iter().all(|claimed| claimed.attempts == 0));
}

/// What is left of an entry stays before the others of its key, with nothing counted against it, and is due at once.
pub async fn what_is_left_stays_first_in_its_key(store: AnyStore) {
    let room = room_with(&store, &[entry("t", "k", "1"), entry("t", "k", "2")]).await;
    let (lease, claimed) = claim(&store, "t").await;
    let id = claimed[0].entry.id;
    assert!(store.retry_outbox(id, lease, NO_TIME).await.unwrap());
    let (lease, claimed) = claim(&store, "t").await;
    assert_eq!(claimed[0].attempts, 1);
    let added = [
        entry("t", "other", "a"),
        entry("t", "k", "3"),
        entry("t", "other", "b"),
    ];
    let advanced = store.advance_outbox(id, lease, Some("rest of 1"), &added).await;
    assert!(advanced.unwrap());
    assert!(
        !store.finish_outbox(id, lease).await.unwrap(),
        "its lease has ended"
    );
    commit_one(&store, adding(&room, &[entry("t", "other", "c")]))
        .await
        .unwrap();
    let mut seen = Vec::new();
    loop {
        let (lease, claimed) = claim(&store, "t").await;
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            assert_eq!(claimed.attempts, 0);
            seen.push((claimed.entry.key.clone(), claimed.entry.payload.clone()));
            assert!(store.finish_outbox(claimed.entry.id, lease).await.unwrap());
        }
    }
    let of = |key: &str| {
        let his = seen.iter().filter(|(of, _)| of == key);
        his.map(|(_, payload)| payload.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of("k"), ["rest of 1", "2", "3"]);
    assert_eq!(of("other"), ["a", "b", "c"]);
}

/// An entry that is done goes in the step in which what it leads to comes, also when that is of its own key.
pub async fn what_is_done_goes_as_its_followers_come(store: AnyStore) {
    room_with(&store, &[entry("t", "k", "1"), entry("u", "k", "1")]).await;
    let later = entry_at("t", "k", "later", at(1_000_000_000));
    for (topic, added) in [
        ("u", vec![entry("u", "k", "2"), entry("u", "other", "3")]),
        ("t", vec![later]),
    ] {
        let (lease, claimed) = claim(&store, topic).await;
        let id = claimed[0].entry.id;
        assert!(store.advance_outbox(id, lease, None, &added).await.unwrap());
        let there = store.outbox_backlog(topic).await.unwrap().entries;
        assert_eq!(there, added.len() as u64, "the finished one is gone");
    }
    assert_eq!(payloads(&claim(&store, "u").await.1), ["2", "3"]);
    assert!(claim(&store, "t").await.1.is_empty(), "not due yet");
}

/// Who held the lease before can leave nothing behind.
pub async fn who_lost_its_lease_advances_nothing(store: AnyStore) {
    room_with(&store, &[entry("t", "k", "1")]).await;
    let (old, claimed) = claim_for(&store, "t", 9, NO_TIME).await;
    let id = claimed[0].entry.id;
    let (_new, again) = claim(&store, "t").await;
    assert_eq!(again, claimed);
    for rest in [Some("rest"), None] {
        let added = [entry("t", "other", "2")];
        assert!(!store.advance_outbox(id, old, rest, &added).await.unwrap());
    }
    assert_eq!(store.outbox_backlog("t").await.unwrap().entries, 1);
}

/// Keys are named that have an entry, leased or not, in that topic.
pub async fn keys_with_entries_are_named(store: AnyStore) {
    let entries = [
        entry("t", "leased", "1"),
        entry_at("t", "waits", "2", at(1_000_000_000)),
        entry("t", "waits", "3"),
        entry("u", "other", "4"),
    ];
    room_with(&store, &entries).await;
    claim(&store, "t").await;
    let keys = ["waits", "leased", "other", "none", "wai_s"].map(str::to_owned);
    let mut there = store.outbox_keys("t", &keys).await.unwrap();
    there.sort();
    assert_eq!(there, ["leased", "waits"]);
    assert!(store.outbox_keys("t", &[]).await.unwrap().is_empty());
}

/// However many claim at once, each entry goes to one of them.
pub async fn concurrent_claims_share_nothing(store: AnyStore) {
    let entries: Vec<OutboxEntry> = (0..40)
        .map(|n| entry("t", &format!("key {}", n % 20), &n.to_string()))
        .collect();
    room_with(&store, &entries).await;
    let workers = (0..6).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let (lease, claimed) = claim_for(&store, "t", 3, HOUR).await;
                if claimed.is_empty() {
                    return mine;
                }
                for claimed in claimed {
                    assert!(store.finish_outbox(claimed.entry.id, lease).await.unwrap());
                    mine.push(claimed.entry.id);
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut seen = HashSet::new();
    for worker in workers {
        for id in worker.await.unwrap() {
            assert!(seen.insert(id), "handed out twice");
        }
    }
    // A worker ends when it finds nothing free; what others finished after that is still there.
    loop {
        let (lease, claimed) = claim(&store, "t").await;
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            assert!(store.finish_outbox(claimed.entry.id, lease).await.unwrap());
            assert!(seen.insert(claimed.entry.id), "handed out twice");
        }
    }
    assert_eq!(seen.len(), entries.len());
}

/// What waits is counted by topic, leased entries too.
pub async fn the_backlog_is_counted(store: AnyStore) {
    let entries = [
        entry_at("t", "a", "1", at(20)),
        entry_at("t", "a", "2", at(10)),
        entry_at("u", "a", "3", at(5)),
    ];
    room_with(&store, &entries).await;
    let waiting = OutboxBacklog {
        entries: 2,
        oldest_at: Some(at(10)),
    };
    assert_eq!(store.outbox_backlog("t").await.unwrap(), waiting);
    let (lease, claimed) = claim(&store, "t").await;
    assert_eq!(store.outbox_backlog("t").await.unwrap(), waiting);
    store.finish_outbox(claimed[0].entry.id, lease).await.unwrap();
    assert_eq!(store.outbox_backlog("t").await.unwrap().entries, 1);
    assert_eq!(
        store.outbox_backlog("nothing").await.unwrap(),
        OutboxBacklog::default()
    );
}

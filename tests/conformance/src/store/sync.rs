//! Cases for catching up: positions, changed conversations, changed messages.
//!
//! A store may report more than changed, never less, so most cases ask what has to be among the answers.

use chat_core::config::BlockedInGroup::{Collapse, Hide};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Hide as HideRow, Message, Rev, Role, Seq};
use chat_core::store::{ChangedMessages, ChangesQuery, SyncPosition, Viewer, Writes};

use crate::fixtures::{AnyStore, NOW, RandomRoom, Room, answers, append, at, people, text};

/// Everything reported since a position, page by page.
async fn changed(store: &AnyStore, user: &UserId, since: SyncPosition, limit: usize) -> Vec<ConversationId> {
    let (mut ids, mut since, began) = (Vec::new(), since, since);
    for _ in 0..100 {
        let page = store.changed_conversations(user, since, limit).await.unwrap();
        assert!(page.ids.len() <= limit);
        ids.extend(page.ids);
        let newest = store.sync_position().await.unwrap();
        assert!(page.reached <= newest, "no page is ahead of the store");
        if !page.has_more {
            assert!(page.reached >= began, "sync does not end before it began");
            return ids;
        }
        assert_ne!(page.reached, since, "sync moves on");
        since = page.reached;
    }
    panic!("sync comes to an end");
}

async fn since_rev(room: &Room, user: &UserId, since_rev: Rev, limit: usize) -> ChangedMessages {
    let query = ChangesQuery {
        viewer: room.viewer(user).await,
        since_rev,
        position: None,
        limit,
    };
    room.store.changed_messages(&query).await.unwrap()
}

async fn since_position(room: &Room, user: &UserId, position: SyncPosition) -> ChangedMessages {
    let query = ChangesQuery {
        viewer: room.viewer(user).await,
        since_rev: 0,
        position: Some(position),
        limit: 100,
    };
    room.store.changed_messages(&query).await.unwrap()
}

fn seqs(changed: &ChangedMessages) -> Vec<Seq> {
    changed.messages.iter().map(|m| m.seq).collect()
}

/// The position never goes back and grows with every change.
pub async fn the_position_grows(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let mut last = store.sync_position().await.unwrap();
    let room = Room::group(&store, &[&ann]).await;
    for _ in 0..5 {
        let position = store.sync_position().await.unwrap();
        assert!(position > last);
        last = position;
        room.say(&ann, "hi").await;
    }
    assert_eq!(changed(&store, &ann, SyncPosition::default(), 9).await, [room.id]);
}

/// The epoch stays while the data stays, and fits a signed 64-bit column.
pub async fn the_epoch_stays_with_the_data(store: AnyStore) {
    let epoch = store.sync_epoch().await.unwrap();
    let [ann] = people(&store, ["ann"]).await;
    Room::group(&store, &[&ann]).await.say(&ann, "hi").await;
    assert_eq!(store.sync_epoch().await.unwrap(), epoch);
    assert!(i64::try_from(epoch).is_ok());
}

/// Every change of a conversation is reported to its members: messages, edits, members, the row itself.
pub async fn public_changes_are_reported_to_all_members(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.say(&ann, "hi").await;
    for change in 0..5 {
        let since = store.sync_position().await.unwrap();
        match change {
            0 => drop(room.say(&ann, "ho").await),
            1 => room.edit(&message, |m| m.text = "hey".to_owned()).await,
            2 => room.delete(&message).await,
            3 => room.set(|c| c.name = Some("new".to_owned())).await,
            _ => room.set_public(&ann, |_, m| m.role = Role::Admin).await,
        }
        for user in [&ann, &bob] {
            assert_eq!(
                changed(&store, user, since, 9).await,
                [room.id],
                "change {change}"
            );
        }
    }
}

/// What changed for several users at once is what changed for each of them, with the rev it has now.
pub async fn what_changed_for_several_is_what_changed_for_each(store: AnyStore) {
    let [ann, bob, cat, dan] = people(&store, ["ann", "bob", "cat", "dan"]).await;
    let group = Room::group(&store, &[&ann, &bob, &dan]).await;
    let quiet = Room::group(&store, &[&ann, &cat]).await;
    group.leave(&dan).await;
    let before = store.sync_position().await.unwrap();
    let all = [ann.clone(), bob.clone(), cat.clone(), dan.clone()];
    let told = async |since, limit| {
        let told = store.changed_for(&all, since, limit).await.unwrap();
        let told = told
            .into_iter()
            .map(|told| (told.user, told.conversation, told.rev));
        let mut told: Vec<(UserId, ConversationId, Rev)> = told.collect();
        told.sort();
        told
    };

    group.say(&bob, "hi").await;
    let rev = group.row().await.rev;
    let expected = [(ann.clone(), group.id, rev), (bob.clone(), group.id, rev)];
    assert_eq!(told(before, 9).await, expected, "members, not who has left");
    assert_eq!(told(before, 1).await.len(), 1);
    assert!(store.changed_for(&[], before, 9).await.unwrap().is_empty());

    let since = store.sync_position().await.unwrap();
    quiet.set_private(&cat, |m| m.pinned_at = Some(at(1))).await;
    let own: Vec<UserId> = told(since, 9).await.into_iter().map(|(user, ..)| user).collect();
    assert_eq!(own, [cat], "his own side alone");

    let since = store.sync_position().await.unwrap();
    group.leave(&bob).await;
    let left: Vec<UserId> = told(since, 9).await.into_iter().map(|(user, ..)| user).collect();
    assert_eq!(left, [ann, bob], "who leaves hears of it");
}

/// A change of one's private state is reported to oneself.
pub async fn private_changes_are_reported_to_their_user(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let since = store.sync_position().await.unwrap();
    room.set_private(&ann, |m| m.pinned_at = Some(at(1))).await;
    assert_eq!(changed(&store, &ann, since, 9).await, [room.id]);
    let message = room.say(&bob, "hi").await;
    let since = store.sync_position().await.unwrap();
    let hide = HideRow {
        user_id: ann.clone(),
        conversation_id: room.id,
        message_id: message.id,
        seq: message.seq,
        rev: message.rev,
    };
    room.write(Writes {
        hides: vec![hide],
        ..Writes::none()
    })
    .await;
    assert_eq!(changed(&store, &ann, since, 9).await, [room.id]);
}

/// Only conversations one is or was in are reported.
pub async fn strange_conversations_are_not_reported(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let since = store.sync_position().await.unwrap();
    Room::group(&store, &[&bob]).await.say(&bob, "hi").await;
    assert!(changed(&store, &ann, since, 9).await.is_empty());
}

/// A conversation somebody left is reported for his leaving, and for its changes again when he is back.
pub async fn leaving_and_coming_back_are_reported(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.say(&bob, "hi").await;
    let since = store.sync_position().await.unwrap();
    room.leave(&ann).await;
    assert_eq!(changed(&store, &ann, since, 9).await, [room.id]);
    room.chatter(&bob, 3).await;
    assert_eq!(changed(&store, &ann, since, 9).await, [room.id]);
    room.rejoin(&ann).await;
    let since = store.sync_position().await.unwrap();
    room.say(&bob, "hi").await;
    assert_eq!(changed(&store, &ann, since, 9).await, [room.id]);
}

/// The conversation with the oldest change comes first, a page at a time, and no change is missed.
pub async fn the_oldest_change_comes_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = Vec::new();
    for _ in 0..7 {
        rooms.push(Room::group(&store, &[&ann, &bob]).await);
    }
    let since = store.sync_position().await.unwrap();
    for n in [3, 0, 6, 5, 3, 1] {
        rooms[n].say(&bob, "hi").await;
    }
    let expected = [0, 6, 5, 3, 1].map(|n| rooms[n].id);
    for limit in [1, 2, 5, 9] {
        let ids = changed(&store, &ann, since, limit).await;
        let mut order = Vec::new();
        for id in ids.into_iter().filter(|id| expected.contains(id)) {
            if !order.contains(&id) {
                order.push(id);
            }
        }
        assert_eq!(order, expected, "pages of {limit}");
    }
    let page = store.changed_conversations(&ann, since, 2).await.unwrap();
    assert!(page.has_more && page.ids.len() == 2);
}

/// What changes while somebody reads his pages is reported from where they reached.
pub async fn changes_between_pages_are_not_missed(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let since = store.sync_position().await.unwrap();
    let mut rooms = Vec::new();
    for _ in 0..4 {
        rooms.push(Room::group(&store, &[&ann, &bob]).await);
    }
    let page = store.changed_conversations(&ann, since, 2).await.unwrap();
    rooms[0].say(&bob, "again").await;
    let late = Room::group(&store, &[&ann, &bob]).await;
    let rest = changed(&store, &ann, page.reached, 2).await;
    for expected in [rooms[0].id, rooms[2].id, rooms[3].id, late.id] {
        assert!(rest.contains(&expected));
    }
}

/// What was written together can still be read a page at a time.
pub async fn changes_committed_together_are_not_missed(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(Room::group(&store, &[&ann, &bob]).await);
    }
    let since = store.sync_position().await.unwrap();
    let sends = rooms.iter().map(|room| append(room.id, text(&bob, "at once")));
    for answer in answers(&store, sends.collect()).await {
        answer.unwrap();
    }
    for limit in [1, 2, 4] {
        let told = changed(&store, &ann, since, limit).await;
        for room in &rooms {
            assert!(told.contains(&room.id), "pages of {limit}");
        }
    }
}

/// Changes committed at the same time as others read positions are reported for those positions.
pub async fn no_concurrent_change_is_missed(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = Vec::new();
    for _ in 0..6 {
        rooms.push(Room::group(&store, &[&ann, &bob]).await);
    }
    let mut since = store.sync_position().await.unwrap();
    let writers: Vec<_> = rooms
        .iter()
        .map(|room| {
            let (room, bob) = (room.clone(), bob.clone());
            tokio::spawn(async move { room.chatter(&bob, 5).await })
        })
        .collect();
    // Follows the stream while it is written, and notes the newest seq of each conversation it was sent to look at.
    let mut seen = std::collections::HashMap::new();
    let mut finished = false;
    loop {
        let page = store.changed_conversations(&ann, since, 3).await.unwrap();
        for row in store.conversations(&page.ids).await.unwrap() {
            seen.insert(row.id, row.last_seq);
        }
        since = page.reached;
        if !page.has_more && finished {
            break;
        }
        finished = writers.iter().all(tokio::task::JoinHandle::is_finished);
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for room in &rooms {
        assert_eq!(seen.get(&room.id), Some(&5));
    }
}

/// Messages whose rev is above the one asked for come by ascending rev, each as it is now.
pub async fn changed_messages_come_by_rev(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 4).await;
    let since = room.row().await.rev;
    assert_eq!(seqs(&since_rev(&room, &ann, since, 9).await), [] as [Seq; 0]);
    room.edit(&messages[2], |m| m.text = "once".to_owned()).await;
    room.edit(&messages[0], |m| m.text = "one".to_owned()).await;
    room.edit(&messages[2], |m| m.text = "twice".to_owned()).await;
    room.delete(&messages[1]).await;
    room.say(&ann, "new").await;
    let changed = since_rev(&room, &ann, since, 9).await;
    assert_eq!(seqs(&changed), [1, 3, 2, 5]);
    assert_eq!(changed.messages[1].text, "twice");
    assert!(changed.messages[2].is_deleted());
    assert!(!changed.limited && changed.hidden.is_empty());
    assert_eq!(changed.since_rev, since);
    assert_eq!(seqs(&since_rev(&room, &ann, 0, 9).await), [4, 1, 3, 2, 5]);
    let now = room.row().await.rev;
    assert!(since_rev(&room, &ann, now, 9).await.messages.is_empty());
}

/// Of more changes than fit the newest come, and the answer says so.
pub async fn too_many_changes_are_limited_to_the_newest(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 5).await;
    room.edit(&messages[0], |m| m.version = 2).await;
    let changed = since_rev(&room, &ann, 1, 3).await;
    assert_eq!((seqs(&changed), changed.limited), (vec![4, 5, 1], true));
    let changed = since_rev(&room, &ann, 1, 5).await;
    assert_eq!((seqs(&changed), changed.limited), (vec![2, 3, 4, 5, 1], false));
}

/// Messages one has hidden since are told as hides, to him alone.
pub async fn hides_are_told_as_hides(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 4).await;
    room.hide(&ann, &messages[3]).await;
    let since = room.row().await.rev;
    room.edit(&messages[1], |m| m.version = 2).await;
    let other = Room::group(&store, &[&ann, &bob]).await;
    let elsewhere = other.chatter(&bob, 9).await;
    other.hide(&ann, &elsewhere[8]).await;
    room.hide(&ann, &messages[2]).await;
    room.hide(&ann, &messages[0]).await;
    room.hide(&bob, &messages[1]).await;
    let changed = since_rev(&room, &ann, since, 9).await;
    assert_eq!(seqs(&changed), [2]);
    let hidden: Vec<_> = changed.hidden.iter().map(|h| (h.message_id, h.seq)).collect();
    assert_eq!(hidden, [(messages[2].id, 3), (messages[0].id, 1)]);
    assert!(changed.hidden.iter().all(|h| h.rev > since && h.user_id == ann));
    assert!(changed.hidden[0].rev < changed.hidden[1].rev);
}

/// Of more hides than fit the newest come, and the answer says so.
pub async fn too_many_hides_are_limited_to_the_newest(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    for message in room.chatter(&bob, 4).await.iter().rev() {
        room.hide(&ann, message).await;
    }
    let changed = since_rev(&room, &ann, 1, 3).await;
    let hidden: Vec<Seq> = changed.hidden.iter().map(|h| h.seq).collect();
    assert_eq!((hidden, changed.limited), (vec![3, 2, 1], true));
    assert!(!since_rev(&room, &ann, 1, 4).await.limited);
}

/// Changes of messages a viewer does not see are not told, and do not count against the limit.
pub async fn invisible_changes_are_not_told(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    room.chatter(&cid, 2).await;
    room.leave(&ann).await;
    room.say(&cid, "missed").await;
    room.rejoin(&ann).await;
    room.say(&bob, "blocked").await;
    room.send(Message {
        expires_at: Some(at(100)),
        ..text(&cid, "expired")
    })
    .await;
    room.say(&cid, "seen").await;
    room.set_private(&ann, |m| m.visible_from = 2).await;
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    let query = |policy, now, viewer: Viewer, limit| ChangesQuery {
        viewer: Viewer {
            now,
            blocked_in_group: policy,
            ..viewer
        },
        since_rev: 0,
        position: None,
        limit,
    };
    let viewer = room.viewer(&ann).await;
    let told = async |query: ChangesQuery| {
        let changed = store.changed_messages(&query).await.unwrap();
        (seqs(&changed), changed.limited)
    };
    assert_eq!(
        told(query(Hide, NOW, viewer.clone(), 2)).await,
        (vec![2, 6], false)
    );
    assert_eq!(
        told(query(Collapse, NOW, viewer.clone(), 9)).await,
        (vec![2, 4, 6], false)
    );
    assert_eq!(told(query(Hide, at(99), viewer, 9)).await, (vec![2, 5, 6], false));
}

/// Changed messages whose time is over are told apart, to who would see them but for that, newest first to go.
pub async fn expired_messages_are_told_as_such(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid]).await;
    let send = async |sender: &UserId, expires| {
        let message = Message {
            expires_at: Some(at(expires)),
            ..text(sender, "short-lived")
        };
        room.send(message).await
    };
    let first = send(&cid, 100).await;
    let hidden = send(&cid, 100).await;
    room.hide(&ann, &hidden).await;
    send(&bob, 101).await;
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    room.leave(&ann).await;
    send(&cid, 100).await;
    room.rejoin(&ann).await;
    let last = send(&cid, 100).await;
    let before = store.sync_position().await.unwrap();
    room.edit(&first, |message| message.text.clear()).await;
    let viewer = room.viewer(&ann).await;
    let query = |now, policy, limit| ChangesQuery {
        viewer: Viewer {
            now,
            blocked_in_group: policy,
            ..viewer.clone()
        },
        since_rev: 0,
        position: None,
        limit,
    };
    let told = async |query: ChangesQuery| {
        let changed = store.changed_messages(&query).await.unwrap();
        let expired: Vec<Seq> = changed.expired.iter().map(|m| m.seq).collect();
        (expired, seqs(&changed), changed.limited)
    };
    let of = |expired: &[Seq], seen: &[Seq], limited| (expired.to_vec(), seen.to_vec(), limited);
    assert_eq!(told(query(at(99), Collapse, 9)).await, of(&[], &[3, 5, 1], false));
    assert_eq!(told(query(at(100), Collapse, 9)).await, of(&[5, 1], &[3], false));
    assert_eq!(
        told(query(at(101), Collapse, 9)).await,
        of(&[3, 5, 1], &[], false)
    );
    assert_eq!(told(query(at(101), Hide, 9)).await, of(&[5, 1], &[], false));
    assert_eq!(told(query(at(101), Hide, 1)).await, of(&[1], &[], true));
    let since = ChangesQuery {
        since_rev: last.rev,
        ..query(at(101), Hide, 9)
    };
    assert_eq!(told(since).await, of(&[1], &[], false));
    let since = ChangesQuery {
        position: Some(before),
        ..query(at(101), Hide, 9)
    };
    assert_eq!(told(since).await, of(&[1], &[], false));
}

/// By position the same changes are told as by the rev of that time.
pub async fn a_position_tells_what_its_rev_tells(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let other = Room::group(&store, &[&ann, &bob]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let messages = room.chatter(&bob, 3).await;
    other.chatter(&bob, 3).await;
    let (rev, position) = (room.row().await.rev, store.sync_position().await.unwrap());
    room.edit(&messages[1], |m| m.version = 2).await;
    other.say(&bob, "aside").await;
    room.hide(&ann, &messages[0]).await;
    room.say(&bob, "new").await;
    room.set_public(&bob, |_, m| m.role = Role::Admin).await;
    let exact = since_rev(&room, &ann, rev, 100).await;
    let told = since_position(&room, &ann, position).await;
    for message in &exact.messages {
        assert!(told.messages.contains(message));
    }
    assert!(told.messages.is_sorted_by_key(|m| m.rev));
    assert!(told.hidden.iter().any(|h| h.message_id == messages[0].id));
    assert!(told.since_rev <= rev);
    let members = store.changed_members(room.id, told.since_rev, 9).await.unwrap();
    assert!(members.iter().any(|m| m.user_id == bob));
    let all = since_position(&room, &ann, SyncPosition::default()).await;
    assert_eq!((all.messages.len(), all.since_rev), (3, 0));
}

/// Told changes are what a naive reader picks from the rows, over random pasts.
pub async fn changes_equal_a_naive_reading(store: AnyStore) {
    let random = RandomRoom::new(&store, 4, 250).await;
    let messages = random.messages().await;
    let rev = random.room.row().await.rev;
    for user in &random.users {
        for policy in [Collapse, Hide] {
            let eye = random.eye(user, NOW, policy).await;
            for since_rev in (0..=rev).step_by(37) {
                let mut viewer = random.room.viewer(user).await;
                viewer.blocked_in_group = policy;
                let query = ChangesQuery {
                    viewer,
                    since_rev,
                    position: None,
                    limit: 1_000,
                };
                let changed = store.changed_messages(&query).await.unwrap();
                assert_eq!(changed.messages, eye.changed(&messages, since_rev));
                assert_eq!(changed.expired, eye.expired(&messages, since_rev));
            }
        }
    }
}

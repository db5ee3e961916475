//! Cases for [`RetentionStore`](chat_core::store::RetentionStore) and for purges in a commit.

use std::time::Duration;

use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::ReadAudience::{self, Contacts, Everyone, Nobody};
use chat_core::model::{ConversationKind, Message, Retention, Seq};
use chat_core::store::{Anchor, DueConversations, MarkTimes, Purge, RetentionClass, SearchQuery, Writes};
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, NOW, Room, at, people, text};

async fn purge(room: &Room, below: Seq) {
    let id = room.id;
    room.decide(room.needs(), move |facts| {
        let mut conversation = facts.conversation.clone().unwrap();
        conversation.rev += 1;
        conversation.horizon.first_seq = below;
        Writes {
            conversation: Some(conversation),
            purge: Some(Purge {
                conversation_id: id,
                below,
            }),
            ..Writes::default()
        }
    })
    .await;
}

async fn found(store: &AnyStore, user: &UserId, text: &str) -> Vec<Seq> {
    let query = SearchQuery {
        user: user.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        text: text.to_owned(),
        conversation: None,
        sender: None,
        kind: None,
        from: None,
        to: None,
        after: None,
        limit: 50,
    };
    let mut seqs: Vec<Seq> = (store.search(&query).await.unwrap().iter())
        .map(|message| message.seq)
        .collect();
    seqs.sort_unstable();
    seqs
}

/// Purged messages are nowhere, and neither is what hung on them; what follows them stays as it is.
pub async fn a_purge_takes_messages_with_all_that_hangs_on_them(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let mut messages = Vec::new();
    for n in 1..=5 {
        let mentioned = Message {
            mentions: vec![bob.clone()],
            ..text(&ann, &format!("needle {n}"))
        };
        let message = room.send(mentioned).await;
        room.react(&bob, &message, "👍", at(n)).await;
        messages.push(message);
    }
    room.hide(&bob, &messages[1]).await;
    room.hide(&bob, &messages[3]).await;
    let before = store.sync_position().await.unwrap();
    purge(&room, 4).await;
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let mut left = store.messages(&ids).await.unwrap();
    left.sort_by_key(|message| message.seq);
    assert_eq!(left, messages[3..]);
    assert_eq!(found(&store, &ann, "needle").await, [4, 5]);
    assert_eq!(store.hidden_among(&bob, &ids).await.unwrap(), [ids[3]]);
    let reactions = store.reactions(&ids, &ann, &[]).await.unwrap();
    assert_eq!(reactions.len(), 2);
    assert!(reactions.contains_key(&ids[3]) && reactions.contains_key(&ids[4]));
    assert!(store.personal_facts(ids[1]).await.unwrap().hidden_by.is_empty());
    let entry = room.entry(&bob).await;
    assert_eq!((entry.unread_count, entry.mention_count), (1, 1));
    assert_eq!(entry.first_unread_seq, Some(5));
    let page = room.history(&ann, Anchor::Newest, 1).await;
    assert!(page.has_more_before);
    let page = room.history(&ann, Anchor::Before(5), 5).await;
    assert_eq!(page.messages.iter().map(|m| m.seq).collect::<Vec<_>>(), [4]);
    assert!(!page.has_more_before);
    let changed = store.changed_conversations(&bob, before, 5).await.unwrap();
    assert_eq!(changed.ids, [room.id]);
}

/// Numbers are never given again, the whole conversation may go, and a sender's key goes with its message.
pub async fn numbers_and_keys_after_a_purge(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let keyed = |words: &str| Message {
        client_id: Some(chat_core::id::ClientId::new("key").unwrap()),
        ..text(&ann, words)
    };
    let first = room.send(keyed("first")).await;
    room.say(&bob, "second").await;
    purge(&room, 3).await;
    assert!(store.messages(&[first.id]).await.unwrap().is_empty());
    assert_eq!(room.row().await.last_seq, 2);
    assert_eq!(room.entry(&ann).await.last_message, None);
    assert_eq!(room.unread(&ann).await, 0);
    let again = room.send(keyed("again")).await;
    assert_eq!(again.seq, 3);
    assert_eq!(found(&store, &bob, "again").await, [3]);
}

/// Other conversations are not touched.
pub async fn a_purge_stays_in_its_conversation(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let here = Room::group(&store, &[&ann, &bob]).await;
    let there = Room::direct(&store, &ann, &bob).await;
    here.chatter(&ann, 3).await;
    let kept = there.chatter(&ann, 3).await;
    there.react(&bob, &kept[0], "👍", at(1)).await;
    there.hide(&bob, &kept[1]).await;
    purge(&here, 4).await;
    let ids: Vec<_> = kept.iter().map(|message| message.id).collect();
    assert_eq!(store.messages(&ids).await.unwrap().len(), 3);
    assert_eq!(store.hidden_among(&bob, &ids).await.unwrap(), [ids[1]]);
    assert_eq!(store.reactions(&ids, &ann, &[]).await.unwrap().len(), 1);
    assert!(here.history(&ann, Anchor::Newest, 5).await.messages.is_empty());
}

/// The oldest messages come first, tombstones among them.
pub async fn oldest_messages_come_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let sent = room.chatter(&ann, 4).await;
    room.delete(&sent[0]).await;
    room.hide(&bob, &sent[1]).await;
    let oldest = store.oldest_messages(room.id, 3).await.unwrap();
    assert_eq!(oldest.iter().map(|m| m.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(oldest[0].is_deleted());
    purge(&room, 3).await;
    let oldest = store.oldest_messages(room.id, 3).await.unwrap();
    assert_eq!(oldest.iter().map(|m| m.seq).collect::<Vec<_>>(), [3, 4]);
    let elsewhere = ConversationId::from_uuid(uuid::Uuid::now_v7());
    assert!(store.oldest_messages(elsewhere, 3).await.unwrap().is_empty());
}

async fn due(store: &AnyStore, class: RetentionClass, before: Timestamp) -> Vec<ConversationId> {
    let mut query = DueConversations {
        class,
        before,
        after: None,
        limit: 2,
    };
    let mut all = Vec::new();
    loop {
        let page = store.conversations_due(&query).await.unwrap();
        all.extend(page.iter().map(|conversation| conversation.id));
        let Some(last) = page.last().filter(|_| page.len() == query.limit) else {
            return all;
        };
        let oldest_at = last.horizon.oldest_at.unwrap();
        let at = match last.horizon.retention {
            Some(Retention::For(time)) => oldest_at.after(time),
            _ => oldest_at,
        };
        query.after = Some((at, last.id));
    }
}

/// Conversations with old messages come in order, in pages; a retention of their own takes them out of the policy's.
pub async fn conversations_with_old_messages_are_found(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = Vec::new();
    for oldest in [50, 20, 40, 30, 20] {
        let room = Room::group_like(&store, &[&ann, &bob], move |conversation| {
            conversation.horizon.oldest_at = Some(at(oldest));
        })
        .await;
        rooms.push(room);
    }
    let direct = Room::direct(&store, &ann, &bob).await;
    // Nothing was said in it.
    Room::group(&store, &[&ann]).await;
    let groups = RetentionClass::Policy(ConversationKind::Group);
    let directs = RetentionClass::Policy(ConversationKind::Direct);
    let mut twins = [rooms[1].id, rooms[4].id];
    twins.sort_unstable();
    let [first, second] = twins;
    assert_eq!(
        due(&store, groups, at(50)).await,
        [first, second, rooms[3].id, rooms[2].id]
    );
    assert_eq!(due(&store, groups, at(20)).await, []);
    assert_eq!(due(&store, directs, NOW).await, []);
    direct.set(|row| row.horizon.oldest_at = Some(at(10))).await;
    assert_eq!(due(&store, directs, NOW).await, [direct.id]);
    assert_eq!(due(&store, RetentionClass::Own, NOW).await, []);
    let own = |seconds| Some(Retention::For(Duration::from_secs(seconds)));
    rooms[1].set(move |row| row.horizon.retention = own(100)).await;
    rooms[2].set(move |row| row.horizon.retention = own(10)).await;
    direct.set(move |row| row.horizon.retention = own(70)).await;
    rooms[3]
        .set(|row| row.horizon.retention = Some(Retention::Forever))
        .await;
    // At 50, 80 and 120.
    let all = [rooms[2].id, direct.id, rooms[1].id];
    assert_eq!(due(&store, RetentionClass::Own, at(120)).await, all[..2]);
    assert_eq!(due(&store, RetentionClass::Own, at(121)).await, all);
    assert_eq!(due(&store, groups, NOW).await, [rooms[4].id, rooms[0].id]);
}

async fn times(room: &Room, seq: Seq, user: &UserId, audience: ReadAudience) -> MarkTimes {
    let asked = [user.clone()];
    let answer = room.store.mark_times(room.id, seq, &asked, audience).await;
    answer.unwrap().get(user).copied().unwrap_or_default()
}

/// A forgotten time is unknown; no later step stands in for it.
pub async fn forgotten_times_are_unknown_and_never_wrong(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.step(&bob, None, (0, 2), at(10)).await;
    room.step(&bob, Some(Everyone), (0, 2), at(10)).await;
    room.step(&bob, Some(Nobody), (2, 4), at(20)).await;
    room.step(&bob, None, (2, 4), at(20)).await;
    room.step(&bob, Some(Everyone), (4, 6), at(30)).await;
    room.step(&bob, None, (4, 6), at(30)).await;
    assert_eq!(store.forget_mark_times(at(10), 10).await.unwrap(), 0);
    // One after the other, the oldest first.
    assert_eq!(store.forget_mark_times(at(30), 2).await.unwrap(), 2);
    assert_eq!(store.forget_mark_times(at(30), 10).await.unwrap(), 2);
    assert_eq!(store.forget_mark_times(at(30), 10).await.unwrap(), 0);
    for (seq, delivered, own, public) in [
        (1, None, None, None),
        (2, None, None, None),
        (3, None, None, Some(30)),
        (5, Some(30), Some(30), Some(30)),
        (7, None, None, None),
    ] {
        let mine = times(&room, seq, &bob, Nobody).await;
        assert_eq!(
            (mine.delivered_at, mine.read_at),
            (delivered.map(at), own.map(at)),
            "{seq}"
        );
        let theirs = times(&room, seq, &bob, Contacts).await;
        assert_eq!(theirs.read_at, public.map(at), "{seq}");
    }
    assert_eq!(store.forget_mark_times(at(31), 10).await.unwrap(), 2);
    assert_eq!(times(&room, 5, &bob, Everyone).await, MarkTimes::default());
}

/// What was known when a block began stays known, so the steps of the two keep their times until it is lifted.
pub async fn steps_of_users_in_a_block_keep_their_times(store: AnyStore) {
    let [ann, bob, cem] = people(&store, ["ann", "bob", "cem"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cem]).await;
    for user in [&ann, &bob, &cem] {
        room.step(user, Some(Everyone), (0, 2), at(10)).await;
        room.step(user, Some(Everyone), (2, 4), at(20)).await;
    }
    store.set_block(&ann, &bob, true, at(15)).await.unwrap();
    assert_eq!(store.forget_mark_times(at(30), 10).await.unwrap(), 2);
    let then = store
        .marks_before_blocks(&ann, std::slice::from_ref(&bob), &[room.id])
        .await
        .unwrap();
    assert_eq!(then[&(room.id, bob.clone())].public_read_seq, 2);
    assert_eq!(times(&room, 1, &bob, Everyone).await.read_at, Some(at(10)));
    assert_eq!(times(&room, 1, &cem, Everyone).await.read_at, None);
    store.set_block(&ann, &bob, false, at(40)).await.unwrap();
    assert_eq!(store.forget_mark_times(at(30), 10).await.unwrap(), 4);
    assert_eq!(times(&room, 1, &bob, Everyone).await.read_at, None);
}

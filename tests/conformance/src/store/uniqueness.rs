//! Cases for what exists only once: the conversation of a pair, a send, a number.

use chat_core::error::ErrorCode;
use chat_core::id::{ClientId, UserId};
use chat_core::model::{DirectPair, Message};
use chat_core::store::{Anchor, Change, Needs, Target, Writes};

use crate::fixtures::{
    AnyStore, Room, answers, append, at, commit_one, direct_conversation, is_refused, member, people, text,
};

fn once(sender: &UserId, client_id: &str, words: &str) -> Message {
    Message {
        client_id: Some(ClientId::new(client_id).unwrap()),
        ..text(sender, words)
    }
}

/// Finds or makes the direct conversation of two users, as the engine does.
fn open_direct(a: &UserId, b: &UserId) -> Change {
    let pair = DirectPair::new(a, b).unwrap();
    let conversation = direct_conversation(a, b);
    Change::new(Needs::new(Target::Direct(pair)), move |facts| {
        if facts.conversation.is_some() {
            return Ok(Writes::none());
        }
        let id = conversation.id;
        let pair = conversation.pair.as_ref().unwrap();
        Ok(Writes {
            members: vec![member(id, pair.low()), member(id, pair.high())],
            conversation: Some(conversation.clone()),
            ..Writes::none()
        })
    })
}

/// Whoever opens a direct conversation, and however many at once, there is one.
pub async fn a_pair_has_one_conversation(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let calls = (0..16).map(|n| {
        let (store, a, b) = (store.clone(), ann.clone(), bob.clone());
        tokio::spawn(async move {
            let change = if n % 2 == 0 {
                open_direct(&a, &b)
            } else {
                open_direct(&b, &a)
            };
            commit_one(&store, change).await.unwrap();
            let pair = DirectPair::new(&a, &b).unwrap();
            store.direct(&pair).await.unwrap().unwrap().id
        })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let ids: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    for user in [&ann, &bob] {
        assert_eq!(store.conversation_ids(user, None).await.unwrap(), [ids[0]]);
    }
}

/// Two openings inside one slice make one conversation.
pub async fn a_pair_has_one_conversation_in_a_slice(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let slice = vec![
        open_direct(&ann, &bob),
        open_direct(&bob, &ann),
        open_direct(&ann, &cid),
        open_direct(&ann, &bob),
    ];
    for answer in answers(&store, slice).await {
        answer.unwrap();
    }
    assert_eq!(store.conversation_ids(&ann, None).await.unwrap().len(), 2);
    assert_eq!(store.conversation_ids(&bob, None).await.unwrap().len(), 1);
}

/// A second conversation of a pair is never stored, even when a decision asks for it.
pub async fn a_second_conversation_of_a_pair_is_not_stored(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::direct(&store, &ann, &bob).await;
    let second = direct_conversation(&bob, &ann);
    let id = second.id;
    let change = Change::new(Needs::new(Target::Conversation(id)), move |_| {
        Ok(Writes {
            members: vec![member(id, second.pair.as_ref().unwrap().low())],
            conversation: Some(second.clone()),
            ..Writes::none()
        })
    });
    assert!(is_refused(&store, change).await);
    assert!(store.conversations(&[id]).await.unwrap().is_empty());
    assert!(store.member(id, &ann).await.unwrap().is_none());
    let pair = DirectPair::new(&ann, &bob).unwrap();
    assert_eq!(store.direct(&pair).await.unwrap().unwrap().id, room.id);
}

/// A send repeated inside one slice is one message.
pub async fn a_send_is_one_message_in_a_slice(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let slice = vec![
        append(room.id, once(&ann, "c-1", "first")),
        append(room.id, once(&ann, "c-1", "again")),
        append(room.id, once(&bob, "c-1", "another sender")),
        append(room.id, once(&ann, "c-2", "another key")),
        append(room.id, once(&ann, "c-1", "and again")),
        append(room.id, text(&ann, "no key")),
        append(room.id, text(&ann, "no key")),
    ];
    for answer in answers(&store, slice).await {
        answer.unwrap();
    }
    let page = room.history(&ann, Anchor::Newest, 9).await;
    let texts: Vec<_> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(
        texts,
        ["first", "another sender", "another key", "no key", "no key"]
    );
}

/// A send repeated in other slices, one after the other and at once, is one message.
pub async fn a_send_is_one_message_across_slices(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let other = Room::group(&store, &[&ann]).await;
    let calls = (0..16).map(|n| {
        let (room, ann) = (room.clone(), ann.clone());
        tokio::spawn(async move {
            let slice = vec![
                append(room.id, once(&ann, "c-1", "raced")),
                append(room.id, once(&ann, &format!("own-{n}"), "own")),
            ];
            for answer in answers(&room.store, slice).await {
                answer.unwrap();
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    commit_one(&store, append(room.id, once(&ann, "c-1", "later")))
        .await
        .unwrap();
    assert_eq!(room.row().await.last_seq, 17);
    commit_one(&store, append(other.id, once(&ann, "c-1", "elsewhere")))
        .await
        .unwrap();
    assert_eq!(other.row().await.last_seq, 1);
}

/// A second message with the same number is never stored, nor anything that was to be written with it.
pub async fn a_second_message_with_a_seq_is_not_stored(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let first = room.say(&ann, "first").await;
    let second = Message {
        conversation_id: room.id,
        seq: first.seq,
        rev: 9,
        created_at: at(9),
        ..text(&bob, "second")
    };
    let (id, conversation) = (second.id, room.row().await);
    let mut moved = conversation.clone();
    moved.rev = 9;
    let change = Change::new(room.needs(), move |_| {
        Ok(Writes {
            conversation: Some(moved.clone()),
            messages: vec![second.clone()],
            ..Writes::none()
        })
    });
    assert!(is_refused(&store, change).await);
    assert!(store.messages(&[id]).await.unwrap().is_empty());
    assert_eq!(room.message(first.id).await, first);
    assert_eq!(room.row().await, conversation);
}

/// A second message with the same sender and client id is never stored, even when a decision did not look.
pub async fn a_second_message_with_a_client_id_is_not_stored(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let first = room.send(once(&ann, "c-1", "first")).await;
    let second = Message {
        conversation_id: room.id,
        seq: 2,
        rev: 3,
        created_at: at(9),
        ..once(&ann, "c-1", "second")
    };
    let id = second.id;
    let change = Change::new(room.needs(), move |_| {
        Ok(Writes {
            messages: vec![second.clone()],
            ..Writes::none()
        })
    });
    assert!(is_refused(&store, change).await);
    assert!(store.messages(&[id]).await.unwrap().is_empty());
    assert_eq!(room.message(first.id).await, first);
}

/// A client id stays taken by a deleted message, and free after a refusal.
pub async fn a_client_id_lives_as_long_as_its_message(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let mut needs = room.needs();
    needs.replay = Some((ann.clone(), ClientId::new("c-1").unwrap()));
    let refused = Change::new(needs, |facts| {
        assert!(facts.replay.is_none());
        Err(ErrorCode::SlowMode.into())
    });
    assert!(commit_one(&store, refused).await.is_err());
    let sent = room.send(once(&ann, "c-1", "now")).await;
    room.delete(&sent).await;
    commit_one(&store, append(room.id, once(&ann, "c-1", "again")))
        .await
        .unwrap();
    assert_eq!(room.row().await.last_seq, 1);
    assert!(room.message(sent.id).await.is_deleted());
}

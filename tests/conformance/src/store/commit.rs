//! Cases for [`commit`](chat_core::store::ConversationStore::commit): atomic, in order, serialised by conversation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Advance, AttachmentState, Hide, Message, ReadAudience, Role};
use chat_core::store::{Anchor, Change, MembersNeeded, Writes};
use uuid::Uuid;

use crate::fixtures::{
    AnyStore, Room, answers, append, at, attachment, commit_one, group_conversation, member, people, see,
    system, text,
};

async fn joined<T: Send + 'static>(calls: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let answers = futures::future::join_all(calls).await;
    answers.into_iter().map(Result::unwrap).collect()
}

async fn texts(room: &Room, user: &UserId) -> Vec<String> {
    let page = room.history(user, Anchor::Newest, 100).await;
    page.messages.into_iter().map(|m| m.text).collect()
}

/// Everything a change writes is there when it was answered.
pub async fn all_writes_of_a_change_happen(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let conversation = group_conversation(&ann);
    let room = Room {
        store: store.clone(),
        id: conversation.id,
    };
    let mut file = attachment(&ann);
    store.add_attachment(file.clone()).await.unwrap();
    let message = Message {
        conversation_id: room.id,
        seq: 1,
        rev: 1,
        created_at: at(1),
        ..text(&ann, "hi")
    };
    file.state = AttachmentState::Attached;
    let writes = Writes {
        conversation: Some(conversation),
        members: vec![member(room.id, &ann), member(room.id, &bob)],
        advances: vec![Advance {
            conversation_id: room.id,
            user_id: bob.clone(),
            read: Some(ReadAudience::Everyone),
            from: 0,
            to: 1,
            at: at(2),
        }],
        reactions_added: vec![room.reaction(&bob, &message, "👍", at(3))],
        hides: vec![Hide {
            user_id: bob.clone(),
            conversation_id: room.id,
            message_id: message.id,
            seq: 1,
            rev: 1,
        }],
        attachments: vec![file.clone()],
        user_revs: vec![(bob.clone(), 7)],
        messages: vec![message.clone()],
        ..Writes::none()
    };
    room.write(writes.clone()).await;
    assert_eq!(Some(room.row().await), writes.conversation);
    assert_eq!(room.member(&ann).await, writes.members[0]);
    assert_eq!(room.member(&bob).await, writes.members[1]);
    assert_eq!(room.message(message.id).await, message);
    let times = store
        .mark_times(room.id, 1, std::slice::from_ref(&bob), ReadAudience::Everyone)
        .await
        .unwrap();
    assert_eq!(times[&bob].read_at, Some(at(2)));
    let mut needs = room.needs();
    needs.reactions = Some(message.id);
    assert_eq!(see(&store, needs).await.reactions, writes.reactions_added);
    let hidden = store.hidden_among(&bob, &[message.id]).await.unwrap();
    assert_eq!(hidden, [message.id]);
    assert_eq!(store.attachments(&[file.id]).await.unwrap(), [file]);
    assert_eq!(store.users(&[bob]).await.unwrap()[0].user_rev, 7);
}

/// A refusal comes back as it was given, and nothing was written.
pub async fn a_refusal_comes_back_and_writes_nothing(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let before = room.row().await;
    let refusal = || {
        ChatError::new(ErrorCode::VersionConflict, "too late")
            .with_field("text")
            .with_fact("version", 3)
    };
    let refused = Change::new(room.needs(), move |_| Err(refusal()));
    let answer = commit_one(&store, refused).await.unwrap_err();
    assert_eq!(
        (answer.code(), answer.detail()),
        (ErrorCode::VersionConflict, "too late")
    );
    assert_eq!(answer.field(), Some("text"));
    assert_eq!(answer.details()["version"], 3);
    assert_eq!(room.row().await, before);
}

/// A panic in one decision of a slice is an internal error of that change and of no other.
pub async fn a_panic_in_a_decision_does_not_stop_the_others(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let answers = answers(
        &store,
        vec![
            append(room.id, text(&ann, "one")),
            Change::new(room.needs(), |_| {
                panic!("a bug in a decision, and part of this test")
            }),
            append(room.id, text(&ann, "two")),
        ],
    )
    .await;
    let codes: Vec<_> = (answers.iter())
        .map(|answer| answer.as_ref().err().map(ChatError::code))
        .collect();
    assert_eq!(codes, [None, Some(ErrorCode::Internal), None]);
    assert_eq!(texts(&room, &ann).await, ["one", "two"]);
}

/// A refused change of a slice does not stop the others, whether they come before or after it.
pub async fn a_refused_change_does_not_stop_the_others(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let nowhere = ConversationId::from_uuid(Uuid::now_v7());
    let answers = answers(
        &store,
        vec![
            append(nowhere, text(&ann, "lost")),
            append(room.id, text(&ann, "one")),
            append(nowhere, text(&ann, "lost")),
            append(room.id, text(&ann, "two")),
            append(nowhere, text(&ann, "lost")),
        ],
    )
    .await;
    let refused: Vec<bool> = answers.iter().map(Result::is_err).collect();
    assert_eq!(refused, [true, false, true, false, true]);
    assert_eq!(texts(&room, &ann).await, ["one", "two"]);
    assert_eq!(room.row().await.last_seq, 2);
}

/// Changes of one slice take effect in its order, each seeing the writes of those before it.
pub async fn a_slice_takes_effect_in_its_order(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let other = Room::group(&store, &[&ann]).await;
    let first = text(&ann, "0");
    let mut needs = room.needs();
    needs.messages = vec![first.id];
    needs.reactions = Some(first.id);
    needs.hidden_by = Some(bob.clone());
    needs.members = MembersNeeded::Of(vec![bob.clone()]);
    needs.user_revs = vec![bob.clone()];
    let mut changes = vec![append(room.id, first.clone())];
    let (id, reaction) = (first.id, room.reaction(&bob, &first, "👍", at(1)));
    let (bobs, there) = (bob.clone(), room.id);
    changes.push(Change::new(needs.clone(), move |facts| {
        let mut member = facts.members[&bobs].clone();
        member.role = Role::Admin;
        let hide = Hide {
            user_id: bobs.clone(),
            conversation_id: there,
            message_id: id,
            seq: facts.messages[&id].seq,
            rev: 2,
        };
        Ok(Writes {
            members: vec![member],
            reactions_added: vec![reaction.clone()],
            hides: vec![hide],
            user_revs: vec![(bobs.clone(), facts.user_revs[&bobs] + 5)],
            ..Writes::none()
        })
    }));
    let bobs = bob.clone();
    changes.push(Change::new(needs, move |facts| {
        let whole = facts.members[&bobs].role == Role::Admin
            && facts.messages.contains_key(&id)
            && facts.reactions.len() == 1
            && facts.hidden.contains(&id)
            && facts.user_revs[&bobs] == 5;
        whole.then(Writes::none).ok_or(ErrorCode::Conflict.into())
    }));
    changes.push(append(other.id, text(&ann, "aside")));
    changes.extend((1..20).map(|n| append(room.id, text(&ann, &n.to_string()))));
    for answer in answers(&store, changes).await {
        answer.unwrap();
    }
    let expected: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(texts(&room, &ann).await, expected);
}

/// A decision without writes, and a slice without changes, change nothing.
pub async fn empty_writes_change_nothing(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let before = room.row().await;
    commit_one(&store, Change::new(room.needs(), |_| Ok(Writes::none())))
        .await
        .unwrap();
    assert!(store.commit(&[]).await.unwrap().is_empty());
    assert_eq!(room.row().await, before);
}

/// A row with the same key replaces the one before, whole.
pub async fn rows_are_replaced_by_their_key(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = Message {
        mentions: vec![bob.clone()],
        ..text(&ann, "first")
    };
    let message = room.send(message).await;
    room.edit(&message, |message| {
        message.text = "second".to_owned();
        message.mentions.clear();
        message.version = 2;
        message.edited_at = Some(at(9));
    })
    .await;
    let edited = room.message(message.id).await;
    assert_eq!((edited.text.as_str(), edited.version), ("second", 2));
    assert!(edited.mentions.is_empty());
    assert_eq!((edited.seq, edited.created_at), (message.seq, message.created_at));
    assert_eq!(room.entry(&bob).await.mention_count, 0);
    room.set_public(&bob, |_, member| member.role = Role::Admin).await;
    assert_eq!(store.member_ids(room.id).await.unwrap().len(), 2);
    assert_eq!(room.history(&ann, Anchor::Newest, 9).await.messages, [edited]);
}

/// Reactions go one by one, or all those of a message.
pub async fn reactions_are_added_removed_and_cleared(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let message = room.say(&ann, "hi").await;
    let other = room.say(&ann, "ho").await;
    for (user, emoji, seconds) in [(&ann, "👍", 1), (&bob, "👍", 2), (&bob, "❤", 3), (&bob, "👍🏽", 4)]
    {
        room.react(user, &message, emoji, at(seconds)).await;
        room.react(user, &other, emoji, at(seconds)).await;
    }
    let kept = async |message: &Message| {
        let mut needs = room.needs();
        needs.reactions = Some(message.id);
        let reactions = see(&store, needs).await.reactions;
        reactions
            .into_iter()
            .map(|r| (r.user_id, r.emoji))
            .collect::<Vec<_>>()
    };
    let gone = room.reaction(&bob, &message, "👍", at(99));
    let absent = room.reaction(&ann, &message, "❤", at(99));
    room.write(Writes {
        reactions_removed: vec![gone, absent],
        ..Writes::none()
    })
    .await;
    let left = [(ann.clone(), "👍"), (bob.clone(), "❤"), (bob.clone(), "👍🏽")];
    assert_eq!(
        kept(&message).await,
        left.map(|(user, emoji)| (user, emoji.to_owned()))
    );
    room.react(&bob, &message, "❤", at(3)).await;
    assert_eq!(kept(&message).await.len(), 3, "adding the same again adds none");
    room.write(Writes {
        reactions_cleared: vec![message.id],
        ..Writes::none()
    })
    .await;
    assert!(kept(&message).await.is_empty());
    assert_eq!(kept(&other).await.len(), 4);
}

/// 64 concurrent appends to one conversation get the numbers 1 to 64, each once.
pub async fn concurrent_appends_are_numbered_densely(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let messages: Vec<Message> = (0..64).map(|n| text(&ann, &n.to_string())).collect();
    let ids: Vec<_> = messages.iter().map(|m| m.id).collect();
    let calls = messages.into_iter().map(|message| {
        let room = room.clone();
        tokio::spawn(async move { commit_one(&room.store, append(room.id, message)).await })
    });
    for answer in joined(calls.collect()).await {
        answer.unwrap();
    }
    let stored = store.messages(&ids).await.unwrap();
    let mut seqs: Vec<u64> = stored.iter().map(|m| m.seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=64).collect::<Vec<_>>());
    let row = room.row().await;
    assert_eq!((row.last_seq, row.rev), (64, 65));
    let page = room.history(&ann, Anchor::Newest, 100).await;
    assert!(page.messages.windows(2).all(|w| w[0].rev < w[1].rev));
}

/// Concurrent slices over several conversations keep their own order in each, without gaps.
pub async fn concurrent_slices_keep_their_order(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let rooms = [
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    ];
    let calls = (0..8).map(|slice| {
        let (rooms, ann) = (rooms.clone(), ann.clone());
        tokio::spawn(async move {
            // Half of the slices visit the conversations in the other order, as a store that locks row by row would
            // not like it.
            let changes = (0..10).map(|n| {
                let room = &rooms[(n + slice) % 2];
                append(room.id, text(&ann, &format!("{slice} {n}")))
            });
            for answer in answers(&rooms[0].store, changes.collect()).await {
                answer.unwrap();
            }
        })
    });
    joined(calls.collect()).await;
    for room in &rooms {
        let page = room.history(&ann, Anchor::Newest, 100).await.messages;
        let seqs: Vec<u64> = page.iter().map(|m| m.seq).collect();
        assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
        for slice in 0..8 {
            let own = page
                .iter()
                .filter_map(|m| m.text.strip_prefix(&format!("{slice} ")));
            let order: Vec<&str> = own.collect();
            assert_eq!(order.len(), 5);
            assert!(order.is_sorted(), "{order:?}");
        }
    }
}

/// No reader sees a message while an earlier one may still appear.
pub async fn readers_see_no_gaps(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let writers = [&ann, &bob].map(|user| {
        let (room, user) = (room.clone(), user.clone());
        tokio::spawn(async move {
            for n in 0..20 {
                let change = append(room.id, text(&user, &n.to_string()));
                commit_one(&room.store, change).await.unwrap();
            }
        })
    });
    let mut seen = 0;
    while seen < 40 {
        let page = room.history(&ann, Anchor::After(0), 100).await.messages;
        let seqs: Vec<u64> = page.iter().map(|m| m.seq).collect();
        let expected = 1..=u64::try_from(seqs.len()).unwrap();
        assert_eq!(seqs, expected.collect::<Vec<_>>());
        assert!(seqs.len() >= seen, "what was seen stays");
        seen = seqs.len();
        if writers.iter().all(tokio::task::JoinHandle::is_finished) {
            assert_eq!(room.history(&ann, Anchor::After(0), 100).await.messages.len(), 40);
            break;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// A file that changes of several conversations want at the same time goes to one of them.
pub async fn a_contested_file_is_attached_once(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let file = attachment(&ann);
    store.add_attachment(file.clone()).await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..8 {
        let room = Room::group(&store, &[&ann]).await;
        let mut needs = room.needs();
        needs.attachments = vec![file.id];
        let id = file.id;
        let change = Change::new(needs, move |facts| {
            let mut file = facts.attachments[&id].clone();
            if file.state != AttachmentState::Pending {
                return Err(ErrorCode::Conflict.into());
            }
            file.state = AttachmentState::Attached;
            Ok(Writes {
                attachments: vec![file],
                ..Writes::none()
            })
        });
        let store = store.clone();
        calls.push(tokio::spawn(async move { commit_one(&store, change).await }));
    }
    let attached = joined(calls).await.into_iter().filter(Result::is_ok);
    assert_eq!(attached.count(), 1);
}

/// `user_rev` counts every change of a user's private state, also when they are in different conversations.
pub async fn concurrent_changes_share_no_user_rev(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut calls = Vec::new();
    for n in 0..8 {
        let room = Room::group(&store, &[&ann]).await;
        let mut needs = room.needs();
        needs.user_revs = vec![ann.clone()];
        let user = ann.clone();
        let change = Change::new(needs, move |facts| {
            Ok(Writes {
                user_revs: vec![(user.clone(), facts.user_revs[&user] + 1)],
                ..Writes::none()
            })
        });
        let (store, ann, bob) = (store.clone(), ann.clone(), bob.clone());
        calls.push(tokio::spawn(async move {
            commit_one(&store, change).await.unwrap();
            if n == 0 {
                store.set_block(&ann, &bob, true, at(1)).await.unwrap();
            }
        }));
    }
    joined(calls).await;
    assert_eq!(store.users(&[ann]).await.unwrap()[0].user_rev, 9);
}

/// A call that is dropped on its way happened whole or not at all.
pub async fn a_dropped_call_leaves_nothing_half_done(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    for patience in 0..40 {
        let slice = [
            append(room.id, text(&ann, "a")),
            append(room.id, system(&ann, "renamed")),
        ];
        let impatience = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            answer = store.commit(&slice) => assert!(answer.unwrap().iter().all(Result::is_ok)),
            () = impatience => {}
        }
    }
    room.say(&ann, "still alive").await;
    let row = room.row().await;
    let page = room.history(&ann, Anchor::After(0), 1_000).await.messages;
    let seqs: Vec<u64> = page.iter().map(|m| m.seq).collect();
    assert_eq!(seqs, (1..=row.last_seq).collect::<Vec<_>>());
    assert_eq!(row.rev, row.last_seq + 1);
}

/// A decision may run again; what counts is its last answer, written once.
pub async fn a_repeated_decision_counts_once(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let calls = (0..16).map(|_| {
        let (store, counter) = (store.clone(), runs.clone());
        let change = Change::new(room.needs(), move |facts| {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut conversation = facts.conversation.clone().unwrap();
            conversation.rev += 1;
            Ok(Writes {
                conversation: Some(conversation),
                ..Writes::none()
            })
        });
        tokio::spawn(async move { commit_one(&store, change).await.unwrap() })
    });
    joined(calls.collect()).await;
    assert!(runs.load(Ordering::SeqCst) >= 16);
    assert_eq!(room.row().await.rev, 17);
}

//! Cases for [`AttachmentStore`](chat_core::store::AttachmentStore).

use chat_core::id::{AttachmentId, ConversationId, MessageId, UserId};
use chat_core::model::{Attachment, AttachmentKind, AttachmentState, Content, Message};
use chat_core::store::{Change, Purge, Writes};
use uuid::Uuid;

use crate::fixtures::{AnyStore, NOW, Room, at, attachment, commit_one, people, see, text, tombstone, user};

async fn state(store: &AnyStore, id: AttachmentId) -> AttachmentState {
    store.attachments(&[id]).await.unwrap()[0].state
}

async fn stale(store: &AnyStore, seconds: u64, limit: usize) -> Vec<AttachmentId> {
    let files = store.stale_attachments(at(seconds), None, limit).await.unwrap();
    files.into_iter().map(|file| file.id).collect()
}

/// Sends a message that shows these files.
async fn show(room: &Room, sender: &UserId, files: &[AttachmentId]) -> Message {
    let content = Content {
        attachments: files.to_vec(),
        ..Content::default()
    };
    let message = Message {
        content,
        ..text(sender, "look")
    };
    room.send(message).await
}

async fn shown_by(store: &AnyStore, id: AttachmentId, within: &[ConversationId]) -> Vec<MessageId> {
    store.shown_by(id, Some(within), None, 99).await.unwrap()
}

/// Deletes a message for everyone, and its file with it when no other message shows it.
fn deletion(room: &Room, message: &Message) -> Change {
    let mut needs = room.needs();
    needs.messages = vec![message.id];
    needs.attachments.clone_from(&message.content.attachments);
    let message = message.clone();
    Change::new(needs, move |facts| {
        let mut conversation = facts.conversation.clone().unwrap();
        conversation.rev += 1;
        let gone = facts.attachments.values();
        let gone = gone.filter(|file| facts.file_uses.get(&file.id).is_none_or(|uses| *uses < 2));
        let gone = gone.map(|file| Attachment {
            state: AttachmentState::Deleted,
            ..file.clone()
        });
        Ok(Writes {
            messages: vec![Message {
                rev: conversation.rev,
                ..tombstone(&message)
            }],
            attachments: gone.collect(),
            conversation: Some(conversation),
            ..Writes::none()
        })
    })
}

/// Every field of a file comes back as it was written.
pub async fn a_file_comes_back_whole(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let plain = attachment(&ann);
    let full = Attachment {
        kind: AttachmentKind::Video,
        filename: "Früh 👩\u{200d}👧.mp4".to_owned(),
        mime_type: "video/mp4".to_owned(),
        size: u64::from(u32::MAX) + 1,
        duration_ms: Some(9_000_000_000),
        state: AttachmentState::Attached,
        created_at: at(9),
        ..attachment(&ann)
    };
    let bare = Attachment {
        kind: AttachmentKind::File,
        width: None,
        height: None,
        ..attachment(&ann)
    };
    let mut all = vec![plain, full, bare];
    for file in &all {
        store.add_attachment(file.clone()).await.unwrap();
    }
    let mut ids: Vec<_> = all.iter().map(|file| file.id).collect();
    ids.push(AttachmentId::from_uuid(Uuid::now_v7()));
    let mut found = store.attachments(&ids).await.unwrap();
    found.sort_by_key(|file| file.id);
    all.sort_by_key(|file| file.id);
    assert_eq!(found, all);
    assert!(store.attachments(&[]).await.unwrap().is_empty());
}

/// A file moves only from the state it is in.
pub async fn a_file_moves_from_the_state_it_is_in(store: AnyStore) {
    use AttachmentState::{Attached, Avatar, Deleted, Pending};
    let [ann] = people(&store, ["ann"]).await;
    let file = attachment(&ann);
    store.add_attachment(file.clone()).await.unwrap();
    for (from, to, moved) in [
        (Attached, Deleted, false),
        (Pending, Avatar, true),
        (Pending, Attached, false),
        (Avatar, Deleted, true),
        (Avatar, Pending, false),
    ] {
        assert_eq!(store.move_attachment(file.id, from, to).await.unwrap(), moved);
    }
    assert_eq!(state(&store, file.id).await, Deleted);
    let unknown = AttachmentId::from_uuid(Uuid::now_v7());
    assert!(!store.move_attachment(unknown, Pending, Avatar).await.unwrap());
}

/// Of concurrent moves from one state exactly one happens.
pub async fn of_concurrent_moves_one_happens(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let file = attachment(&ann);
    store.add_attachment(file.clone()).await.unwrap();
    let calls = (0..12).map(|n| {
        let (store, id) = (store.clone(), file.id);
        let to = if n % 2 == 0 {
            AttachmentState::Avatar
        } else {
            AttachmentState::Deleted
        };
        tokio::spawn(async move {
            let moved = store.move_attachment(id, AttachmentState::Pending, to).await;
            moved.unwrap().then_some(to)
        })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let moved: Vec<_> = answers.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(moved, [state(&store, file.id).await]);
}

/// Deleted files are stale, and unused ones from before the time given; others never.
pub async fn deleted_and_long_unused_files_are_stale(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let mut ids = Vec::new();
    for (state, seconds) in [
        (AttachmentState::Pending, 9),
        (AttachmentState::Pending, 10),
        (AttachmentState::Deleted, 20),
        (AttachmentState::Attached, 1),
        (AttachmentState::Avatar, 1),
    ] {
        let file = Attachment {
            state,
            created_at: at(seconds),
            ..attachment(&ann)
        };
        ids.push(file.id);
        store.add_attachment(file).await.unwrap();
    }
    let mut expected = vec![ids[0], ids[2]];
    expected.sort_unstable();
    assert_eq!(stale(&store, 10, 9).await, expected);
    assert_eq!(stale(&store, 5, 9).await, [ids[2]]);
    assert_eq!(stale(&store, 11, 9).await.len(), 3);
    let first = stale(&store, 11, 2).await;
    let rest = store
        .stale_attachments(at(11), first.last().copied(), 2)
        .await
        .unwrap();
    let mut all = ids[..3].to_vec();
    all.sort_unstable();
    assert_eq!(first, all[..2]);
    assert_eq!(rest.iter().map(|file| file.id).collect::<Vec<_>>(), all[2..]);
}

/// A forgotten file is gone; forgetting it again does no harm.
pub async fn a_forgotten_file_is_gone(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let (file, other) = (attachment(&ann), attachment(&ann));
    for file in [&file, &other] {
        store.add_attachment(file.clone()).await.unwrap();
    }
    store.forget_attachment(file.id).await.unwrap();
    store.forget_attachment(file.id).await.unwrap();
    let left = store.attachments(&[file.id, other.id]).await.unwrap();
    assert_eq!(left, std::slice::from_ref(&other));
    let stale = store.stale_attachments(NOW, None, 9).await.unwrap();
    assert_eq!(stale, [other]);
}

/// Messages that show a file are told by conversation, in order of id, a page at a time, as long as they show it.
pub async fn messages_that_show_a_file_are_told(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let (here, there) = (
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    );
    let (file, other) = (attachment(&ann), attachment(&ann));
    for file in [&file, &other] {
        store.add_attachment(file.clone()).await.unwrap();
    }
    let first = show(&here, &ann, &[file.id, other.id]).await;
    let second = show(&there, &ann, &[file.id]).await;
    let third = show(&here, &ann, &[other.id, file.id]).await;
    show(&here, &ann, &[]).await;
    let all = [here.id, there.id];
    assert_eq!(
        shown_by(&store, file.id, &all).await,
        [first.id, second.id, third.id]
    );
    assert_eq!(shown_by(&store, file.id, &[there.id]).await, [second.id]);
    assert_eq!(shown_by(&store, other.id, &all).await, [first.id, third.id]);
    assert!(shown_by(&store, file.id, &[]).await.is_empty());
    let everywhere = store.shown_by(file.id, None, Some(first.id), 9).await.unwrap();
    assert_eq!(everywhere, [second.id, third.id]);
    let page = store.shown_by(file.id, Some(&all), None, 2).await.unwrap();
    assert_eq!(page, [first.id, second.id]);
    let rest = store
        .shown_by(file.id, Some(&all), Some(second.id), 2)
        .await
        .unwrap();
    assert_eq!(rest, [third.id]);

    here.delete(&first).await;
    assert_eq!(shown_by(&store, file.id, &all).await, [second.id, third.id]);
    assert_eq!(shown_by(&store, other.id, &all).await, [third.id]);
    let kept = other.id;
    here.edit(&third, move |message| message.content.attachments = vec![kept])
        .await;
    assert_eq!(shown_by(&store, file.id, &all).await, [second.id]);
    assert_eq!(shown_by(&store, other.id, &all).await, [third.id]);
}

/// A decision sees how many messages show its files, wherever these are; a purge takes messages off.
pub async fn uses_of_files_are_counted(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let (here, there) = (
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    );
    let (file, other) = (attachment(&ann), attachment(&ann));
    for file in [&file, &other] {
        store.add_attachment(file.clone()).await.unwrap();
    }
    let mut needs = here.needs();
    needs.attachments = vec![file.id, other.id];
    let uses = async || {
        let facts = see(&store, needs.clone()).await;
        [&file, &other].map(|file| facts.file_uses.get(&file.id).copied().unwrap_or(0))
    };
    assert_eq!(uses().await, [0, 0]);
    show(&here, &ann, &[file.id, other.id]).await;
    assert_eq!(uses().await, [1, 1]);
    let copy = show(&there, &ann, &[file.id]).await;
    show(&there, &ann, &[file.id]).await;
    assert_eq!(uses().await, [3, 1]);
    there.delete(&copy).await;
    assert_eq!(uses().await, [2, 1]);
    let id = here.id;
    here.decide(here.needs(), move |facts| Writes {
        conversation: facts.conversation.clone(),
        purge: Some(Purge {
            conversation_id: id,
            below: 2,
        }),
        ..Writes::none()
    })
    .await;
    assert_eq!(uses().await, [1, 0]);
    assert!(shown_by(&store, other.id, &[here.id]).await.is_empty());
}

/// A file goes with the last message that shows it, and not before, also when both go at the same time.
pub async fn a_file_goes_with_the_last_message_that_shows_it(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let (here, there) = (
        Room::group(&store, &[&ann]).await,
        Room::group(&store, &[&ann]).await,
    );
    for round in 0..10 {
        let file = Attachment {
            state: AttachmentState::Attached,
            ..attachment(&user("ann"))
        };
        store.add_attachment(file.clone()).await.unwrap();
        let first = show(&here, &ann, &[file.id]).await;
        let second = show(&there, &ann, &[file.id]).await;
        let changes = [deletion(&here, &first), deletion(&there, &second)];
        if round == 0 {
            let [one, two] = changes;
            commit_one(&store, one).await.unwrap();
            assert_eq!(state(&store, file.id).await, AttachmentState::Attached);
            commit_one(&store, two).await.unwrap();
        } else {
            let calls = changes.map(|change| {
                let store = store.clone();
                tokio::spawn(async move { commit_one(&store, change).await.unwrap() })
            });
            futures::future::join_all(calls)
                .await
                .into_iter()
                .for_each(|call| call.unwrap());
        }
        assert_eq!(state(&store, file.id).await, AttachmentState::Deleted);
        assert_eq!(stale(&store, 0, 99).await, [file.id]);
        store.forget_attachment(file.id).await.unwrap();
    }
}

//! Cases for [`AttachmentStore`](chat_core::store::AttachmentStore).

use chat_core::id::AttachmentId;
use chat_core::model::{Attachment, AttachmentKind, AttachmentState};
use uuid::Uuid;

use crate::fixtures::{AnyStore, NOW, at, attachment, message_id, people};

async fn state(store: &AnyStore, id: AttachmentId) -> AttachmentState {
    store.attachments(&[id]).await.unwrap()[0].state
}

async fn stale(store: &AnyStore, seconds: u64, limit: usize) -> Vec<AttachmentId> {
    let files = store.stale_attachments(at(seconds), None, limit).await.unwrap();
    files.into_iter().map(|file| file.id).collect()
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
        message_id: Some(message_id()),
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

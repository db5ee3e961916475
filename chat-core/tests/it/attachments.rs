use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{DeletionScope, ForwardMessage, SendMessage};
use chat_core::engine::{NewUpload, Upload};
use chat_core::error::{BackendError, BackendErrorKind, BackendResult, ChatResult, ErrorCode};
use chat_core::id::{AttachmentId, ConversationId, MessageId};
use chat_core::model::{AttachmentKind, AttachmentState, MessageKind};
use chat_core::port::{MediaStore, MediaStream};
use chat_core::view::AttachmentView;
use futures::{StreamExt, TryStreamExt};

use crate::talk::{World, code, fault};

#[derive(Debug, Default)]
struct Shelf(Mutex<HashMap<AttachmentId, Vec<u8>>>);

impl Shelf {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl MediaStore for Shelf {
    async fn put(&self, id: AttachmentId, bytes: MediaStream) -> BackendResult<u64> {
        let bytes = bytes.try_concat().await?;
        let size = bytes.len() as u64;
        self.0.lock().unwrap().insert(id, bytes);
        Ok(size)
    }

    async fn open(&self, id: AttachmentId, range: Range<u64>) -> BackendResult<Option<MediaStream>> {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let part = self.0.lock().unwrap().get(&id).map(|bytes| bytes[range].to_vec());
        Ok(part.map(|bytes| futures::stream::iter([Ok(bytes)]).boxed()))
    }

    async fn delete(&self, id: AttachmentId) -> BackendResult<()> {
        self.0.lock().unwrap().remove(&id);
        Ok(())
    }
}

async fn world() -> (World, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    let adjust = |config: &mut chat_core::config::ChatConfig| config.limits.upload_bytes = 10;
    (
        World::build(adjust, Some(Arc::clone(&shelf) as Arc<dyn MediaStore>)).await,
        shelf,
    )
}

fn named(filename: &str) -> NewUpload {
    NewUpload {
        filename: filename.to_owned(),
        mime_type: "image/png".to_owned(),
        kind: AttachmentKind::Image,
        dimensions: Some((4, 3)),
    }
}

fn stream(chunks: &[&[u8]]) -> MediaStream {
    futures::stream::iter(chunks.iter().map(|chunk| Ok(chunk.to_vec())).collect::<Vec<_>>()).boxed()
}

async fn upload(world: &World, who: &str) -> AttachmentView {
    world
        .actor(who)
        .upload(named("../a.png"), stream(&[b"12345", b"67890"]))
        .await
        .unwrap()
}

async fn content(opened: ChatResult<Upload>) -> Vec<u8> {
    opened.unwrap().bytes.try_concat().await.unwrap()
}

#[tokio::test]
async fn an_upload_is_its_uploaders_until_a_message_shows_it() {
    let (world, _) = world().await;
    let file = upload(&world, "a").await;
    assert_eq!(
        (file.filename.as_str(), file.size, file.width),
        ("a.png", 10, Some(4))
    );
    assert_eq!(file.url, format!("/api/attachments/{}/content", file.id));
    assert_eq!(
        content(world.actor("a").attachment_content(file.id, 2..5).await).await,
        b"345"
    );
    for range in [0..11, 5..5, 11..12] {
        assert_eq!(
            fault(world.actor("a").attachment_content(file.id, range).await).1,
            "range"
        );
    }
    for who in ["b", "x"] {
        assert_eq!(
            code(world.actor(who).attachment(file.id).await),
            ErrorCode::AttachmentNotFound
        );
    }
    let d = world.direct("a", "b").await;
    let message = SendMessage {
        kind: MessageKind::Image,
        attachment_ids: vec![file.id],
        ..SendMessage::text(d, "")
    };
    let m = world.actor("a").send(message).await.unwrap().message;
    assert_eq!(
        content(world.actor("b").attachment_content(file.id, 0..10).await).await,
        b"1234567890"
    );
    assert_eq!(
        code(world.actor("x").attachment(file.id).await),
        ErrorCode::AttachmentNotFound
    );
    assert_eq!(
        code(world.actor("a").delete_attachment(file.id).await),
        ErrorCode::Conflict
    );
    world.delete("b", m.id, DeletionScope::Me).await.unwrap();
    assert_eq!(
        code(world.actor("b").attachment(file.id).await),
        ErrorCode::AttachmentNotFound
    );
    world.delete("a", m.id, DeletionScope::Everyone).await.unwrap();
    assert_eq!(
        code(world.actor("a").attachment(file.id).await),
        ErrorCode::AttachmentNotFound
    );
}

async fn forward(world: &World, who: &str, message: MessageId, to: ConversationId) -> MessageId {
    let forward = ForwardMessage {
        message_id: message,
        conversation_id: Some(to),
        recipient_id: None,
        client_id: None,
        silent: false,
        client_time: None,
    };
    let sent = world.actor(who).forward(forward).await.unwrap().message;
    assert_eq!(sent.attachments.expect("its files").len(), 1);
    sent.id
}

#[tokio::test]
async fn a_forwarded_file_lives_as_long_as_a_message_shows_it() {
    let (world, _) = world().await;
    let file = upload(&world, "a").await;
    let (ab, bc) = (world.direct("a", "b").await, world.direct("b", "c").await);
    let message = SendMessage {
        kind: MessageKind::Image,
        attachment_ids: vec![file.id],
        ..SendMessage::text(ab, "")
    };
    let original = world.actor("a").send(message).await.unwrap().message.id;
    let opens = async |who: &str| world.actor(who).attachment(file.id).await.is_ok();
    assert!(opens("b").await && !opens("c").await);
    let copy = forward(&world, "b", original, bc).await;
    let second = forward(&world, "c", copy, bc).await;
    assert!(opens("c").await && !opens("x").await);
    // It is in use: nobody can claim it as an upload of his own, nor take it away.
    let claim = SendMessage {
        kind: MessageKind::Image,
        attachment_ids: vec![file.id],
        ..SendMessage::text(ab, "")
    };
    assert_eq!(code(world.actor("a").send(claim).await), ErrorCode::Conflict);
    assert_eq!(
        code(world.actor("a").delete_attachment(file.id).await),
        ErrorCode::Conflict
    );

    world
        .delete("a", original, DeletionScope::Everyone)
        .await
        .unwrap();
    assert_eq!(world.upload_state(file.id).await, AttachmentState::Attached);
    assert!(opens("b").await && opens("c").await);
    world.delete("c", copy, DeletionScope::Me).await.unwrap();
    assert!(opens("c").await, "by the other copy");
    world.delete("b", copy, DeletionScope::Everyone).await.unwrap();
    assert!(opens("b").await);
    assert_eq!(
        content(world.actor("b").attachment_content(file.id, 0..10).await).await,
        b"1234567890"
    );
    world.delete("c", second, DeletionScope::Everyone).await.unwrap();
    assert_eq!(world.upload_state(file.id).await, AttachmentState::Deleted);
    assert!(!opens("a").await && !opens("b").await && !opens("c").await);
}

#[tokio::test]
async fn an_unused_upload_can_be_deleted_by_its_uploader() {
    let (world, shelf) = world().await;
    let file = upload(&world, "a").await;
    assert_eq!(
        code(world.actor("b").delete_attachment(file.id).await),
        ErrorCode::AttachmentNotFound
    );
    world.actor("a").delete_attachment(file.id).await.unwrap();
    assert_eq!(shelf.len(), 0);
    assert_eq!(
        code(world.actor("a").attachment(file.id).await),
        ErrorCode::AttachmentNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_upload_leaves_nothing() {
    let (world, shelf) = world().await;
    let a = world.actor("a");
    let big = a.upload(named("a"), stream(&[b"1234567890", b"1"])).await;
    assert_eq!(code(big), ErrorCode::PayloadTooLarge);
    assert_eq!(
        fault(a.upload(named("a"), stream(&[])).await),
        (ErrorCode::InvalidArgument, "file".to_owned())
    );
    let cut = BackendError::new(BackendErrorKind::Other, "test", "read");
    let cut = futures::stream::iter([Ok(b"1".to_vec()), Err(cut)]).boxed();
    assert_eq!(code(a.upload(named("a"), cut).await), ErrorCode::Internal);
    let idle = futures::stream::iter([Ok(b"1".to_vec())])
        .chain(futures::stream::pending())
        .boxed();
    assert_eq!(code(a.upload(named("a"), idle).await), ErrorCode::Unavailable);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(shelf.len(), 0);
}

#[tokio::test]
async fn without_a_media_store_nothing_is_taken() {
    let world = World::new().await;
    assert_eq!(
        code(world.actor("a").upload(named("a"), stream(&[b"1"])).await),
        ErrorCode::Unavailable
    );
}

/// Does not delete these.
#[derive(Debug, Default)]
struct Stubborn(Mutex<HashSet<AttachmentId>>);

#[async_trait]
impl MediaStore for Stubborn {
    async fn put(&self, _: AttachmentId, _: MediaStream) -> BackendResult<u64> {
        Ok(0)
    }

    async fn open(&self, _: AttachmentId, _: Range<u64>) -> BackendResult<Option<MediaStream>> {
        Ok(None)
    }

    async fn delete(&self, id: AttachmentId) -> BackendResult<()> {
        if self.0.lock().unwrap().contains(&id) {
            return Err(BackendError::new(BackendErrorKind::Other, "test", "delete"));
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn one_sweep_clears_everything_but_what_cannot_be_deleted() {
    let media = Arc::new(Stubborn::default());
    let world = crate::world::World::wired(
        |_| {},
        |builder| builder.with_media(Arc::clone(&media) as Arc<dyn MediaStore>),
    );
    let [ann] = world.users(["ann"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut files = Vec::new();
    for _ in 0..350 {
        let id = world.upload(&ann, AttachmentKind::Image).await;
        let gone = world
            .store()
            .move_attachment(id, AttachmentState::Pending, AttachmentState::Deleted)
            .await;
        assert!(gone.unwrap());
        files.push(id);
    }
    files.sort_unstable();
    // More than one batch of them, and in front of all others.
    media.0.lock().unwrap().extend(&files[..150]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let left = world.store().attachments(&files).await.unwrap();
    assert_eq!(left.iter().map(|file| file.id).collect::<Vec<_>>(), files[..150]);
    media.0.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.store().attachments(&files).await.unwrap().is_empty());
}

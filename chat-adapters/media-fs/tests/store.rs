//! The contract of a media store, on a folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failed expectation is a panic"
)]

use chat_core::error::{BackendError, BackendErrorKind, BackendResult};
use chat_core::id::AttachmentId;
use chat_core::port::{MediaStore, MediaStream};
use chat_media_fs::FsMediaStore;
use futures::StreamExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

fn id() -> AttachmentId {
    AttachmentId::from_uuid(Uuid::now_v7())
}

fn stream(chunks: Vec<BackendResult<Vec<u8>>>) -> MediaStream {
    futures::stream::iter(chunks).boxed()
}

async fn read(store: &FsMediaStore, id: AttachmentId, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
    let mut chunks = store.open(id, range).await.unwrap()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend(chunk.unwrap());
    }
    Some(bytes)
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn bytes_come_back_whole_and_in_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsMediaStore::open(folder.path()).await.unwrap();
    let (id, big) = (id(), vec![7_u8; 200_000]);
    let size = store
        .put(id, stream(vec![Ok(b"head".to_vec()), Ok(big.clone())]))
        .await
        .unwrap();
    assert_eq!(size, 200_004);
    assert_eq!(read(&store, id, 0..4).await.unwrap(), b"head");
    assert_eq!(read(&store, id, 2..6).await.unwrap(), b"ad\x07\x07");
    assert_eq!(read(&store, id, 0..size).await.unwrap().len(), 200_004);
    assert_eq!(read(&store, id, 4..4).await.unwrap(), b"");
    // Also for a process that opens the folder later.
    let again = FsMediaStore::open(folder.path()).await.unwrap();
    assert_eq!(read(&again, id, 4..size).await.unwrap(), big);
}

#[tokio::test]
async fn a_cut_stream_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsMediaStore::open(folder.path()).await.unwrap();
    let id = id();
    let cut = BackendError::new(BackendErrorKind::Other, "test", "cut");
    let outcome = store.put(id, stream(vec![Ok(vec![1; 10]), Err(cut)])).await;
    assert_eq!(outcome.unwrap_err().kind(), BackendErrorKind::Other);
    assert!(read(&store, id, 0..1).await.is_none());
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsMediaStore::open(folder.path()).await.unwrap();
    let endless = stream(vec![Ok(vec![1; 10])])
        .chain(futures::stream::pending())
        .boxed();
    let put = tokio::time::timeout(Duration::from_millis(200), store.put(id(), endless));
    assert!(put.await.is_err());
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn delete_is_idempotent_and_absence_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsMediaStore::open(folder.path()).await.unwrap();
    let id = id();
    assert!(store.open(id, 0..1).await.unwrap().is_none());
    store.put(id, stream(vec![Ok(vec![1])])).await.unwrap();
    store.delete(id).await.unwrap();
    store.delete(id).await.unwrap();
    assert!(store.open(id, 0..1).await.unwrap().is_none());
}

#[tokio::test]
async fn old_left_overs_go_and_young_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    FsMediaStore::open(folder.path()).await.unwrap();
    let partials = folder.path().join("tmp");
    let old = std::fs::File::create(partials.join("old")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(7200))
        .unwrap();
    std::fs::File::create(partials.join("young")).unwrap();
    FsMediaStore::open(folder.path()).await.unwrap();
    assert!(!partials.join("old").exists());
    assert!(partials.join("young").exists());
}

#[tokio::test]
async fn a_file_shorter_than_its_range_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsMediaStore::open(folder.path()).await.unwrap();
    let id = id();
    store.put(id, stream(vec![Ok(vec![1, 2])])).await.unwrap();
    let chunks: Vec<_> = store.open(id, 0..5).await.unwrap().unwrap().collect().await;
    assert!(chunks.last().unwrap().is_err());
}

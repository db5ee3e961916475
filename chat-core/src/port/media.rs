use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::error::BackendResult;
use crate::id::AttachmentId;

/// Bytes on their way.
pub type MediaStream = BoxStream<'static, BackendResult<Vec<u8>>>;

/// Where bytes of files are kept, by id. Names and types are the attachment store's business.
///
/// # Contract
/// - `put` either keeps all bytes or nothing; a cut stream leaves nothing behind.
/// - `open` of an absent id is `None`.
#[async_trait]
pub trait MediaStore: Send + Sync + fmt::Debug {
    /// Keeps bytes under a new id and returns how many there were.
    async fn put(&self, id: AttachmentId, bytes: MediaStream) -> BackendResult<u64>;

    /// The bytes of a range, which lies inside the file.
    async fn open(&self, id: AttachmentId, range: Range<u64>) -> BackendResult<Option<MediaStream>>;

    /// Forgets the bytes; an absent id is fine.
    async fn delete(&self, id: AttachmentId) -> BackendResult<()>;
}

use std::io::{ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::AttachmentId;
use chat_core::port::{MediaStore, MediaStream};
use futures::StreamExt;
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::error::{cut_short, failed};
use crate::partial::Partial;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// What lies in `tmp` for so long belongs to nobody any more: no upload stands still for more than seconds.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// A [`MediaStore`] in a folder.
#[derive(Debug, Clone)]
pub struct FsMediaStore {
    folder: PathBuf,
    partials: PathBuf,
}

impl FsMediaStore {
    /// Opens the folder, makes it when it is not there, and clears away what a crash has left.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be made or read.
    pub async fn open(folder: impl AsRef<Path>) -> BackendResult<Self> {
        let folder = folder.as_ref().to_path_buf();
        let partials = folder.join("tmp");
        fs::create_dir_all(&partials).await.map_err(failed("open"))?;
        let store = Self { folder, partials };
        store.clear_left_overs().await.map_err(failed("open"))?;
        Ok(store)
    }

    async fn clear_left_overs(&self) -> std::io::Result<()> {
        let now = SystemTime::now();
        let mut entries = fs::read_dir(&self.partials).await?;
        while let Some(entry) = entries.next_entry().await? {
            let modified = entry.metadata().await.and_then(|about| about.modified());
            let age = modified.ok().and_then(|at| now.duration_since(at).ok());
            if age.is_some_and(|age| age > LEFT_OVER) {
                let _ = fs::remove_file(entry.path()).await;
            }
        }
        Ok(())
    }

    /// Where the bytes of an id are. The last digits are random; the first ones are a time, the same for weeks.
    fn path(&self, id: AttachmentId) -> PathBuf {
        let name = id.as_uuid().as_simple().to_string();
        let shelf: String = name.chars().skip(30).collect();
        self.folder.join(shelf).join(name)
    }
}

#[async_trait]
impl MediaStore for FsMediaStore {
    async fn put(&self, id: AttachmentId, mut bytes: MediaStream) -> BackendResult<u64> {
        let mut partial = Partial::create(&self.partials).await.map_err(failed("put"))?;
        let mut size = 0;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk?;
            partial.write(&chunk).await.map_err(failed("put"))?;
            size += chunk.len() as u64;
        }
        partial.keep_as(&self.path(id)).await.map_err(failed("put"))?;
        Ok(size)
    }

    async fn open(&self, id: AttachmentId, range: Range<u64>) -> BackendResult<Option<MediaStream>> {
        let mut file = match File::open(self.path(id)).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open")(error)),
        };
        file.seek(SeekFrom::Start(range.start))
            .await
            .map_err(failed("open"))?;
        let left = range.end.saturating_sub(range.start);
        let chunks = futures::stream::unfold(Some((file, left)), |state| async move {
            let (mut file, left) = state.filter(|(_, left)| *left > 0)?;
            let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
            match file.read(&mut chunk).await {
                Ok(0) => Some((Err(cut_short("read")), None)),
                Ok(read) => {
                    chunk.truncate(read);
                    Some((Ok(chunk), Some((file, left - read as u64))))
                }
                Err(error) => Some((Err(failed("read")(error)), None)),
            }
        });
        Ok(Some(chunks.boxed()))
    }

    async fn delete(&self, id: AttachmentId) -> BackendResult<()> {
        match fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("delete")(error)),
            _ => Ok(()),
        }
    }
}

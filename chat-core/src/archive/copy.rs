use super::{ArchiveKind, ArchiveStore};
use crate::error::BackendError;

/// Rows that are read, and written in one transaction, at a time.
const PAGE: usize = 500;

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// What is being copied.
    pub kind: ArchiveKind,
    /// Rows of this kind written.
    pub done: u64,
    /// Rows of this kind there are.
    pub of: u64,
}

/// Why a copy did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The store to fill holds rows already. Nothing was written.
    #[error("the store to fill is not empty: it has {count} {kind}")]
    NotEmpty {
        /// Of this kind.
        kind: ArchiveKind,
        /// So many.
        count: u64,
    },
    /// The store that is read failed. What was written until then is in the other one: empty it and start over.
    #[error("reading {kind} failed")]
    Read {
        /// What was read.
        kind: ArchiveKind,
        /// The store's word.
        #[source]
        error: BackendError,
    },
    /// The store to fill failed. What was written until then is in it: empty it and start over.
    #[error("writing {kind} failed")]
    Write {
        /// What was written.
        kind: ArchiveKind,
        /// The store's word.
        #[source]
        error: BackendError,
    },
    /// The copy has another number of rows than the original: somebody wrote meanwhile. Empty it and start over.
    #[error("{kind}: {read} were there and {written} are there now; was a server still running?")]
    Differs {
        /// Of which kind.
        kind: ArchiveKind,
        /// Rows of the original.
        read: u64,
        /// Rows of the copy.
        written: u64,
    },
}

/// Copies everything from one store into another, empty one. The bytes of files are no rows: whoever moves them moves
/// the media store.
///
/// `progress` is told after every page, and at the beginning of every kind.
///
/// # Errors
/// [`CopyError`]; only for [`NotEmpty`](CopyError::NotEmpty) the other store is as it was.
pub async fn copy(
    from: &dyn ArchiveStore,
    to: &dyn ArchiveStore,
    progress: &mut (dyn FnMut(Copied) + Send),
) -> Result<u64, CopyError> {
    for kind in ArchiveKind::ALL {
        let count = count(to, kind)
            .await
            .map_err(|error| CopyError::Write { kind, error })?;
        if count > 0 {
            return Err(CopyError::NotEmpty { kind, count });
        }
    }
    let mut rows = 0;
    for kind in ArchiveKind::ALL {
        rows += copy_kind(from, to, kind, progress).await?;
    }
    for kind in ArchiveKind::ALL {
        let read = count(from, kind)
            .await
            .map_err(|error| CopyError::Read { kind, error })?;
        let written = count(to, kind)
            .await
            .map_err(|error| CopyError::Write { kind, error })?;
        if read != written {
            return Err(CopyError::Differs { kind, read, written });
        }
    }
    Ok(rows)
}

async fn count(store: &dyn ArchiveStore, kind: ArchiveKind) -> Result<u64, BackendError> {
    store.archive_count(kind).await
}

async fn copy_kind(
    from: &dyn ArchiveStore,
    to: &dyn ArchiveStore,
    kind: ArchiveKind,
    progress: &mut (dyn FnMut(Copied) + Send),
) -> Result<u64, CopyError> {
    let read = |error| CopyError::Read { kind, error };
    let of = count(from, kind).await.map_err(read)?;
    let mut done = 0;
    progress(Copied { kind, done, of });
    let mut after = None;
    loop {
        let page = from
            .archive_rows(kind, after.as_ref(), PAGE)
            .await
            .map_err(read)?;
        let Some(last) = page.last() else {
            return Ok(done);
        };
        after = Some(last.clone());
        done += page.len() as u64;
        to.restore_rows(page)
            .await
            .map_err(|error| CopyError::Write { kind, error })?;
        progress(Copied { kind, done, of });
    }
}

//! Reading a store row by row.

use super::{ArchiveKind, ArchiveRow, ArchiveStore};
use crate::error::BackendResult;

/// Rows that are read at a time.
const PAGE: usize = 500;

/// Rows of one kind, one after the other.
pub(super) struct Rows<'s, S: ?Sized> {
    store: &'s S,
    kind: ArchiveKind,
    page: std::vec::IntoIter<ArchiveRow>,
    last: Option<ArchiveRow>,
    /// A row that was taken and put back.
    next: Option<ArchiveRow>,
    /// Rows read so far.
    pub(super) read: u64,
}

impl<'s, S: ArchiveStore + ?Sized> Rows<'s, S> {
    pub(super) fn new(store: &'s S, kind: ArchiveKind) -> Self {
        Self {
            store,
            kind,
            page: Vec::new().into_iter(),
            last: None,
            next: None,
            read: 0,
        }
    }

    pub(super) async fn next(&mut self) -> BackendResult<Option<ArchiveRow>> {
        if let Some(row) = self.next.take() {
            return Ok(Some(row));
        }
        if self.page.as_slice().is_empty() {
            let page = self
                .store
                .archive_rows(self.kind, self.last.as_ref(), PAGE)
                .await?;
            if let Some(last) = page.last() {
                self.last = Some(last.clone());
            }
            self.read += page.len() as u64;
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }

    pub(super) fn put_back(&mut self, row: ArchiveRow) {
        self.next = Some(row);
    }
}

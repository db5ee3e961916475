//! Cases for [`ArchiveStore`], an optional facet.

use std::sync::Arc;

use chat_core::archive::{ArchiveKind, ArchiveRow, ArchiveStore, CopyError, copy};
use chat_core::memory::MemoryStore;

use crate::fixtures::rows_of_every_kind;

type Archive = Arc<dyn ArchiveStore>;

/// Kinds whose rows are read in an order that the port names.
const ORDERED: [ArchiveKind; 6] = [
    ArchiveKind::Conversations,
    ArchiveKind::Members,
    ArchiveKind::Messages,
    ArchiveKind::Reactions,
    ArchiveKind::Audit,
    ArchiveKind::Outbox,
];

async fn read(archive: &dyn ArchiveStore, kind: ArchiveKind, limit: usize) -> Vec<ArchiveRow> {
    let mut rows: Vec<ArchiveRow> = Vec::new();
    loop {
        let page = archive.archive_rows(kind, rows.last(), limit).await.unwrap();
        assert!(page.len() <= limit, "{kind}");
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

/// The rows of a kind as they may be compared.
fn comparable(kind: ArchiveKind, rows: Vec<ArchiveRow>) -> Vec<String> {
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|row| match row {
            // A token is not printed.
            ArchiveRow::Device(device) => format!("{} {device:?}", device.token),
            row => format!("{row:?}"),
        })
        .collect();
    // Of one message, reactions have an order; of several messages they have none between them.
    if !ORDERED.contains(&kind) {
        rows.sort_unstable();
    }
    rows
}

/// Every row comes back as it went in, in pages of any size.
pub async fn rows_come_back_as_they_went_in(archive: Archive) {
    let given = rows_of_every_kind();
    archive.restore_rows(given.clone()).await.unwrap();
    for kind in ArchiveKind::ALL {
        let given: Vec<ArchiveRow> = given.iter().filter(|row| row.kind() == kind).cloned().collect();
        assert!(given.len() > 1, "{kind} are not tried");
        assert_eq!(
            archive.archive_count(kind).await.unwrap(),
            given.len() as u64,
            "{kind}"
        );
        let given = comparable(kind, given);
        for limit in [1, 2, 100] {
            assert_eq!(
                comparable(kind, read(&*archive, kind, limit).await),
                given,
                "{kind}"
            );
        }
    }
}

/// An empty store has no rows of any kind.
pub async fn an_empty_store_has_no_rows(archive: Archive) {
    for kind in ArchiveKind::ALL {
        assert_eq!(archive.archive_count(kind).await.unwrap(), 0, "{kind}");
        assert!(read(&*archive, kind, 10).await.is_empty(), "{kind}");
    }
}

/// A copy into another store and back holds what the original holds.
pub async fn a_copy_there_and_back_is_the_original(archive: Archive) {
    let (original, back) = (MemoryStore::default(), MemoryStore::default());
    original.restore_rows(rows_of_every_kind()).await.unwrap();
    let mut told = Vec::new();
    let rows = copy(&original, &*archive, &mut |copied| told.push(copied))
        .await
        .unwrap();
    assert_eq!(rows, rows_of_every_kind().len() as u64);
    for kind in ArchiveKind::ALL {
        let last = told.iter().rfind(|copied| copied.kind == kind).unwrap();
        assert_eq!(last.done, last.of, "{kind}");
    }
    copy(&*archive, &back, &mut |_| ()).await.unwrap();
    for kind in ArchiveKind::ALL {
        let (was, is) = (read(&original, kind, 100).await, read(&back, kind, 100).await);
        assert_eq!(comparable(kind, is), comparable(kind, was), "{kind}");
    }
}

/// A store with rows in it is not filled.
pub async fn a_store_that_is_not_empty_is_left_alone(archive: Archive) {
    archive.restore_rows(rows_of_every_kind()).await.unwrap();
    let refused = copy(&MemoryStore::default(), &*archive, &mut |_| ()).await;
    assert!(matches!(
        refused,
        Err(CopyError::NotEmpty {
            kind: ArchiveKind::Users,
            count: 3
        })
    ));
}

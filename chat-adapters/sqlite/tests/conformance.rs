//! The store against the conformance suite, in a file and in memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod file {
    use std::sync::Arc;

    use chat_core::time::SystemClock;
    use chat_sqlite::SqliteStore;
    use tempfile::TempDir;

    async fn open() -> Option<(TempDir, SqliteStore)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chat.db");
        let store = SqliteStore::from_path(path, Arc::new(SystemClock)).await.unwrap();
        Some((directory, store))
    }

    chat_conformance::store!(open, "sqlite");
    chat_conformance::accounts!(open, "sqlite");
    chat_conformance::archive!(open, "sqlite");
}

mod memory {
    use std::sync::Arc;

    use chat_core::time::SystemClock;
    use chat_sqlite::SqliteStore;

    async fn open() -> Option<((), SqliteStore)> {
        let store = SqliteStore::in_memory(Arc::new(SystemClock)).await.unwrap();
        Some(((), store))
    }

    chat_conformance::store!(open, "sqlite");
    chat_conformance::accounts!(open, "sqlite");
    chat_conformance::archive!(open, "sqlite");
}

//! The suite, run for the store in memory.

use chat_core::memory::MemoryStore;

async fn open() -> Option<((), MemoryStore)> {
    Some(((), MemoryStore::default()))
}

chat_conformance::store!(open, "memory");
chat_conformance::accounts!(open, "memory");
chat_conformance::archive!(open, "memory");

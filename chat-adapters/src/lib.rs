//! Adapters of the chat engine, each in a crate of its own and behind a feature of its own here.

#[cfg(feature = "sqlite")]
pub use chat_sqlite as sqlite;

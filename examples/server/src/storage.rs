//! The open store.

use std::path::Path;
use std::sync::Arc;

use chat_adapters::mongodb::{MongoConfig, MongoStore, OpenError};
use chat_adapters::postgres::{PostgresConfig, PostgresStore};
use chat_adapters::sqlite::SqliteStore;
use chat_core::archive::ArchiveStore;
use chat_core::memory::MemoryStore;
use chat_core::store::{AccountStore, Store};
use chat_core::time::Clock;

use crate::config::{SettingError, StoreSetting};

/// The file of the store sqlite, in the data folder.
pub(crate) const SQLITE_FILE: &str = "chat.db";

/// A store that can be read as a whole.
pub(crate) trait Whole: Store + ArchiveStore {}

impl<S: Store + ArchiveStore> Whole for S {}

/// An open store, by what it needs at the end. A further backend is a further arm here and in [`StoreSetting`].
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
    Mongodb(MongoStore),
    Memory(MemoryStore),
}

impl Storage {
    pub(crate) async fn open(
        setting: &StoreSetting,
        data_dir: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SettingError> {
        match setting {
            StoreSetting::Sqlite => {
                let file = data_dir.join(SQLITE_FILE);
                let store = SqliteStore::from_path(file, Arc::clone(clock))
                    .await
                    .map_err(|error| {
                        SettingError::new("CHAT_DATA_DIR", format!("chat.db in it: {}", chain(&error)))
                    })?;
                Ok(Self::Sqlite(store))
            }
            StoreSetting::Postgres { url, schema } => {
                let config = PostgresConfig::default()
                    .with_schema(schema.clone())
                    .with_migrate(true);
                let store = PostgresStore::connect(url, config, Arc::clone(clock))
                    .await
                    .map_err(|error| SettingError::new("DATABASE_URL", chain(&error)))?;
                Ok(Self::Postgres(store))
            }
            StoreSetting::Mongodb { url, prefix } => {
                let config = MongoConfig::default()
                    .with_prefix(prefix.clone())
                    .with_setup(true);
                let store = MongoStore::connect(url, config, Arc::clone(clock))
                    .await
                    .map_err(|error| match error {
                        OpenError::Prefix => SettingError::new("CHAT_MONGODB_PREFIX", error.to_string()),
                        // What the driver says of a URL or a server may name more than a log should have.
                        error => SettingError::new("MONGODB_URL", error.to_string()),
                    })?;
                Ok(Self::Mongodb(store))
            }
            StoreSetting::Memory => Ok(Self::Memory(MemoryStore::new(Arc::clone(clock)))),
        }
    }

    /// Everything in it, row by row.
    pub(crate) fn whole(&self) -> Arc<dyn Whole> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Mongodb(store) => Arc::new(store.clone()),
            Self::Memory(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Mongodb(store) => Arc::new(store.clone()),
            Self::Memory(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn accounts(&self) -> Arc<dyn AccountStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Mongodb(store) => Arc::new(store.clone()),
            Self::Memory(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
            Self::Mongodb(store) => store.close().await,
            Self::Memory(_) => {}
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

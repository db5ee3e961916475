//! A schema of its own for each case, in the database that `CHAT_TEST_DATABASE_URL` names.

use std::str::FromStr;
use std::sync::Arc;

use chat_conformance::fixtures::AnyStore;
use chat_core::time::SystemClock;
use chat_postgres::{PostgresConfig, PostgresStore, SchemaName};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, PgPool};
use uuid::Uuid;

/// Where the test server is; `None` when nobody started one.
pub fn url() -> Option<String> {
    std::env::var("CHAT_TEST_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// Drops the schema at the end.
#[derive(Debug)]
pub struct Guard {
    url: String,
    schema: SchemaName,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (url, schema) = (self.url.clone(), self.schema.clone());
        // The case's runtime may be ending; this one is short.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let mut connection = options(&url).connect().await.unwrap();
                let text = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
                // A case that failed may have left a lock; the server goes away with all of it in the end.
                drop(sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await);
            });
        });
        drop(dropped.join());
    }
}

pub fn options(url: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url)
        .unwrap()
        .disable_statement_logging()
}

/// A pool as a host has one: with settings of its own, and not knowing of chats.
pub async fn pool(url: &str, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .connect_with(options(url))
        .await
        .unwrap()
}

/// A fresh schema name, and settings for it.
pub fn space(url: &str) -> (Guard, PostgresConfig) {
    let schema = SchemaName::new(format!("chat_{}", Uuid::now_v7().simple())).unwrap();
    let guard = Guard {
        url: url.to_owned(),
        schema: schema.clone(),
    };
    let config = PostgresConfig::default().with_schema(schema).with_migrate(true);
    (guard, config)
}

/// A store in an empty schema; `None` when there is no server.
pub async fn open() -> Option<(Guard, PostgresStore)> {
    let url = url()?;
    let (guard, config) = space(&url);
    let pool = pool(&url, 8).await;
    let store = PostgresStore::open(pool, config, Arc::new(SystemClock))
        .await
        .unwrap();
    Some((guard, store))
}

pub fn any(store: &PostgresStore) -> AnyStore {
    Arc::new(store.clone())
}

pub async fn on(url: &str, config: &PostgresConfig) -> PostgresStore {
    PostgresStore::open(pool(url, 8).await, config.clone(), Arc::new(SystemClock))
        .await
        .unwrap()
}

pub async fn raw(url: &str) -> PgConnection {
    options(url).connect().await.unwrap()
}

pub async fn execute(connection: &mut PgConnection, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await
        .unwrap();
}

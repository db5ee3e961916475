//! A schema of its own for each case, on the server that `CHAT_TEST_DATABASE_URL` names.

use std::str::FromStr;
use std::sync::Arc;

use chat_core::time::Clock;
use chat_postgres::{PostgresConfig, PostgresStore, SchemaName};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use uuid::Uuid;

/// An empty schema, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Space {
    options: PgConnectOptions,
    schema: SchemaName,
}

impl Space {
    /// `None` without a server.
    pub(crate) fn new() -> Option<Self> {
        let url = std::env::var("CHAT_TEST_DATABASE_URL").unwrap_or_default();
        if url.is_empty() {
            let required = std::env::var("CHAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name.trim() == "postgres"),
                "postgres is required and not there"
            );
            eprintln!("skipped: CHAT_TEST_DATABASE_URL names no server");
            return None;
        }
        Some(Self {
            options: PgConnectOptions::from_str(&url)
                .unwrap()
                .disable_statement_logging(),
            schema: SchemaName::new(format!("chat_{}", Uuid::now_v7().simple())).unwrap(),
        })
    }

    pub(crate) async fn open(&self, clock: Arc<dyn Clock>) -> PostgresStore {
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_with(self.options.clone())
            .await
            .unwrap();
        let config = PostgresConfig::default()
            .with_schema(self.schema.clone())
            .with_migrate(true);
        PostgresStore::open(pool, config, clock).await.unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let (options, schema) = (self.options.clone(), self.schema.clone());
        // The case's runtime may be ending; this one is short.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let mut connection = options.connect().await.unwrap();
                let text = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
                // A case that failed may have left a lock; the server goes away with all of it in the end.
                drop(sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await);
            });
        });
        drop(dropped.join());
    }
}

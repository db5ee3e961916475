//! What reading costs with 10,000 and with 1,000,000 stored messages.
//!
//! `DATABASE_URL=postgres://… cargo run --release -p chat-postgres --example scale_postgres [-- messages]`
//!
//! Makes the schema `chat_scale` anew, fills and measures it twice, and leaves it there: `CHAT_PLANS_SCHEMA=chat_scale`
//! makes the ignored test `plans_of_a_filled_schema` print the plans of the hot statements on it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: what goes wrong ends it, and its output is what it is for"
)]

use std::sync::Arc;
use std::time::Instant;

use chat_conformance::growth::Growth;
use chat_core::time::SystemClock;
use chat_postgres::{PostgresConfig, PostgresStore, SchemaName};
use sqlx::{AssertSqlSafe, ConnectOptions};

#[tokio::main]
async fn main() {
    let large = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let url = std::env::var("DATABASE_URL").unwrap();
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut raw = options.disable_statement_logging().connect().await.unwrap();
    let schema = SchemaName::new("chat_scale").unwrap();
    let anew = AssertSqlSafe(format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"));
    sqlx::raw_sql(anew).execute(&mut raw).await.unwrap();
    let config = PostgresConfig::default()
        .with_schema(schema.clone())
        .with_migrate(true);
    let store = PostgresStore::connect(&url, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let mut growth = Growth::new(Arc::new(store.clone()), 300).await;
    for total in [10_000, large] {
        let began = Instant::now();
        growth.grow(total).await;
        // As the server does by itself after a while.
        for table in ["messages", "conversations", "members", "users"] {
            let text = AssertSqlSafe(format!("VACUUM ANALYZE \"{schema}\".chat_{table}"));
            sqlx::raw_sql(text).execute(&mut raw).await.unwrap();
        }
        println!(
            "{total} messages stored after {} s more",
            began.elapsed().as_secs()
        );
        growth.measure().await;
    }
    println!("\n{growth}");
    store.close().await;
}

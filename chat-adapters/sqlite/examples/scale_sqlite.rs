//! What reading costs with 10,000 and with 1,000,000 stored messages.
//!
//! `cargo run --release -p chat-sqlite --example scale_sqlite [-- messages]`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: what goes wrong ends it, and its output is what it is for"
)]

use std::sync::Arc;
use std::time::Instant;

use chat_conformance::growth::Growth;
use chat_core::time::SystemClock;
use chat_sqlite::{SqliteConfig, SqliteStore};

#[tokio::main]
async fn main() {
    let large = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(folder.path().join("chat.db"));
    let store = SqliteStore::open(config, Arc::new(SystemClock)).await.unwrap();
    let mut growth = Growth::new(Arc::new(store), 300).await;
    for total in [10_000, large] {
        let began = Instant::now();
        growth.grow(total).await;
        println!(
            "{total} messages stored after {} s more",
            began.elapsed().as_secs()
        );
        growth.measure().await;
    }
    println!("\n{growth}");
}

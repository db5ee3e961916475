//! A short run as part of the tests. Long ones, on every store, are `cargo xtask chaos`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what went wrong by failing"
)]

use std::time::Duration;

use chat_chaos::checker::{Bounds, check};
use chat_chaos::history;
use chat_chaos::play::{Plan, StoreKind, run, server_program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_a_short_run_on_sqlite_violates_nothing() {
    let Some(server) = server_program() else {
        let required = std::env::var("CHAT_REQUIRE").is_ok_and(|names| names.contains("server"));
        assert!(
            !required,
            "chat-server is not built and CHAT_SERVER_BIN does not name it"
        );
        eprintln!("skipped: chat-server is not built");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.jsonl");
    let plan = Plan {
        server,
        store: StoreKind::Sqlite,
        seconds: 12,
        seed: 1,
        clients: 20,
        pace: Duration::from_millis(600),
        folder: folder.path().to_path_buf(),
        history: history.clone(),
    };
    let kills = run(&plan).await.unwrap();
    let lines = history::read(&history).unwrap();
    let bounds = Bounds {
        // Other tests run at the same time: how late something may be is for long runs on a machine of their own.
        slack: Duration::from_secs(15),
        unknown: 200,
        ..Bounds::default()
    };
    let report = check(&lines, &bounds).unwrap();
    assert!(report.is_clean(), "{report}");
    let sent = report.looked_at.get("C7").copied().unwrap_or(0);
    assert!(
        kills > 0 && sent > 50,
        "{kills} kills, {sent} messages: that proves little"
    );
}

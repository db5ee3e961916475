//! A short soak as part of the tests: that a run measures, counts and judges. What a server needs over hours is for
//! `cargo xtask soak`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what went wrong by failing"
)]

use std::time::Duration;

use chat_chaos::play::{StoreKind, server_program};
use chat_chaos::soak::{Ceilings, Finding, Soak, run};

const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_a_short_run_stays_below_its_ceilings_and_an_impossible_one_does_not() {
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
    let mut soak = Soak {
        server,
        store: StoreKind::Sqlite,
        seconds: 12,
        seed: 1,
        clients: 20,
        pace: Duration::from_millis(300),
        folder: folder.path().to_path_buf(),
        ceilings: Ceilings {
            memory: 512 * MIB,
            growth: 64 * MIB,
            files: 20,
        },
    };
    let outcome = run(&soak, drop).await.unwrap();
    assert_eq!(outcome.found, []);
    assert!(outcome.deeds > 50 && outcome.samples.len() >= 20, "{outcome:?}");

    let folder = tempfile::tempdir().unwrap();
    soak.folder = folder.path().to_path_buf();
    soak.seconds = 6;
    soak.ceilings.memory = MIB;
    let outcome = run(&soak, drop).await.unwrap();
    assert!(
        matches!(outcome.found.first(), Some(Finding::TooMuch(_))),
        "{outcome:?}"
    );
}

//! What verification finds in a file that somebody has touched.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a failed expectation is a panic"
)]

use std::sync::Arc;

use chat_conformance::fixtures::{NOW, rows_of_every_kind};
use chat_core::archive::{ArchiveStore, Findings, VerifyOptions, verify};
use chat_core::config::BlockedInGroup;
use chat_core::time::SystemClock;
use chat_sqlite::{SqliteConfig, SqliteStore};
use sqlx::{Connection, SqliteConnection};

async fn findings(config: &SqliteConfig) -> Findings {
    let store = SqliteStore::open(config.clone(), Arc::new(SystemClock))
        .await
        .unwrap();
    let options = VerifyOptions {
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        keep: 100,
    };
    let found = verify(&store, &options).await.unwrap();
    store.close().await;
    found
}

/// Every kind of damage, and what is said of it that was not said before.
#[tokio::test]
async fn damage_is_found() {
    for (damage, what) in [
        (
            "UPDATE chat_conversations SET member_count = member_count + 1 WHERE kind = 'group'",
            "count of members",
        ),
        (
            "UPDATE chat_conversations SET last_seq = last_seq + 1 WHERE kind = 'group'",
            "last seq",
        ),
        (
            "UPDATE chat_conversations SET last_countable_seq = 2 WHERE kind = 'group'",
            "newest countable message",
        ),
        (
            "UPDATE chat_members SET read_seq = delivered_seq + 1",
            "delivered mark",
        ),
        (
            "UPDATE chat_members SET unread_after = unread_after + 100 WHERE state = 'active'",
            "unread messages",
        ),
        (
            "UPDATE chat_messages SET rev = 1000 WHERE seq = 1",
            "rev of a message",
        ),
        ("UPDATE chat_messages SET previewable = 0", "preview"),
        (
            "UPDATE chat_attachments SET state = 'pending'",
            "state of a shown file",
        ),
        ("DELETE FROM chat_attachments", "a file of a message"),
        (
            "UPDATE chat_messages SET content = NULL WHERE content LIKE '%attachments%'",
            "a file in use",
        ),
        (
            "DELETE FROM chat_messages WHERE seq = 3",
            "seq of the next message",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        let config = SqliteConfig::new(&path);
        let store = SqliteStore::open(config.clone(), Arc::new(SystemClock))
            .await
            .unwrap();
        store.restore_rows(rows_of_every_kind()).await.unwrap();
        store.close().await;
        let before = findings(&config).await;
        let said = |findings: &Findings| {
            findings
                .kept
                .iter()
                .filter(|finding| finding.what == what)
                .count()
        };
        let mut file = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
            .await
            .unwrap();
        let touched = sqlx::raw_sql(damage).execute(&mut file).await.unwrap();
        assert!(touched.rows_affected() > 0, "{damage}");
        file.close().await.unwrap();
        let after = findings(&config).await;
        assert!(said(&after) > said(&before), "{damage}: {:#?}", after.kept);
    }
}

//! A database of its own for each case, on the server that `CHAT_TEST_MONGODB_URL` names.

use std::sync::Arc;
use std::time::Duration;

use chat_core::time::Clock;
use chat_mongodb::{MongoConfig, MongoStore};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use uuid::Uuid;

/// On a busy machine the server may take its time to say that it is there.
async fn client(url: &str) -> Client {
    let mut options = ClientOptions::parse(url).await.unwrap();
    options.connect_timeout = Some(Duration::from_secs(60));
    Client::with_options(options).unwrap()
}

/// An empty database, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Space {
    url: String,
    database: Database,
}

impl Space {
    /// `None` without a server.
    pub(crate) async fn new() -> Option<Self> {
        let url = std::env::var("CHAT_TEST_MONGODB_URL").unwrap_or_default();
        if url.is_empty() {
            let required = std::env::var("CHAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name.trim() == "mongodb"),
                "mongodb is required and not there"
            );
            eprintln!("skipped: CHAT_TEST_MONGODB_URL names no server");
            return None;
        }
        let database = client(&url)
            .await
            .database(&format!("chat_{}", Uuid::now_v7().simple()));
        Some(Self { url, database })
    }

    pub(crate) async fn open(&self, clock: Arc<dyn Clock>) -> MongoStore {
        let config = MongoConfig::default().with_setup(true);
        MongoStore::open(&self.database, config, clock).await.unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.database.name().to_owned());
        // The case's runtime may be ending; this one is short.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                // What stays goes with the server in the end.
                drop(client(&url).await.database(&name).drop().await);
            });
        });
        drop(dropped.join());
    }
}

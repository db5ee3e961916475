//! A fresh database for each case.

use std::sync::Arc;
use std::time::Duration;

use chat_core::time::SystemClock;
use chat_mongodb::{MongoConfig, MongoStore};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use uuid::Uuid;

/// The database of one case. Dropping it drops the database.
pub(crate) struct Space {
    pub(crate) database: Database,
    url: String,
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
            // What stays goes with the server in the end.
            runtime.block_on(async move { drop(client(&url).await.database(&name).drop().await) });
        });
        drop(dropped.join());
    }
}

pub(crate) async fn options(url: &str) -> ClientOptions {
    let mut options = ClientOptions::parse(url).await.unwrap();
    // On a busy machine an answer may take its time; what a case waits for is the answer.
    options.server_selection_timeout = Some(Duration::from_secs(60));
    options.connect_timeout = Some(Duration::from_secs(60));
    options
}

async fn client(url: &str) -> Client {
    Client::with_options(options(url).await).unwrap()
}

/// Where the test server is; `None` when nobody started one.
pub(crate) fn url() -> Option<String> {
    std::env::var("CHAT_TEST_MONGODB_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// An empty database.
pub(crate) async fn space() -> Option<Space> {
    let url = url()?;
    let database = client(&url)
        .await
        .database(&format!("chat_{}", Uuid::now_v7().simple()));
    Some(Space { database, url })
}

/// A store in a database, with what it needs made.
pub(crate) async fn on(database: &Database, config: MongoConfig) -> MongoStore {
    let config = config.with_setup(true).with_patience(Duration::from_secs(60));
    MongoStore::open(database, config, Arc::new(SystemClock))
        .await
        .unwrap()
}

/// A store in an empty database; `None` when there is no server.
pub(crate) async fn open() -> Option<(Space, MongoStore)> {
    let space = space().await?;
    let store = on(&space.database, MongoConfig::default()).await;
    Some((space, store))
}

//! Opening: what is made, what is refused, what the host's handle may say.

use std::sync::{Arc, Mutex};

use chat_conformance::fixtures::{at, user};
use chat_core::id::UserId;
use chat_core::model::{Account, NewUser};
use chat_core::store::{AccountStore, ConversationStore, OutboxStore, UserStore};
use chat_core::time::SystemClock;
use chat_mongodb::{MongoConfig, MongoStore, OpenError};
use futures::future::join_all;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{Acknowledgment, DatabaseOptions, WriteConcern};

use crate::changes::{group, send};
use crate::space::{on, options, space, url};
use crate::there_or_return;

async fn try_open(database: &mongodb::Database, config: &MongoConfig) -> Result<MongoStore, OpenError> {
    MongoStore::open(database, config.clone(), Arc::new(SystemClock)).await
}

#[tokio::test]
async fn nothing_is_made_unasked() {
    let space = there_or_return!(space().await, "unasked");
    let config = MongoConfig::default();
    let refused = try_open(&space.database, &config).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::SchemaOlder { found: 0, .. }),
        "{refused}"
    );
    assert!(space.database.list_collection_names().await.unwrap().is_empty());
    MongoStore::setup(&space.database, &config).await.unwrap();
    try_open(&space.database, &config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setups_that_run_together_agree() {
    let space = there_or_return!(space().await, "together");
    let config = MongoConfig::default().with_setup(true);
    let stores = join_all((0..4).map(|_| try_open(&space.database, &config))).await;
    let stores: Vec<MongoStore> = stores.into_iter().map(Result::unwrap).collect();
    let epochs = join_all(stores.iter().map(ConversationStore::sync_epoch)).await;
    let epochs: Vec<u64> = epochs.into_iter().map(Result::unwrap).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
}

#[tokio::test]
async fn another_version_is_refused() {
    let space = there_or_return!(space().await, "version");
    let config = MongoConfig::default().with_setup(true);
    try_open(&space.database, &config).await.unwrap();
    let state = space.database.collection::<Document>("chat_state");
    state
        .update_one(doc! { "_id": "schema" }, doc! { "$set": { "version": 99_i64 } })
        .await
        .unwrap();
    for config in [config, MongoConfig::default()] {
        let refused = try_open(&space.database, &config).await.unwrap_err();
        assert!(
            matches!(refused, OpenError::SchemaNewer { found: 99, .. }),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn two_prefixes_know_nothing_of_each_other() {
    let space = there_or_return!(space().await, "prefixes");
    let first = on(&space.database, MongoConfig::default()).await;
    let second = on(&space.database, MongoConfig::default().with_prefix("other_")).await;
    let ann = user("ann");
    first.ensure_user(NewUser::new(ann.clone()), at(0)).await.unwrap();
    assert!(second.users(&[ann]).await.unwrap().is_empty());
    assert_ne!(
        first.sync_epoch().await.unwrap(),
        second.sync_epoch().await.unwrap()
    );
    let names = space.database.list_collection_names().await.unwrap();
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("chat_") || name.starts_with("other_"))
    );
    for prefix in ["a b", "$a", "a.b", &"x".repeat(61)] {
        let refused = try_open(&space.database, &MongoConfig::default().with_prefix(prefix)).await;
        assert!(matches!(refused, Err(OpenError::Prefix)), "{prefix}");
    }
}

#[tokio::test]
async fn the_commands_make_what_a_setup_makes() {
    let space = there_or_return!(space().await, "commands");
    let config = MongoConfig::default().with_prefix("by_hand_");
    for command in MongoStore::index_commands(&config) {
        space.database.run_command(command).await.unwrap();
    }
    on(&space.database, MongoConfig::default()).await;
    let mut made = 0;
    for name in space.database.list_collection_names().await.unwrap() {
        let Some(own) = name.strip_prefix("chat_") else {
            continue;
        };
        let indexes = async |name: &str| {
            let collection = space.database.collection::<Document>(name);
            let mut names = collection.list_index_names().await.unwrap_or_default();
            names.sort_unstable();
            names
        };
        if own != "state" {
            assert_eq!(
                indexes(&name).await,
                indexes(&format!("by_hand_{own}")).await,
                "{own}"
            );
            made += 1;
        }
    }
    assert!(made > 10, "{made}");
}

/// Every write command that a client has sent.
#[derive(Default)]
struct Sent(Mutex<Vec<Document>>);

impl Sent {
    fn note(&self, event: CommandEvent) {
        const WRITES: [&str; 5] = ["insert", "update", "delete", "findAndModify", "findandmodify"];
        if let CommandEvent::Started(started) = event
            && WRITES.contains(&started.command_name.as_str())
        {
            self.0.lock().unwrap().push(started.command);
        }
    }
}

#[tokio::test]
async fn every_write_waits_for_majority_and_journal_whatever_the_host_says() {
    let url = there_or_return!(url(), "write concern");
    let space = there_or_return!(space().await, "write concern");
    let sent = Arc::new(Sent::default());
    let mut options = options(&url).await;
    let noted = Arc::clone(&sent);
    options.command_event_handler = Some(EventHandler::callback(move |event| noted.note(event)));
    let weak = WriteConcern::builder()
        .w(Acknowledgment::Nodes(1))
        .journal(false)
        .build();
    let host = Client::with_options(options).unwrap().database_with_options(
        space.database.name(),
        DatabaseOptions::builder().write_concern(weak).build(),
    );
    let store = on(&host, MongoConfig::default()).await;
    let (id, users) = group(&store, 2).await;
    store
        .commit(&[send(id, &users[0], "hello", "key")])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    store
        .ensure_user(NewUser::new(users[0].clone()), at(0))
        .await
        .unwrap();
    let account = Account {
        user_id: UserId::new("ann").unwrap(),
        email: "ann@example.com".to_owned(),
        phone: None,
        password_hash: "x".to_owned(),
        created_at: at(0),
    };
    assert!(store.add_account(account).await.unwrap());
    store.release_outbox(uuid::Uuid::now_v7()).await.unwrap();
    let sent = sent.0.lock().unwrap();
    assert!(sent.len() > 8, "{}", sent.len());
    for command in sent.iter() {
        let concern = command.get_document("writeConcern").unwrap();
        assert_eq!(concern.get_str("w").unwrap(), "majority", "{command}");
        assert!(concern.get_bool("j").unwrap(), "{command}");
    }
}

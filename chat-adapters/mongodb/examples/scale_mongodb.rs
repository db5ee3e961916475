//! What reading costs with 10,000 and with 1,000,000 stored messages.
//!
//! `MONGODB_URL=mongodb://…/ cargo run --release -p chat-mongodb --example scale_mongodb [-- messages]`
//!
//! Makes the database `chat_scale` anew, fills and measures it twice, says by which index the hot queries go, and leaves
//! it there.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: what goes wrong ends it, and its output is what it is for"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chat_conformance::growth::Growth;
use chat_core::time::SystemClock;
use chat_mongodb::{MongoConfig, MongoStore};
use mongodb::bson::{Bson, Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};

/// The newest reading command of each shape: its collection, and the fields it asks for in its filter.
type Seen = Arc<Mutex<BTreeMap<String, Document>>>;

fn shape(command: &Document) -> Option<String> {
    let (collection, filter) = if let Ok(collection) = command.get_str("find") {
        (collection, command.get_document("filter").ok()?)
    } else {
        let first = command.get_array("pipeline").ok()?.first()?.as_document()?;
        (
            command.get_str("aggregate").ok()?,
            first.get_document("$match").ok()?,
        )
    };
    let fields: Vec<&str> = filter.keys().map(String::as_str).collect();
    Some(format!("{collection} by {}", fields.join(", ")))
}

/// Names of the stages and indexes of a plan, wherever they stand in it.
fn stages(plan: &Bson, found: &mut Vec<String>) {
    match plan {
        Bson::Document(plan) => {
            // Not the plans that lost.
            for (_, value) in plan.iter().filter(|(name, _)| *name != "rejectedPlans") {
                stages(value, found);
            }
            if let Ok(stage) = plan.get_str("stage") {
                let index = plan.get_str("indexName").map(|name| format!(" {name}"));
                found.push(format!("{stage}{}", index.unwrap_or_default()));
            }
        }
        Bson::Array(plans) => plans.iter().for_each(|plan| stages(plan, found)),
        _ => {}
    }
}

async fn print_plans(database: &Database, seen: &Seen) {
    let commands = seen.lock().unwrap().clone();
    println!("\nplans:");
    for (shape, mut command) in commands {
        for of_the_session in [
            "$db",
            "lsid",
            "$clusterTime",
            "readConcern",
            "$readPreference",
            "txnNumber",
        ] {
            command.remove(of_the_session);
        }
        let explain = doc! { "explain": command, "verbosity": "queryPlanner" };
        let plan = match database.run_command(explain).await {
            Ok(answer) => {
                let mut found = Vec::new();
                stages(&Bson::Document(answer), &mut found);
                found.dedup();
                found.join(" < ")
            }
            Err(error) => format!("no plan: {error}"),
        };
        println!("{shape}: {plan}");
    }
}

#[tokio::main]
async fn main() {
    let large = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let calls = std::env::args()
        .nth(2)
        .map_or(300, |count| count.parse().unwrap());
    let url = std::env::var("MONGODB_URL").unwrap();
    let mut options = ClientOptions::parse(&url).await.unwrap();
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event
            && let Some(shape) = shape(&started.command)
        {
            noted.lock().unwrap().insert(shape, started.command);
        }
    }));
    let database = Client::with_options(options).unwrap().database("chat_scale");
    database.drop().await.unwrap();
    // A server that is busy with other things may take its time.
    let config = MongoConfig::default()
        .with_setup(true)
        .with_patience(Duration::from_secs(60));
    let store = MongoStore::open(&database, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let mut growth = Growth::new(Arc::new(store.clone()), calls).await;
    for total in [10_000, large] {
        let began = Instant::now();
        growth.grow(total).await;
        println!(
            "{total} messages stored after {} s more",
            began.elapsed().as_secs()
        );
        seen.lock().unwrap().clear();
        growth.measure().await;
        println!("\n{growth}");
    }
    print_plans(&database, &seen).await;
    store.close().await;
}

//! One run from the beginning to the dump of the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt as _, stream};
use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::client::live;
use super::crowd::Crowd;
use super::database::{Database, OwnDatabase};
use super::faults::{Targets, torment};
use super::person::Person;
use super::recorder::{Recorder, Source};
use super::replica::Replica;
use super::server::Setting;
use super::truth;
use crate::Failure;
use crate::history::Kind;

/// Clients go on so long after the last fault: everything has to work again then.
const AFTER_HEAL: Duration = Duration::from_secs(12);
/// What was committed at the end has to have reached everybody by then.
const MARKERS: Duration = Duration::from_secs(12);

/// So many clients look at everything anew at the same time in the end.
const AT_ONCE: usize = 6;

/// Where chats are kept during a run.
#[derive(Debug, Clone)]
pub enum StoreKind {
    /// A file in the folder of the run.
    Sqlite,
    /// A PostgreSQL database.
    Postgres {
        /// Where it is.
        url: String,
        /// Where in it the tables lie.
        schema: String,
        /// How its server is started; without, it is not killed.
        own: Option<OwnDatabase>,
    },
    /// A database that speaks MongoDB's protocol; it is not killed.
    Mongodb {
        /// Where it is.
        url: String,
        /// What the names of its collections begin with.
        prefix: String,
    },
}

/// What a run is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `chat-server`.
    pub server: PathBuf,
    /// Where chats are kept.
    pub store: StoreKind,
    /// How long faults come.
    pub seconds: u64,
    /// What decides about faults and about what clients do.
    pub seed: u64,
    /// Clients, two to a user.
    pub clients: u16,
    /// How often each acts, on average.
    pub pace: Duration,
    /// A folder for the server.
    pub folder: PathBuf,
    /// The history.
    pub history: PathBuf,
}

/// Runs the plan and writes its history; how often something was killed.
///
/// # Errors
/// What stands in the way of a run: a server that does not come up, a file that cannot be written. Faults of the
/// server's answers are for the checker.
pub async fn run(plan: &Plan) -> Result<u32, Failure> {
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let database = match &plan.store {
        StoreKind::Postgres { own: Some(own), .. } => Some(Database::start(own.clone()).await?),
        _ => None,
    };
    let mut crowd = Crowd::gather(plan, &mut rng).await?;
    let people = crowd.people();
    let Crowd {
        server,
        recorder,
        secret,
        ..
    } = crowd;

    let (stop, stopped) = watch::channel(false);
    let lives: Vec<_> = people
        .into_iter()
        .map(|person| tokio::spawn(live(person, plan.pace, stopped.clone())))
        .collect();
    let mut targets = Targets { server, database };
    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let kills = torment(&mut targets, &recorder, &mut rng, until).await?;
    let source = Source::conductor();
    let note = |name: &str| {
        recorder.write(
            &source,
            Kind::Fault,
            name,
            None,
            json!({ "phase": "stop" }),
            Value::Null,
        );
    };
    note("healed");
    sleep(AFTER_HEAL).await;
    stop.send(true)?;
    let mut people = Vec::new();
    for life in lives {
        people.push(life.await?);
    }
    finish(&mut people, &recorder).await?;
    note("end");
    drop(people);
    targets.server.stop().await?;
    truth::dump(&recorder, &plan.store, &plan.folder).await?;
    spill(&plan.folder, &secret)?;
    recorder.flush()?;
    Ok(kills)
}

pub(super) fn setting(plan: &Plan, rng: &mut fastrand::Rng) -> Result<Setting, Failure> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port();
    let (store, variables) = match &plan.store {
        StoreKind::Sqlite => ("sqlite", Vec::new()),
        StoreKind::Postgres { url, schema, .. } => (
            "postgres",
            vec![
                ("DATABASE_URL", url.clone()),
                ("CHAT_DATABASE_SCHEMA", schema.clone()),
            ],
        ),
        StoreKind::Mongodb { url, prefix } => (
            "mongodb",
            vec![
                ("MONGODB_URL", url.clone()),
                ("CHAT_MONGODB_PREFIX", prefix.clone()),
            ],
        ),
    };
    Ok(Setting {
        program: plan.server.clone(),
        folder: plan.folder.clone(),
        port,
        secret: (0..4).map(|_| format!("{:016x}", rng.u64(..))).collect(),
        store,
        variables,
    })
}

/// Everybody connects and catches up, the last messages are sent, and what clients have is written down: what they
/// have by live events, what sync makes of it, what an old place makes of it, and what a new device gets.
async fn finish(people: &mut [Person], recorder: &Recorder) -> Result<(), Failure> {
    let deadline = Instant::now() + MARKERS;
    join_all(people.iter_mut().map(|person| arrive(person, deadline))).await;
    if let Some(absent) = people.iter().find(|person| !person.is_connected()) {
        return Err(format!(
            "{} cannot connect although everything runs",
            absent.source.process
        )
        .into());
    }
    let markers = mark_ends(people).await;
    let deadline = Instant::now() + MARKERS;
    join_all(people.iter_mut().map(|person| hear(person, &markers, deadline))).await;
    settle(recorder).await;
    // A first sync of everybody at once would be a test of this machine.
    stream::iter(people.iter_mut())
        .for_each_concurrent(AT_ONCE, view)
        .await;
    Ok(())
}

async fn arrive(person: &mut Person, deadline: Instant) {
    person.take_events().await;
    while !person.connect().await && Instant::now() < deadline {
        sleep(Duration::from_millis(200)).await;
    }
    person.take_events().await;
}

/// A last message in every conversation that takes one; their seqs.
async fn mark_ends(people: &mut [Person]) -> BTreeMap<String, u64> {
    let mut markers = BTreeMap::new();
    for person in people {
        let rooms: Vec<String> = person.replica.rooms.keys().cloned().collect();
        for room in rooms
            .into_iter()
            .filter(|room| !markers.contains_key(room))
            .collect::<Vec<_>>()
        {
            let letter = person.letter_to(room.clone());
            if let Some(sent) = person.post(&letter, 5).await {
                markers.insert(room, sent.s);
            }
        }
    }
    markers
}

/// Listens until it has the last message of every conversation, or long enough.
async fn hear(person: &mut Person, markers: &BTreeMap<String, u64>, deadline: Instant) {
    let lacks = |replica: &Replica| {
        replica
            .rooms
            .iter()
            .any(|(id, room)| markers.get(id).is_some_and(|seq| room.last_seq() < *seq))
    };
    while lacks(&person.replica) && Instant::now() < deadline {
        person
            .listen_until(Instant::now() + Duration::from_millis(50))
            .await;
    }
}

/// Until nothing has come in for a moment: what belongs to single users is not behind a marker.
async fn settle(recorder: &Recorder) {
    let quiet = 1_000_000_000;
    while recorder.now().saturating_sub(recorder.newest()) < quiet {
        sleep(Duration::from_millis(100)).await;
    }
}

async fn view(person: &mut Person) {
    person.take_events().await;
    let source = Source {
        connection: person.connection_number(),
        ..person.source.clone()
    };
    let recorder = person.shared.recorder.clone();
    let show = |how: &str, replica: &Replica| {
        recorder.write(&source, Kind::View, how, None, Value::Null, replica.show());
    };
    if person.is_connected() {
        show("live", &person.replica);
    }
    if person.synchronise().await {
        show("synced", &person.replica);
    }
    if let Some(old) = person.old.take() {
        person.replica = old;
        if person.synchronise().await {
            show("old", &person.replica);
        }
    }
    person.replica = Replica::default();
    if person.synchronise().await {
        show("fresh", &person.replica);
    }
    let others: Vec<String> = person.shared.users.iter().take(100).cloned().collect();
    let path = format!("/presence?user_ids={}", others.join(","));
    let a = json!({ "end": true });
    let answer = person.rest("presence", &Method::GET, &path, None, a).await;
    if let Some(answer) = answer.ok() {
        recorder.write(&source, Kind::View, "presence", None, Value::Null, answer);
    }
}

/// The log holds no secret and no words of anybody.
fn spill(folder: &Path, secret: &str) -> Result<(), Failure> {
    let log = std::fs::read_to_string(folder.join("server.log"))?;
    for (number, line) in log.lines().enumerate() {
        if line.contains(secret) || line.contains("eyJ") || crate::history::token_in(line).is_some() {
            return Err(format!("line {} of the server's log tells a secret or a text", number + 1).into());
        }
        if line.contains("panicked") {
            return Err(format!("line {} of the server's log tells of a panic: {line}", number + 1).into());
        }
    }
    Ok(())
}

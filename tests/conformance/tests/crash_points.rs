//! Every command of a list meets every fault at every call it makes to the store. Whatever happens there: a refusal has
//! changed nothing, an answer has, sessions that are connected hear of what stands, and the same command again, on a
//! new engine over the same data, ends where an undisturbed one does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

use std::sync::Arc;
use std::time::Duration;

use chat_conformance::faults::{Fault, FaultyStore, PLANNED_PANIC};
use chat_core::command::{CreateGroup, SendMessage, SyncRequest};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ClientId, ConversationId, MessageId, UserId};
use chat_core::live::{ConnectFrom, Outbound, OutboundItem, Session};
use chat_core::memory::MemoryStore;
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::store::Store;
use chat_core::{Actor, ChatEngine};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The token is the user's id; good for tests and nothing else.
#[derive(Debug)]
struct TokenIsName;

#[async_trait::async_trait]
impl Authenticator for TokenIsName {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let token = credentials.token.as_deref().ok_or(ErrorCode::Unauthenticated)?;
        Ok(Identity::new(user_id(token)))
    }

    async fn login_stands(&self, _login: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

fn user_id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn client_id(key: &str) -> ClientId {
    ClientId::new(key).unwrap()
}

/// Who is there; Ada acts. Dan is in nothing yet.
const USERS: [&str; 4] = ["ada", "ben", "cem", "dan"];
/// Longer than a store that hangs is waited for, and than what follows from it takes. Not of real time.
const LONG: Duration = Duration::from_secs(60);

/// What commands are about.
#[derive(Debug, Clone, Copy)]
struct Stage {
    group: ConversationId,
    mine: MessageId,
    bens: MessageId,
}

type Act = fn(Actor, Stage) -> BoxFuture<'static, ChatResult<()>>;

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// What is the same every time: not ids, not times, not who is online.
fn bare(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(name.as_str(), "token" | "presence" | "user_rev")
                    && name != "id"
                    && !name.ends_with("_id")
                    && !name.ends_with("_at")
                    && name != "at"
            });
            fields.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

/// What each of them would see with a new device.
async fn sights(engine: &ChatEngine) -> Vec<Value> {
    let mut all = Vec::new();
    for name in USERS {
        let me = engine.as_user(&user_id(name));
        let mut sight = json!(me.sync(SyncRequest::default()).await.unwrap());
        bare(&mut sight);
        if let Some(list) = sight["conversations"].as_array_mut() {
            list.sort_by_key(Value::to_string);
        }
        all.push(sight);
    }
    all
}

/// Revs move for everybody, also when the change is somebody's own.
fn without_revs(value: &Value) -> Value {
    let mut value = value.clone();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("rev");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

struct Scene {
    faulty: FaultyStore,
    inner: Arc<dyn Store>,
    engine: ChatEngine,
    stage: Stage,
}

async fn scene() -> Scene {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let faulty = FaultyStore::new(Arc::clone(&inner));
    let engine = ChatEngine::builder(Arc::new(faulty.clone())).build();
    for name in USERS {
        engine.admit(&Identity::new(user_id(name))).await.unwrap();
    }
    let [ada, ben] = ["ada", "ben"].map(|name| engine.as_user(&user_id(name)));
    let create: CreateGroup = of(json!({ "name": "us", "member_ids": ["ben", "cem"] }));
    let group = ada.create_group(create).await.unwrap().conversation.id;
    let words = |text: &str| SendMessage::text(group, text);
    let mine = ada.send(words("my words")).await.unwrap().message.id;
    let bens = ben.send(words("his words")).await.unwrap().message.id;
    Scene {
        faulty,
        inner,
        engine,
        stage: Stage { group, mine, bens },
    }
}

async fn connect(engine: &ChatEngine, name: &str) -> (Session, Outbound) {
    let credentials = Credentials::bearer(name);
    let opened = engine.connect(Arc::new(TokenIsName), &credentials, ConnectFrom::default());
    opened.await.unwrap()
}

/// What a session was told that somebody who keeps a replica would act on.
fn told(outbound: &mut Outbound) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(item) = outbound.try_next() {
        match item {
            OutboundItem::Event(event) => names.push(event.name.to_string()),
            OutboundItem::End { .. } => names.push("end".to_owned()),
        }
    }
    names.retain(|name| !matches!(name.as_str(), "ready" | "presence_changed" | "typing_changed"));
    names
}

/// What is there after the command, undisturbed; and how many calls it makes.
async fn undisturbed(act: Act) -> (usize, Vec<Value>) {
    let scene = scene().await;
    scene.faulty.watch(&[]);
    act(scene.engine.as_user(&user_id("ada")), scene.stage)
        .await
        .unwrap();
    let calls = scene.faulty.seen();
    tokio::time::sleep(LONG).await;
    (calls, sights(&scene.engine).await)
}

/// Panics that were planned say nothing; telling where each came from takes longer than all the rest.
fn quiet() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let planned = (panic.payload_as_str()).is_some_and(|text| text.starts_with(PLANNED_PANIC));
        if !planned {
            loud(panic);
        }
    }));
}

async fn disturbed(name: &str, act: Act, call: usize, fault: Fault, after: &[Value]) {
    let scene = scene().await;
    let what = format!("{name}, {fault:?} at call {call}");
    let before = sights(&scene.engine).await;
    let mut sessions = Vec::new();
    for user in USERS {
        sessions.push(connect(&scene.engine, user).await);
    }
    tokio::time::sleep(LONG).await;
    for (_, outbound) in &mut sessions {
        told(outbound);
    }

    scene.faulty.fail(&[], call, fault);
    let command = tokio::spawn(act(scene.engine.as_user(&user_id("ada")), scene.stage));
    let outcome = if matches!(fault, Fault::Hang | Fault::HangAfter | Fault::Pause) {
        // Whoever asked goes away; the call may have been one of the engine's own work.
        let mut command = command;
        tokio::select! {
            ended = &mut command => ended.ok(),
            () = scene.faulty.failed() => {
                command.abort();
                None
            }
        }
    } else {
        // A panic is a gateway's matter: it knows as little as somebody who got no answer.
        command.await.ok()
    };
    scene.faulty.watch(&[]);
    scene.faulty.release();
    tokio::time::sleep(LONG).await;

    let now = sights(&scene.engine).await;
    assert!(
        now == before || now == after,
        "{what}: neither done nor left alone: {now:#?}"
    );
    match &outcome {
        Some(Ok(())) => assert_eq!(now, after, "{what}: answered and not done"),
        Some(Err(error)) if error.code() != ErrorCode::OutcomeUnknown => {
            assert_eq!(now, before, "{what}: refused with {error} and done");
        }
        _ => {}
    }
    for (at, (_, outbound)) in sessions.iter_mut().enumerate() {
        let told = told(outbound);
        let changed = without_revs(&before[at]) != without_revs(&now[at]);
        assert!(!changed || !told.is_empty(), "{what}: {} was not told", USERS[at]);
    }

    let again = ChatEngine::builder(scene.inner).build();
    // Done already may be a refusal of its own, as leaving what one has left.
    drop(act(again.as_user(&user_id("ada")), scene.stage).await);
    assert_eq!(sights(&again).await, after, "{what}: once more ends elsewhere");
}

async fn survives_every_fault(name: &str, act: Act) {
    quiet();
    let (calls, after) = undisturbed(act).await;
    assert!(calls > 0, "{name} asks the store nothing");
    for call in 0..calls {
        for fault in Fault::ALL {
            disturbed(name, act, call, fault, &after).await;
        }
    }
}

/// One test per command.
macro_rules! for_each_fault {
    ($($command:ident),* $(,)?) => {
        mod for_each_fault {
            $(#[tokio::test(start_paused = true)]
            async fn $command() {
                use futures::FutureExt as _;
                super::survives_every_fault(stringify!($command), |ada, stage| super::$command(ada, stage).boxed()).await;
            })*
        }
    };
}

for_each_fault!(
    send,
    send_to_somebody_new,
    edit,
    delete_for_everyone,
    delete_for_me,
    react,
    read,
    make_a_group,
    add,
    remove,
    rank,
    leave,
    rename,
    pin,
    block,
    archive,
    clear,
);

async fn send(ada: Actor, stage: Stage) -> ChatResult<()> {
    let news = SendMessage::text(stage.group, "news").with_client_id(client_id("k1"));
    ada.send(news).await.map(drop)
}

async fn send_to_somebody_new(ada: Actor, _: Stage) -> ChatResult<()> {
    let hello = SendMessage::text_to(user_id("dan"), "hello").with_client_id(client_id("k2"));
    ada.send(hello).await.map(drop)
}

async fn edit(ada: Actor, stage: Stage) -> ChatResult<()> {
    let edit = json!({ "message_id": stage.mine, "text": "other words" });
    ada.edit(of(edit)).await.map(drop)
}

async fn delete_for_everyone(ada: Actor, stage: Stage) -> ChatResult<()> {
    let delete = json!({ "message_id": stage.mine, "for": "everyone" });
    ada.delete_message(of(delete)).await
}

async fn delete_for_me(ada: Actor, stage: Stage) -> ChatResult<()> {
    let delete = json!({ "message_id": stage.bens, "for": "me" });
    ada.delete_message(of(delete)).await
}

async fn react(ada: Actor, stage: Stage) -> ChatResult<()> {
    let react = json!({ "message_id": stage.bens, "emoji": "x" });
    ada.add_reaction(of(react)).await.map(drop)
}

async fn read(ada: Actor, stage: Stage) -> ChatResult<()> {
    let mark = json!({ "conversation_id": stage.group, "seq": 3 });
    ada.mark_read(of(mark)).await.map(drop)
}

async fn make_a_group(ada: Actor, _: Stage) -> ChatResult<()> {
    let create = CreateGroup {
        client_id: Some(client_id("g1")),
        ..of(json!({ "name": "new", "member_ids": ["ben", "dan"] }))
    };
    ada.create_group(create).await.map(drop)
}

async fn add(ada: Actor, stage: Stage) -> ChatResult<()> {
    let add = json!({ "user_ids": ["dan"] });
    ada.add_members(stage.group, of(add)).await.map(drop)
}

async fn remove(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.remove_member(stage.group, &user_id("cem")).await.map(drop)
}

async fn rank(ada: Actor, stage: Stage) -> ChatResult<()> {
    let role = json!({ "role": "admin" });
    ada.set_role(stage.group, &user_id("ben"), of(role))
        .await
        .map(drop)
}

async fn leave(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.leave(stage.group).await.map(drop)
}

async fn rename(ada: Actor, stage: Stage) -> ChatResult<()> {
    let name = json!({ "name": "renamed" });
    ada.update_conversation(stage.group, of(name)).await.map(drop)
}

async fn pin(ada: Actor, stage: Stage) -> ChatResult<()> {
    let pin = json!({ "conversation_id": stage.group, "message_id": stage.bens });
    ada.pin_message(of(pin)).await.map(drop)
}

async fn block(ada: Actor, _: Stage) -> ChatResult<()> {
    ada.block(&user_id("ben")).await.map(drop)
}

async fn archive(ada: Actor, stage: Stage) -> ChatResult<()> {
    let archived = json!({ "archived": true });
    ada.update_conversation_settings(stage.group, of(archived))
        .await
        .map(drop)
}

async fn clear(ada: Actor, stage: Stage) -> ChatResult<()> {
    ada.clear(stage.group).await.map(drop)
}

/// Somebody is removed while he reads: what is written after that is not in the page.
#[tokio::test]
async fn a_removal_while_a_page_is_read_closes_it() {
    for call in ["history", "changed_messages"] {
        let scene = scene().await;
        let [ada, ben] = ["ada", "ben"].map(|name| scene.engine.as_user(&user_id(name)));
        let token = ben.sync(SyncRequest::default()).await.unwrap().token;
        ada.send(SendMessage::text(scene.stage.group, "still for ben"))
            .await
            .unwrap();
        let group = scene.stage.group;
        scene.faulty.before(call, move || async move {
            ada.remove_member(group, &user_id("ben")).await.unwrap();
            ada.send(SendMessage::text(group, "not for ben")).await.unwrap();
        });
        let seen = if call == "history" {
            json!(ben.history(group, Default::default()).await.unwrap())
        } else {
            let request = SyncRequest {
                token: Some(token),
                conversations: None,
            };
            json!(ben.sync(request).await.unwrap())
        };
        let seen = seen.to_string();
        assert!(
            seen.contains("still for ben") && !seen.contains("not for ben"),
            "{call}: {seen}"
        );
    }
}

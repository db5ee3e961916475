//! Who is there, what they have, and how to look at it.

use std::sync::Arc;
use std::time::Duration;

use chat_conformance::faults::{Faults, FaultyStore, PLANNED_PANIC};
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
pub(crate) struct TokenIsName;

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

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn client_id(key: &str) -> ClientId {
    ClientId::new(key).unwrap()
}

/// Who is there; Ada acts. Dan is in nothing yet.
pub(crate) const USERS: [&str; 4] = ["ada", "ben", "cem", "dan"];
/// Longer than a store that hangs is waited for, and than what follows from it takes. Not of real time.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What commands are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) group: ConversationId,
    pub(crate) mine: MessageId,
    pub(crate) bens: MessageId,
}

pub(crate) type Act = fn(Actor, Stage) -> BoxFuture<'static, ChatResult<()>>;

pub(crate) fn of<T: DeserializeOwned>(value: Value) -> T {
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
pub(crate) async fn sights(engine: &ChatEngine) -> Vec<Value> {
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
pub(crate) fn without_revs(value: &Value) -> Value {
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

pub(crate) struct Scene {
    pub(crate) faults: Faults,
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) engine: ChatEngine,
    pub(crate) stage: Stage,
}

pub(crate) async fn scene() -> Scene {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let faults = Faults::default();
    let faulty = FaultyStore::new(Arc::clone(&inner), &faults);
    let engine = ChatEngine::builder(Arc::new(faulty)).build();
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
        faults,
        inner,
        engine,
        stage: Stage { group, mine, bens },
    }
}

pub(crate) async fn connect(engine: &ChatEngine, name: &str) -> (Session, Outbound) {
    let credentials = Credentials::bearer(name);
    let opened = engine.connect(Arc::new(TokenIsName), &credentials, ConnectFrom::default());
    opened.await.unwrap()
}

/// What a session was told that somebody who keeps a replica would act on.
pub(crate) fn told(outbound: &mut Outbound) -> Vec<String> {
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

/// Panics that were planned say nothing; telling where each came from takes longer than all the rest.
pub(crate) fn quiet() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let planned = (panic.payload_as_str()).is_some_and(|text| text.starts_with(PLANNED_PANIC));
        if !planned {
            loud(panic);
        }
    }));
}

//! An engine to try things on. Tests run on paused Tokio time, so that waiting means: until nothing is left to do.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{CreateGroup, OpenDirect, SendMessage};
use chat_core::config::ChatConfig;
use chat_core::engine::EventItem;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::event::ChatEvent;
use chat_core::id::{AttachmentId, ConversationId, UserId};
use chat_core::live::{ConnectFrom, Outbound, OutboundItem, Session};
use chat_core::memory::MemoryStore;
use chat_core::model::{
    Attachment, AttachmentKind, AttachmentState, Conversation, Member, NewUser, Seq, User,
};
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::store::Store;
use chat_core::time::{Clock, ManualClock};
use chat_core::{Actor, ChatEngine, ChatEngineBuilder};
use futures::{FutureExt, Stream, StreamExt};
use serde_json::Value;

/// The token is the user's id.
#[derive(Debug)]
pub(crate) struct ByName;

#[async_trait]
impl Authenticator for ByName {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let token = credentials.token.as_deref().ok_or(ErrorCode::Unauthenticated)?;
        Ok(Identity::new(id(token)))
    }

    async fn login_stands(&self, _login: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

type Events = Pin<Box<dyn Stream<Item = EventItem> + Send>>;

pub(crate) struct World {
    pub(crate) engine: ChatEngine,
    pub(crate) clock: Arc<ManualClock>,
    events: Mutex<Events>,
}

pub(crate) fn id(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// The code and the field of a refusal.
#[track_caller]
pub(crate) fn refusal<T>(result: ChatResult<T>) -> (ErrorCode, String) {
    let error: ChatError = result.err().expect("refused");
    (error.code(), error.field().unwrap_or_default().to_owned())
}

#[track_caller]
pub(crate) fn code<T>(result: ChatResult<T>) -> ErrorCode {
    refusal(result).0
}

pub(crate) fn group_of(name: &str, others: &[&UserId]) -> CreateGroup {
    CreateGroup {
        name: name.to_owned(),
        member_ids: others.iter().copied().cloned().collect(),
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    }
}

/// Waits until all tasks of the engine are idle.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(edit: impl FnOnce(&mut ChatConfig)) -> Self {
        Self::wired(edit, |builder| builder)
    }

    /// With other ports than the defaults.
    pub(crate) fn wired(
        edit: impl FnOnce(&mut ChatConfig),
        wire: impl FnOnce(ChatEngineBuilder) -> ChatEngineBuilder,
    ) -> Self {
        let mut config = ChatConfig::default();
        edit(&mut config);
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        Self::on_store(store, clock, |builder| wire(builder.with_config(config)))
    }

    /// On a store that others use too.
    pub(crate) fn on_store(
        store: MemoryStore,
        clock: Arc<ManualClock>,
        wire: impl FnOnce(ChatEngineBuilder) -> ChatEngineBuilder,
    ) -> Self {
        let builder = ChatEngine::builder(Arc::new(store)).with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let engine = wire(builder).build();
        let events = Mutex::new(Box::pin(engine.events()) as Events);
        Self {
            engine,
            clock,
            events,
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        self.engine.store()
    }

    pub(crate) async fn users<const N: usize>(&self, names: [&str; N]) -> [UserId; N] {
        for name in names {
            let new = NewUser::new(id(name)).with_name(format!("Name of {name}"));
            self.store().ensure_user(new, self.clock.now()).await.unwrap();
        }
        names.map(id)
    }

    pub(crate) fn on(&self, user: &UserId) -> Actor {
        self.engine.as_user(user)
    }

    pub(crate) async fn group(&self, owner: &UserId, others: &[&UserId]) -> ConversationId {
        let created = self
            .on(owner)
            .create_group(group_of("Group", others))
            .await
            .unwrap();
        self.happened().await;
        created.conversation.id
    }

    pub(crate) async fn direct(&self, a: &UserId, b: &UserId) -> ConversationId {
        let open = OpenDirect { user_id: b.clone() };
        let direct = self.on(a).open_direct(open).await.unwrap();
        self.happened().await;
        direct.conversation.id
    }

    pub(crate) async fn send(&self, user: &UserId, to: ConversationId, text: &str) -> Seq {
        let sent = self.on(user).send(SendMessage::text(to, text)).await.unwrap();
        sent.message.seq
    }

    pub(crate) async fn conversation(&self, id: ConversationId) -> Conversation {
        self.store().conversations(&[id]).await.unwrap().pop().unwrap()
    }

    pub(crate) async fn member(&self, id: ConversationId, user: &UserId) -> Member {
        self.store().member(id, user).await.unwrap().unwrap()
    }

    pub(crate) async fn row(&self, user: &UserId) -> User {
        self.store()
            .users(std::slice::from_ref(user))
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    /// An upload that waits for its use.
    pub(crate) async fn upload(&self, uploader: &UserId, kind: AttachmentKind) -> AttachmentId {
        let id = AttachmentId::from_uuid(uuid::Uuid::now_v7());
        let attachment = Attachment {
            id,
            uploader: uploader.clone(),
            kind,
            filename: "a.png".to_owned(),
            mime_type: "image/png".to_owned(),
            size: 1,
            width: None,
            height: None,
            duration_ms: None,
            state: AttachmentState::Pending,
            created_at: self.clock.now(),
        };
        self.store().add_attachment(attachment).await.unwrap();
        id
    }

    pub(crate) async fn upload_state(&self, id: AttachmentId) -> AttachmentState {
        self.store()
            .attachments(&[id])
            .await
            .unwrap()
            .pop()
            .unwrap()
            .state
    }

    /// Everything that happened since the last question, in order.
    pub(crate) async fn happened(&self) -> Vec<Arc<ChatEvent>> {
        settle().await;
        let mut events = self.events.lock().unwrap();
        let mut happened = Vec::new();
        while let Some(Some(event)) = events.next().now_or_never() {
            match event {
                EventItem::Event(event) => happened.push(event),
                EventItem::Missed(count) => panic!("{count} events are missing"),
            }
        }
        happened
    }

    /// Names of what happened since the last question.
    pub(crate) async fn names(&self) -> Vec<&'static str> {
        self.happened().await.iter().map(|event| event.name()).collect()
    }

    pub(crate) async fn connect(&self, user: &UserId) -> Device {
        let credentials = Credentials::bearer(user.as_str());
        let (session, outbound) = self
            .engine
            .connect(Arc::new(ByName), &credentials, ConnectFrom::default())
            .await
            .unwrap();
        let mut device = Device { session, outbound };
        // Ready, and who hears of the coming.
        device.got().await;
        self.happened().await;
        device
    }
}

/// A live connection.
pub(crate) struct Device {
    pub(crate) session: Session,
    pub(crate) outbound: Outbound,
}

impl Device {
    /// Events that came since the last question, as name and payload.
    pub(crate) async fn got(&mut self) -> Vec<(&'static str, Value)> {
        settle().await;
        let mut got = Vec::new();
        while let Some(OutboundItem::Event(event)) = self.outbound.try_next() {
            got.push((event.name, serde_json::from_str(event.payload.get()).unwrap()));
        }
        got
    }

    /// Payloads of the events of one name that came since the last question.
    pub(crate) async fn got_of(&mut self, name: &str) -> Vec<Value> {
        let got = self.got().await.into_iter();
        got.filter(|(other, _)| *other == name)
            .map(|(_, payload)| payload)
            .collect()
    }
}

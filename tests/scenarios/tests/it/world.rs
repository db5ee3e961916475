//! A fresh engine per case, on each store, with a clock that moves when it is told to.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::archive::ArchiveStore;
use chat_core::command::{CreateGroup, HistoryOrder, HistoryRequest, OpenDirect, SendMessage};
use chat_core::config::ChatConfig;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::{AttachmentId, ClientId, ConversationId, IdGenerator, MessageId, UserId};
use chat_core::live::{ConnectFrom, Outbound, OutboundItem, Session};
use chat_core::memory::MemoryStore;
use chat_core::model::{Attachment, AttachmentKind, AttachmentState, MessageKind, NewUser};
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::store::Store;
use chat_core::time::{Clock, ManualClock, Timestamp};
use chat_core::view::{ConversationView, MessageView};
use chat_core::{Actor, ChatEngine, ChatEngineBuilder};
use chat_sqlite::SqliteStore;
use serde_json::Value;
use uuid::Uuid;

/// Expands every case to one test per store.
macro_rules! for_each_store {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::memory().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                if let Some(world) = crate::world::World::postgres().await {
                    super::$case(world).await;
                }
            })*
        }
        mod mongodb {
            $(#[tokio::test]
            async fn $case() {
                if let Some(world) = crate::world::World::mongodb().await {
                    super::$case(world).await;
                }
            })*
        }
    };
}

/// An engine with its clock; its data goes with it.
pub(crate) struct World {
    pub(crate) engine: ChatEngine,
    pub(crate) clock: Arc<ManualClock>,
    /// How many make a crowd.
    pub(crate) crowd: usize,
    _guard: Option<Box<dyn Any + Send>>,
    store: Arc<dyn Whole>,
}

/// A store with everything that ours have.
pub(crate) trait Whole: Store + ArchiveStore {}

impl<S: Store + ArchiveStore> Whole for S {}

impl World {
    pub(crate) async fn memory() -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        Self::on(store, clock, None)
    }

    pub(crate) async fn sqlite() -> Self {
        let clock = Arc::new(ManualClock::default());
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::from_path(
            folder.path().join("chat.db"),
            Arc::clone(&clock) as Arc<dyn Clock>,
        )
        .await
        .unwrap();
        Self::on(Arc::new(store), clock, Some(Box::new(folder)))
    }

    /// `None` when no server was named; then the case is skipped, or fails where `CHAT_REQUIRE` names `postgres`.
    pub(crate) async fn postgres() -> Option<Self> {
        let space = crate::postgres::Space::new()?;
        let clock = Arc::new(ManualClock::default());
        let store = space.open(Arc::clone(&clock) as Arc<dyn Clock>).await;
        Some(Self::on(Arc::new(store), clock, Some(Box::new(space))))
    }

    /// The same for `mongodb`.
    pub(crate) async fn mongodb() -> Option<Self> {
        let space = crate::mongodb::Space::new().await?;
        let clock = Arc::new(ManualClock::default());
        let store = space.open(Arc::clone(&clock) as Arc<dyn Clock>).await;
        let world = Self::on(Arc::new(store), clock, Some(Box::new(space)));
        // What the stand-in for MongoDB takes for a list of ids grows with the square of its length.
        let is_stand_in = std::env::var_os("CHAT_TEST_MONGODB_PROGRAM").is_some();
        let crowd = if is_stand_in { 1_000 } else { world.crowd };
        Some(Self { crowd, ..world })
    }

    fn on(store: Arc<dyn Whole>, clock: Arc<ManualClock>, guard: Option<Box<dyn Any + Send>>) -> Self {
        let engine = engine_on(&store, &clock, base_config());
        Self {
            engine,
            clock,
            crowd: 10_000,
            _guard: guard,
            store,
        }
    }

    /// The same data behind a new engine with other settings.
    pub(crate) fn with_config(self, change: impl FnOnce(&mut ChatConfig)) -> Self {
        let mut config = base_config();
        change(&mut config);
        let engine = engine_on(&self.store, &self.clock, config);
        Self { engine, ..self }
    }

    /// The same data behind a new engine with these settings, and ids that come out the same every time.
    pub(crate) fn rebuilt(self, config: ChatConfig, ids: Arc<dyn IdGenerator>) -> Self {
        let engine = builder_on(&self.store, &self.clock, config).with_ids(ids).build();
        Self { engine, ..self }
    }

    /// Its store, past the engine.
    pub(crate) fn store(&self) -> &Arc<dyn Whole> {
        &self.store
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Users who have been here once, named after their ids.
    pub(crate) async fn users<const N: usize>(&self, names: [&str; N]) -> [Actor; N] {
        let mut users = Vec::with_capacity(N);
        for name in names {
            users.push(self.user(name).await);
        }
        users.try_into().unwrap_or_else(|_| unreachable!())
    }

    pub(crate) async fn user(&self, name: &str) -> Actor {
        admit(&self.engine, name).await
    }

    /// A live connection of a user, past its `ready`.
    /// A picture this user has uploaded and nothing uses yet, as if its bytes were there.
    pub(crate) async fn upload(&self, uploader: &Actor) -> AttachmentId {
        let id = AttachmentId::from_uuid(Uuid::now_v7());
        let file = Attachment {
            id,
            uploader: uploader.user_id().clone(),
            kind: AttachmentKind::Image,
            filename: "a.png".to_owned(),
            mime_type: "image/png".to_owned(),
            size: 1,
            width: None,
            height: None,
            duration_ms: None,
            state: AttachmentState::Pending,
            created_at: self.clock_now(),
        };
        self.engine.store().add_attachment(file).await.unwrap();
        id
    }

    pub(crate) async fn connect(&self, user: &Actor) -> Live {
        let mut live = self.try_connect(user).await.unwrap();
        let (name, _) = live.next().await;
        assert_eq!(name, "ready");
        live
    }

    pub(crate) async fn try_connect(&self, user: &Actor) -> ChatResult<Live> {
        let credentials = Credentials::bearer(user.user_id().as_str());
        let (session, outbound) = self
            .engine
            .connect(Arc::new(TokenIsName), &credentials, ConnectFrom::default())
            .await?;
        Ok(Live { session, outbound })
    }
}

/// A user who has been here once, named after his id.
pub(crate) async fn admit(engine: &ChatEngine, name: &str) -> Actor {
    let id = user_id(name);
    let mut identity = Identity::new(id.clone());
    identity.user = NewUser {
        name: Some(name.to_owned()),
        ..NewUser::new(id.clone())
    };
    engine.admit(&identity).await.unwrap();
    engine.as_user(&id)
}

/// Ids in order of their making, the same every time.
#[derive(Debug, Default)]
pub(crate) struct Counted(AtomicU64);

impl Counted {
    /// The first one is this.
    pub(crate) fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl IdGenerator for Counted {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::SeqCst);
        uuid::Builder::from_unix_timestamp_millis(n, &[0; 10]).into_uuid()
    }
}

/// The default settings of every case's engine. Cases ask what is answered, not how fast: on a busy machine a stand-in of a
/// database may well need longer than a host would wait.
pub(crate) fn base_config() -> ChatConfig {
    let mut config = ChatConfig::default();
    config.limits.command_deadline = Duration::from_secs(120);
    config
}

fn engine_on(store: &Arc<dyn Whole>, clock: &Arc<ManualClock>, config: ChatConfig) -> ChatEngine {
    builder_on(store, clock, config).build()
}

fn builder_on(store: &Arc<dyn Whole>, clock: &Arc<ManualClock>, config: ChatConfig) -> ChatEngineBuilder {
    ChatEngine::builder(Arc::clone(store) as Arc<dyn Store>)
        .with_clock(Arc::clone(clock) as Arc<dyn Clock>)
        .with_config(config)
        .with_secret(*b"the same key for every engine of a case")
}

/// The token is the user's id; good for tests and nothing else.
#[derive(Debug)]
struct TokenIsName;

#[async_trait]
impl Authenticator for TokenIsName {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        let token = credentials.token.as_deref().ok_or(ErrorCode::Unauthenticated)?;
        let id = UserId::new(token).map_err(|_| ChatError::from(ErrorCode::TokenInvalid))?;
        Ok(Identity::new(id))
    }

    async fn login_stands(&self, _login: &str) -> ChatResult<bool> {
        Ok(true)
    }
}

/// A live connection as a gateway holds it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) session: Session,
    pub(crate) outbound: Outbound,
}

impl Live {
    /// The next event, within two seconds.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let item = tokio::time::timeout(Duration::from_secs(2), self.outbound.next()).await;
        match item
            .expect("an event within two seconds")
            .expect("a session that has not ended")
        {
            OutboundItem::Event(event) => (
                event.name.to_owned(),
                serde_json::from_str(event.payload.get()).unwrap(),
            ),
            OutboundItem::End { reason, .. } => ("session_ending".to_owned(), reason.as_str().into()),
        }
    }

    /// The next event of this name; others are passed over.
    pub(crate) async fn next_named(&mut self, wanted: &str) -> Value {
        loop {
            let (name, payload) = self.next().await;
            if name == wanted {
                return payload;
            }
        }
    }

    /// Nothing of this name waits or comes within a moment.
    pub(crate) async fn hears_no(&mut self, unwanted: &str) {
        tokio::time::sleep(Duration::from_millis(120)).await;
        while let Some(item) = self.outbound.try_next() {
            if let OutboundItem::Event(event) = item {
                assert_ne!(event.name, unwanted, "{}", event.payload.get());
            }
        }
    }
}

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn client_id(key: &str) -> ClientId {
    ClientId::new(key).unwrap()
}

/// What nearly every case does.
pub(crate) trait Chats {
    async fn direct_with(&self, other: &Actor) -> ConversationView;
    async fn group_of(&self, name: &str, members: &[&Actor]) -> ConversationView;
    async fn say(&self, conversation: ConversationId, text: &str) -> MessageView;
    async fn unread(&self, conversation: ConversationId) -> u64;
    async fn texts(&self, conversation: ConversationId) -> Vec<String>;
    async fn sees(&self, message: MessageId) -> bool;
}

impl Chats for Actor {
    async fn direct_with(&self, other: &Actor) -> ConversationView {
        let open = OpenDirect {
            user_id: other.user_id().clone(),
        };
        self.open_direct(open).await.unwrap().conversation
    }

    async fn group_of(&self, name: &str, members: &[&Actor]) -> ConversationView {
        let create = CreateGroup {
            name: name.to_owned(),
            member_ids: members.iter().map(|member| member.user_id().clone()).collect(),
            description: None,
            avatar_attachment_id: None,
            permissions: None,
            custom: None,
            client_id: None,
        };
        self.create_group(create).await.unwrap().conversation
    }

    async fn say(&self, conversation: ConversationId, text: &str) -> MessageView {
        self.send(SendMessage::text(conversation, text))
            .await
            .unwrap()
            .message
    }

    async fn unread(&self, conversation: ConversationId) -> u64 {
        self.conversation(conversation).await.unwrap().my.unread_count
    }

    async fn texts(&self, conversation: ConversationId) -> Vec<String> {
        let all = whole_history(self, conversation).await;
        all.into_iter()
            .filter(|message| message.kind != MessageKind::System && message.deleted.is_none())
            .map(|message| message.text.unwrap_or_default())
            .collect()
    }

    async fn sees(&self, message: MessageId) -> bool {
        self.message(message).await.is_ok()
    }
}

/// Everything a user sees of a conversation, oldest first.
pub(crate) async fn whole_history(actor: &Actor, conversation: ConversationId) -> Vec<MessageView> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let request = HistoryRequest {
            after: Some(after),
            limit: Some(100),
            order: HistoryOrder::Ascending,
            ..HistoryRequest::default()
        };
        let page = actor.history(conversation, request).await.unwrap();
        all.extend(page.items);
        if !page.has_more_after {
            return all;
        }
        after = page.range.to;
    }
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: ChatResult<T>) -> ErrorCode {
    result.expect_err("a refusal").code()
}

//! Two engines on one store and one Redis, as on two nodes.

use std::sync::Arc;
use std::time::Duration;

use chat_core::command::{OpenDirect, SendMessage, SetTyping};
use chat_core::id::{ConversationId, UserId};
use chat_core::live::{ConnectFrom, Outbound, OutboundItem, Session};
use chat_core::memory::MemoryStore;
use chat_core::port::{Authenticator, Credentials, Identity};
use chat_core::time::{Clock, SystemClock};
use chat_core::{Actor, ChatEngine};
use chat_redis::{RedisBus, RedisPresence};
use serde_json::Value;
use tokio::time::timeout;

use crate::server::{STUCK, Server, config, server_or_return};

/// The token is the user's id; good for tests and nothing else.
#[derive(Debug)]
struct TokenIsName;

#[async_trait::async_trait]
impl Authenticator for TokenIsName {
    async fn authenticate(&self, credentials: &Credentials) -> chat_core::error::ChatResult<Identity> {
        Ok(Identity::new(
            UserId::new(credentials.token.as_deref().unwrap()).unwrap(),
        ))
    }

    async fn login_stands(&self, _login: &str) -> chat_core::error::ChatResult<bool> {
        Ok(true)
    }
}

struct Live {
    _session: Session,
    outbound: Outbound,
}

impl Live {
    async fn open(engine: &ChatEngine, name: &str) -> Self {
        let credentials = Credentials {
            token: Some(name.to_owned()),
            ..Credentials::default()
        };
        let auth: Arc<dyn Authenticator> = Arc::new(TokenIsName);
        let (session, outbound) = engine
            .connect(auth, &credentials, ConnectFrom::default())
            .await
            .unwrap();
        Self {
            _session: session,
            outbound,
        }
    }

    /// The next event of this name that is as wanted.
    async fn hears(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let heard = async {
            loop {
                match self.outbound.next().await.expect("the session goes on") {
                    OutboundItem::Event(event) if event.name == name => {
                        let payload = serde_json::from_str(event.payload.get()).unwrap();
                        if wanted(&payload) {
                            return payload;
                        }
                    }
                    _ => {}
                }
            }
        };
        timeout(STUCK, heard)
            .await
            .unwrap_or_else(|_| panic!("no {name}"))
    }
}

/// Two nodes, with Ann on the one and Bob on the other, and their direct conversation.
struct Nodes {
    here: ChatEngine,
    there: ChatEngine,
    ann: Actor,
    bob: Actor,
    direct: ConversationId,
}

impl Nodes {
    async fn start(server: &Server) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = MemoryStore::new(Arc::clone(&clock));
        let node = || {
            let mut settings = chat_core::config::ChatConfig::default();
            settings.limits.offline_grace = Duration::ZERO;
            ChatEngine::builder(Arc::new(store.clone()))
                .with_clock(Arc::clone(&clock))
                .with_config(settings)
                .with_secret("one secret")
                .with_bus(Arc::new(RedisBus::new(&server.url(), &config()).unwrap()))
                .with_presence(Arc::new(RedisPresence::new(&server.url(), config()).unwrap()))
                .build()
        };
        let (here, there) = (node(), node());
        let [ann, bob] = ["ann", "bob"].map(|name| UserId::new(name).unwrap());
        for id in [&ann, &bob] {
            here.admit(&Identity::new(id.clone())).await.unwrap();
        }
        let (ann, bob) = (here.as_user(&ann), there.as_user(&bob));
        let open = OpenDirect {
            user_id: bob.user_id().clone(),
        };
        let direct = ann.open_direct(open).await.unwrap().conversation.id;
        Self {
            here,
            there,
            ann,
            bob,
            direct,
        }
    }

    /// Ann says something until a session of the other node is told to look: its subscription may be on its way.
    async fn reach(&self, bobs: &mut Live) {
        let saying = async {
            loop {
                self.ann
                    .send(SendMessage::text(self.direct, "hello"))
                    .await
                    .unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        let hearing = bobs.hears("lagged", |lagged| {
            lagged["conversation_ids"][0] == self.direct.to_string()
        });
        futures::future::select(Box::pin(saying), Box::pin(hearing)).await;
    }
}

#[tokio::test]
async fn messages_typing_and_presence_cross_over() {
    let server = server_or_return!();
    let nodes = Nodes::start(&server).await;
    let mut bobs = Live::open(&nodes.there, "bob").await;
    nodes.reach(&mut bobs).await;

    let anns = Live::open(&nodes.here, "ann").await;
    bobs.hears("presence_changed", |of| {
        of["user_id"] == "ann" && of["status"] == "online"
    })
    .await;
    let seen = nodes
        .bob
        .presence(std::slice::from_ref(nodes.ann.user_id()))
        .await
        .unwrap();
    assert_eq!(seen[0].presence.status, chat_core::view::PresenceStatus::Online);

    for active in [true, false] {
        let typing = SetTyping {
            conversation_id: nodes.direct,
            active,
        };
        nodes.ann.set_typing(typing).await.unwrap();
        bobs.hears("typing_changed", |of| {
            of["user_ids"]
                .as_array()
                .is_some_and(|who| who.is_empty() != active)
        })
        .await;
    }
    drop(anns);
    bobs.hears("presence_changed", |of| {
        of["user_id"] == "ann" && of["status"] == "offline"
    })
    .await;
}

#[tokio::test]
async fn without_redis_sends_go_on_and_the_other_node_finds_them() {
    let mut server = server_or_return!();
    let nodes = Nodes::start(&server).await;
    let mut bobs = Live::open(&nodes.there, "bob").await;
    nodes.reach(&mut bobs).await;
    server.kill();
    let sent = nodes
        .ann
        .send(SendMessage::text(nodes.direct, "into the dark"))
        .await
        .unwrap();
    bobs.hears("lagged", |lagged| {
        lagged["conversation_ids"][0] == nodes.direct.to_string()
    })
    .await;
    assert!(nodes.bob.message(sent.message.id).await.is_ok());
    server.again();
    nodes.reach(&mut bobs).await;
}

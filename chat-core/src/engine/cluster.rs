//! Other nodes: what is committed here is hinted to them, what they hint makes sessions here catch up.
//!
//! Hints carry no content. A session that hears of one gets `lagged` and syncs from the store, so a lost, repeated or
//! late hint costs time and never a message; delivery on one node never depends on the bus.

use std::sync::{Arc, Weak};

use futures::future::{Either, select};
use serde_json::json;
use tokio::sync::watch;

use super::dispatch::Publication;
use super::{ChatEngine, Inner};
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::port::{Bus, BusSignal, Hint};

/// Lives as long as the engine; the listener ends with it.
#[derive(Debug)]
pub(crate) struct Alive(#[allow(dead_code, reason = "only its end is of interest")] watch::Sender<()>);

impl Alive {
    pub(crate) fn new() -> (Self, watch::Receiver<()>) {
        let (sender, receiver) = watch::channel(());
        (Self(sender), receiver)
    }
}

/// Listens to the other nodes until the engine is gone.
pub(crate) fn start(inner: &Arc<Inner>, bus: Arc<dyn Bus>, mut alive: watch::Receiver<()>) {
    let inner: Weak<Inner> = Arc::downgrade(inner);
    tokio::spawn(async move {
        loop {
            let signal = match select(bus.next(), Box::pin(alive.changed())).await {
                Either::Left((signal, _)) => signal,
                Either::Right(_) => return,
            };
            let Some(inner) = inner.upgrade() else { return };
            let engine = ChatEngine { inner };
            if let Err(error) = engine.hear(signal).await {
                tracing::warn!(%error, "a hint of another node could not be followed; sessions are told to sync");
                engine.tell_all().await;
            }
        }
    });
}

impl ChatEngine {
    /// Tells the other nodes what a publication was about.
    pub(crate) async fn hint(&self, event: &ChatEvent, publication: &Publication) {
        let Some(bus) = &self.inner().bus else { return };
        let hint = match (event, &publication.conversation) {
            (
                ChatEvent::InboxUpdated {
                    user_id, user_rev, ..
                },
                _,
            ) => Hint::User {
                id: user_id.clone(),
                user_rev: *user_rev,
            },
            (
                ChatEvent::BlockChanged {
                    blocker, user_rev, ..
                },
                _,
            ) => Hint::User {
                id: blocker.clone(),
                user_rev: *user_rev,
            },
            (_, Some(conversation)) => Hint::Conversation {
                id: conversation.id,
                rev: conversation.rev,
            },
            // Ephemeral: typing and presence are not hinted.
            (_, None) => return,
        };
        if let Err(error) = bus.publish(hint).await {
            tracing::warn!(%error, "the other nodes could not be told; they look into the store by themselves");
        }
    }

    async fn hear(&self, signal: BusSignal) -> ChatResult<()> {
        match signal {
            BusSignal::Hint(Hint::Conversation { id, .. }) => self.tell_members(id).await,
            BusSignal::Hint(Hint::User { id, .. }) => {
                self.hand_over(std::slice::from_ref(&id), None, "lagged", &json!({}))
                    .await
            }
            BusSignal::Gap => {
                self.tell_all().await;
                Ok(())
            }
        }
    }

    /// Members of a conversation with a session here, also those who have just been removed: they learn it by sync.
    async fn tell_members(&self, id: ConversationId) -> ChatResult<()> {
        let Some(conversation) = self.inner().store.conversations(&[id]).await?.pop() else {
            return Ok(());
        };
        let members = self.connected(&self.audience(&conversation).await?);
        self.hand_over(&members, None, "lagged", &json!({ "conversation_ids": [id] }))
            .await
    }

    async fn tell_all(&self) {
        let users: Vec<UserId> = self.inner().live.users();
        if let Err(error) = self.hand_over(&users, None, "lagged", &json!({})).await {
            tracing::error!(%error, "sessions could not be told to sync");
        }
    }
}

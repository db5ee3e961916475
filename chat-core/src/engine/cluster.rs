//! Other nodes: what is committed here is hinted to them, what they hint makes sessions here catch up.
//!
//! Hints carry no content. A session that hears of one gets `lagged` and syncs from the store, so a lost, repeated or
//! late hint costs time and never a message; delivery on one node never depends on the bus. Of presence a hint says only
//! whose it is, and what is told is what presence says then; only typing, which is kept nowhere, is in the hint itself.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, select};
use serde_json::json;
use tokio::sync::watch;

use super::dispatch::Publication;
use super::{ChatEngine, Inner};
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::Conversation;
use crate::port::{Bus, BusSignal, Hint};

/// A pause after the store did not answer, so that sessions do not all ask it at once while it is down.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

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
            match AssertUnwindSafe(engine.hear(signal)).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    // Sessions are told all the same, a moment later: the store did not answer just now.
                    tracing::warn!(%error, "a hint of another node could not be followed; sessions will sync");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    engine.tell_all().await;
                }
                Err(_) => tracing::error!("following a hint of another node panicked"),
            }
        }
    });
}

impl ChatEngine {
    /// Tells the other nodes what a publication was about: one hint for the conversation, one for each user of whom
    /// only his own side changed or who is out of the conversation now.
    pub(crate) fn hint(&self, publication: &Publication) {
        let Some(out) = &self.inner().hints else { return };
        if publication.is_heard {
            return;
        }
        let mut hints: Vec<Hint> = publication.hint.iter().cloned().collect();
        for event in &publication.events {
            match (&**event, &publication.conversation) {
                (
                    ChatEvent::InboxUpdated {
                        user_id, user_rev, ..
                    }
                    | ChatEvent::StarChanged {
                        user_id, user_rev, ..
                    },
                    _,
                ) => {
                    hints.push(Hint::User {
                        id: user_id.clone(),
                        user_rev: *user_rev,
                    });
                }
                (
                    ChatEvent::BlockChanged {
                        blocker, user_rev, ..
                    },
                    _,
                ) => {
                    hints.push(Hint::User {
                        id: blocker.clone(),
                        user_rev: *user_rev,
                    });
                }
                (ChatEvent::ScheduledChanged { scheduled }, _) => {
                    hints.push(Hint::User {
                        id: scheduled.user_id.clone(),
                        user_rev: scheduled.user_rev,
                    });
                }
                (ChatEvent::MessageHidden { hide }, _) => {
                    hints.push(Hint::User {
                        id: hide.user_id.clone(),
                        user_rev: 0,
                    });
                }
                (ChatEvent::ConversationRemoved { users, .. }, _) => {
                    hints.extend(users.iter().map(|user| Hint::User {
                        id: user.clone(),
                        user_rev: 0,
                    }));
                }
                (
                    ChatEvent::ReceiptUpdated {
                        public: false,
                        user_id,
                        ..
                    },
                    _,
                ) => {
                    hints.push(Hint::User {
                        id: user_id.clone(),
                        user_rev: 0,
                    });
                }
                (_, Some(conversation)) => {
                    hints.push(Hint::Conversation {
                        id: conversation.id,
                        rev: conversation.rev,
                    });
                }
                (ChatEvent::PresenceChanged { user_id, .. }, None) => {
                    hints.push(Hint::Presence { id: user_id.clone() });
                }
                (_, None) => {}
            }
        }
        hints.dedup();
        for hint in hints {
            out.send(hint, &self.inner().in_flight);
        }
    }

    async fn hear(&self, signal: BusSignal) -> ChatResult<()> {
        match signal {
            BusSignal::Hint(Hint::Conversation { id, .. }) => {
                match self.inner().store.conversations(&[id]).await?.pop() {
                    Some(conversation) => self.tell_members(&conversation).await,
                    None => Ok(()),
                }
            }
            BusSignal::Hint(Hint::User { id, user_rev }) => {
                self.tell_user(&id).await?;
                if let Some(tail) = &self.inner().tail {
                    tail.told_user(&id, user_rev);
                }
                Ok(())
            }
            BusSignal::Hint(Hint::Presence { id }) => self.deliver_presence(&id).await,
            BusSignal::Hint(Hint::Typing {
                conversation,
                user,
                active,
            }) => {
                let expiry = self.config().limits.typing_expiry;
                self.inner().typing.hear(conversation, &user, active, expiry);
                Ok(())
            }
            BusSignal::Gap => {
                self.tell_all().await;
                Ok(())
            }
        }
    }

    /// Makes the members of a conversation who are connected here catch up with it.
    pub(crate) async fn tell_members(&self, conversation: &Conversation) -> ChatResult<()> {
        let members = self.connected(&self.audience(conversation).await?);
        self.hand_over(
            &members,
            None,
            "lagged",
            &json!({ "conversation_ids": [conversation.id] }),
        )
        .await?;
        if let Some(tail) = &self.inner().tail {
            tail.told(conversation.id, conversation.rev);
        }
        Ok(())
    }

    /// Makes one user's sessions here catch up.
    pub(crate) async fn tell_user(&self, user: &UserId) -> ChatResult<()> {
        self.hand_over(std::slice::from_ref(user), None, "lagged", &json!({}))
            .await
    }

    /// Makes all sessions here catch up.
    pub(crate) async fn tell_all(&self) {
        let users: Vec<UserId> = self.inner().live.users();
        if let Err(error) = self.hand_over(&users, None, "lagged", &json!({})).await {
            tracing::error!(%error, "sessions could not be told to sync");
        }
    }
}

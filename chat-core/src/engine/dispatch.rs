//! From committed changes to live connections, hooks and the host's stream, in order per conversation.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Serialize;
use tokio::sync::mpsc;

use super::{ChatEngine, Inner};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, SessionId, UserId};
use crate::model::{Conversation, Rev};
use crate::port::{Recipient, WireEvent};

/// Events of one conversation go through one lane, in order; different conversations do not wait for each other.
const LANES: usize = 8;
/// Publications waiting in one lane before commits have to wait.
const WAITING: usize = 1024;

/// Events with what dispatching them needs to know.
#[derive(Debug)]
pub(crate) struct Publication {
    /// The conversation right after the commit; `None` for events of a user and where only his own side changed.
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// What happened, in order.
    pub(crate) events: Vec<Arc<ChatEvent>>,
    /// The session that caused it; it has its answer already.
    pub(crate) origin: Option<SessionId>,
}

impl Publication {
    pub(crate) fn committed(
        conversation: Option<Conversation>,
        events: Vec<ChatEvent>,
        origin: Option<SessionId>,
    ) -> Self {
        Self {
            conversation: conversation.map(Arc::new),
            events: events.into_iter().map(Arc::new).collect(),
            origin,
        }
    }

    /// An event that belongs to a user, or an ephemeral one.
    pub(crate) fn single(event: ChatEvent, origin: Option<SessionId>) -> Self {
        Self {
            conversation: None,
            events: vec![Arc::new(event)],
            origin,
        }
    }

    fn lane(&self) -> usize {
        let mut hasher = DefaultHasher::new();
        match (&self.conversation, self.events.first().map(AsRef::as_ref)) {
            // As an option, like the ids of private and ephemeral events: one conversation, one lane.
            (Some(conversation), _) => Some(conversation.id).hash(&mut hasher),
            (None, Some(event)) => match event {
                ChatEvent::PresenceChanged { user_id, .. } => user_id.hash(&mut hasher),
                ChatEvent::BlockChanged { blocker, .. } => blocker.hash(&mut hasher),
                other => other.conversation_id().hash(&mut hasher),
            },
            (None, None) => {}
        }
        usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0)
    }
}

/// Takes publications in.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher {
    lanes: Vec<mpsc::Sender<Publication>>,
}

/// The other ends, until the engine stands.
pub(crate) struct Lanes {
    receivers: Vec<mpsc::Receiver<Publication>>,
}

impl Dispatcher {
    pub(crate) fn new() -> (Self, Lanes) {
        let (lanes, receivers) = (0..LANES).map(|_| mpsc::channel(WAITING)).unzip();
        (Self { lanes }, Lanes { receivers })
    }

    /// Hands events on; waits when their lane is full, which slows commits down instead of losing events.
    pub(crate) async fn publish(&self, publication: Publication) {
        if let Some(lane) = self.lanes.get(publication.lane()) {
            // A closed lane means that the engine is gone, and with it everybody who could hear.
            let _gone = lane.send(publication).await;
        }
    }
}

impl Lanes {
    pub(crate) fn start(self, inner: &Arc<Inner>) {
        for mut lane in self.receivers {
            let inner: Weak<Inner> = Arc::downgrade(inner);
            tokio::spawn(async move {
                while let Some(publication) = lane.recv().await {
                    let Some(inner) = inner.upgrade() else { return };
                    let engine = ChatEngine { inner };
                    for event in &publication.events {
                        engine.dispatch(event, &publication).await;
                    }
                    engine.inner.in_flight.end();
                }
            });
        }
    }
}

impl ChatEngine {
    /// Everything that happens, for the host: typed, after the commit. A host that falls more than 4,096 events
    /// behind gets `None` items for the gap and catches up from the store.
    pub fn events(&self) -> impl futures::Stream<Item = Option<Arc<ChatEvent>>> + Send + use<> {
        let receiver = self.inner().events.subscribe();
        futures::stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(event) => Some((Some(event), receiver)),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => Some((None, receiver)),
                Err(tokio::sync::broadcast::error::RecvError::Closed) => None,
            }
        })
    }

    /// Publishes what did not come from a commit.
    pub(crate) async fn publish(&self, event: ChatEvent, origin: Option<SessionId>) {
        self.inner().in_flight.begin();
        self.inner()
            .dispatcher
            .publish(Publication::single(event, origin))
            .await;
    }

    async fn dispatch(&self, event: &Arc<ChatEvent>, publication: &Publication) {
        // No subscriber is no error.
        let _subscribers = self.inner().events.send(Arc::clone(event));
        if let Err(error) = self.deliver(event, publication).await {
            // Live events are hints: who misses one catches up by sync. It must show, though.
            tracing::warn!(%error, event = event.name(), "an event could not be delivered live");
        }
        if let (ChatEvent::MessageCreated { message }, Some(conversation)) =
            (&**event, &publication.conversation)
        {
            self.inner().pushes.consider(conversation, message);
        }
        self.hint(event, publication).await;
        for hook in &self.inner().hooks {
            hook.after(event).await;
        }
    }
}

/// Who was a member at which `members_rev`.
type MemberList = (Rev, Arc<[UserId]>);

/// Member lists of conversations with live traffic, each good for one `members_rev`: a change of membership makes
/// the next event load it again, so nobody gets an event after he was removed.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    lists: Mutex<HashMap<ConversationId, MemberList>>,
}

impl Audiences {
    /// How many lists are kept; beyond it all are dropped and load again.
    const KEPT: usize = 4096;

    fn get(&self, conversation: &Conversation) -> Option<Arc<[UserId]>> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists
            .get(&conversation.id)
            .filter(|(rev, _)| *rev == conversation.members_rev)
            .map(|(_, members)| Arc::clone(members))
    }

    fn put(&self, conversation: &Conversation, members: &Arc<[UserId]>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= Self::KEPT {
            lists.clear();
        }
        lists.insert(conversation.id, (conversation.members_rev, Arc::clone(members)));
    }
}

impl ChatEngine {
    /// Ids of the members an event of this conversation goes to.
    pub(crate) async fn audience(&self, conversation: &Conversation) -> ChatResult<Arc<[UserId]>> {
        if let Some(members) = self.inner().audiences.get(conversation) {
            return Ok(members);
        }
        let members: Arc<[UserId]> = self.inner().store.member_ids(conversation.id).await?.into();
        self.inner().audiences.put(conversation, &members);
        Ok(members)
    }

    /// Those of `users` with a live connection on any transport.
    pub(crate) fn connected(&self, users: &[UserId]) -> Vec<UserId> {
        let mut connected: Vec<UserId> = self
            .inner()
            .transports
            .iter()
            .flat_map(|transport| transport.connected(users))
            .collect();
        connected.sort();
        connected.dedup();
        connected
    }

    /// Hands one rendered event to the connections of these users.
    pub(crate) async fn hand_over(
        &self,
        users: &[UserId],
        except: Option<SessionId>,
        name: &'static str,
        payload: &impl Serialize,
    ) -> ChatResult<()> {
        if users.is_empty() {
            return Ok(());
        }
        let payload = serde_json::value::to_raw_value(payload).map_err(|error| {
            ChatError::new(ErrorCode::Internal, "an event could not be written").with_source(error)
        })?;
        let event = WireEvent {
            name,
            payload: Arc::from(payload),
        };
        let recipients: Vec<Recipient> = users
            .iter()
            .map(|user| Recipient {
                user: user.clone(),
                except,
            })
            .collect();
        for transport in &self.inner().transports {
            let delivery = transport.deliver(&recipients, &event).await;
            if delivery.full > 0 {
                tracing::info!(
                    event = name,
                    sessions = delivery.full,
                    "slow sessions were told that they lag"
                );
            }
        }
        Ok(())
    }
}

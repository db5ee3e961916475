//! From committed changes to live connections, hooks and the host's stream, in order per conversation.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::{ChatEngine, Inner};
use crate::event::ChatEvent;
use crate::id::SessionId;
use crate::model::Conversation;

/// Events of one conversation go through one lane, in order; different conversations do not wait for each other.
const LANES: usize = 8;
/// Publications waiting in one lane before commits have to wait.
const WAITING: usize = 1024;

/// Events with what dispatching them needs to know.
#[derive(Debug)]
pub(crate) struct Publication {
    /// The conversation right after the commit; `None` for events of a user.
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// What happened, in order.
    pub(crate) events: Vec<Arc<ChatEvent>>,
    /// The session that caused it; it has its answer already.
    pub(crate) origin: Option<SessionId>,
}

impl Publication {
    pub(crate) fn committed(
        conversation: Conversation,
        events: Vec<ChatEvent>,
        origin: Option<SessionId>,
    ) -> Self {
        Self {
            conversation: Some(Arc::new(conversation)),
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
            (Some(conversation), _) => conversation.id.hash(&mut hasher),
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
        for hook in &self.inner().hooks {
            hook.after(event).await;
        }
    }
}

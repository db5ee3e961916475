//! From committed changes to live connections, hooks and the host's stream, in order per conversation.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use futures::FutureExt;
use tokio::sync::{broadcast, mpsc};

use super::drain::InFlight;
use super::tail::Moved;
use super::{ChatEngine, Inner};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::SessionId;
use crate::model::Conversation;
use crate::port::Hint;

/// Events of one conversation go through one lane, in order; different conversations do not wait for each other.
const LANES: usize = 8;
/// Publications waiting in one lane; more are dropped, and sessions are told to catch up.
const WAITING: usize = 4096;

/// One item of [`ChatEngine::events`].
#[derive(Debug, Clone)]
pub enum EventItem {
    /// Something happened.
    Event(Arc<ChatEvent>),
    /// So many items were lost here, because this reader was too slow or too much happened at once: what they told
    /// has to be read from the store.
    Missed(u64),
}

/// Events with what dispatching them needs to know.
#[derive(Debug)]
pub(crate) struct Publication {
    /// The conversation right after the commit; `None` for events of a user and where only his own side changed.
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// What happened, in order.
    pub(crate) events: Vec<Arc<ChatEvent>>,
    /// The session that caused it; it has its answer already.
    pub(crate) origin: Option<SessionId>,
    /// Which revs it tells of.
    pub(crate) moved: Moved,
    /// Whether another node said it, which has told its own subscribers and hooks.
    pub(crate) is_heard: bool,
    /// What the other nodes are told of it beside what its events say.
    pub(crate) hint: Option<Hint>,
}

impl Publication {
    pub(crate) fn committed(
        conversation: Option<Conversation>,
        events: Vec<ChatEvent>,
        origin: Option<SessionId>,
        moved: Moved,
    ) -> Self {
        Self {
            conversation: conversation.map(Arc::new),
            events: events.into_iter().map(Arc::new).collect(),
            origin,
            moved,
            is_heard: false,
            hint: None,
        }
    }

    /// An event that belongs to a user, or an ephemeral one.
    pub(crate) fn single(event: ChatEvent, origin: Option<SessionId>) -> Self {
        Self {
            conversation: None,
            events: vec![Arc::new(event)],
            origin,
            moved: Moved::default(),
            is_heard: false,
            hint: None,
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
                ChatEvent::MuteChanged { user_id, .. } => user_id.hash(&mut hasher),
                ChatEvent::ScheduledChanged { scheduled } => scheduled.user_id.hash(&mut hasher),
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
    lanes: Vec<Lane>,
}

#[derive(Debug, Clone)]
struct Lane {
    queue: mpsc::Sender<Ticket>,
    /// How many events had to be dropped; the lane's task then tells every session to catch up.
    dropped: Arc<AtomicU64>,
}

/// A publication on its way; it is in flight until this is dropped, however its handling ends.
#[derive(Debug)]
struct Ticket {
    publication: Publication,
    in_flight: Arc<InFlight>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.in_flight.end();
    }
}

/// The other ends, until the engine stands.
pub(crate) struct Lanes {
    receivers: Vec<(mpsc::Receiver<Ticket>, Arc<AtomicU64>)>,
}

impl Dispatcher {
    pub(crate) fn new() -> (Self, Lanes) {
        let (lanes, receivers) = (0..LANES)
            .map(|_| {
                let (queue, receiver) = mpsc::channel(WAITING);
                let dropped = Arc::new(AtomicU64::new(0));
                (
                    Lane {
                        queue,
                        dropped: Arc::clone(&dropped),
                    },
                    (receiver, dropped),
                )
            })
            .unzip();
        (Self { lanes }, Lanes { receivers })
    }

    /// Hands events on. Never waits: commits and their answers must not depend on delivery. What has no room is
    /// dropped, and sessions are told to catch up from the store. The publication counts as in flight already.
    pub(crate) fn publish(&self, publication: Publication, in_flight: &Arc<InFlight>) {
        let lane = publication.lane();
        let ticket = Ticket {
            publication,
            in_flight: Arc::clone(in_flight),
        };
        let events = ticket.publication.events.len() as u64;
        if let Some(lane) = self.lanes.get(lane)
            && let Err(mpsc::error::TrySendError::Full(_)) = lane.queue.try_send(ticket)
            && lane.dropped.fetch_add(events, Ordering::SeqCst) == 0
        {
            tracing::warn!("too many events wait for delivery; sessions are told to catch up");
        }
    }
}

impl Lanes {
    pub(crate) fn start(self, inner: &Arc<Inner>) {
        for (mut lane, dropped) in self.receivers {
            let inner: Weak<Inner> = Arc::downgrade(inner);
            tokio::spawn(async move {
                while let Some(ticket) = lane.recv().await {
                    let Some(inner) = inner.upgrade() else { return };
                    let engine = ChatEngine { inner };
                    engine.dispatch_all(&ticket.publication).await;
                    let missed = dropped.swap(0, Ordering::SeqCst);
                    if missed > 0 {
                        engine.miss_all(missed).await;
                    }
                }
            });
        }
    }
}

impl ChatEngine {
    /// Everything that happens, for the host: typed, after the commit, from this call on. In order within a
    /// conversation; ephemeral events too. Each stream has its own pace and nothing waits for it: one that falls more
    /// than 4,096 events behind gets [`EventItem::Missed`] in the place of what it lost, and goes on with what is
    /// kept. The stream ends with the engine and does not keep it alive.
    ///
    /// For a copy that misses nothing, also over restarts, use the outbox behind signed webhooks instead.
    ///
    /// ```
    /// # #[cfg(feature = "memory")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # use chat_core::command::SendMessage;
    /// # use chat_core::id::UserId;
    /// # use chat_core::memory::MemoryStore;
    /// # use chat_core::port::Identity;
    /// use chat_core::engine::EventItem;
    /// use chat_core::event::ChatEvent;
    /// use futures::StreamExt;
    ///
    /// # let engine = chat_core::ChatEngine::builder(Arc::new(MemoryStore::default())).build();
    /// # let (ada, ben) = (UserId::new("ada")?, UserId::new("ben")?);
    /// # for id in [&ada, &ben] { engine.admit(&Identity::new(id.clone())).await?; }
    /// let mut events = std::pin::pin!(engine.events());
    /// # engine.as_user(&ada).send(SendMessage::text_to(ben, "hello")).await?;
    /// let mut texts = Vec::new();
    /// while let Some(item) = events.next().await {
    ///     match item {
    ///         EventItem::Event(event) => {
    ///             if let ChatEvent::MessageCreated { message } = &*event {
    ///                 texts.push(message.text.clone());
    ///             }
    ///         }
    ///         EventItem::Missed(count) => eprintln!("{count} events missed; reading them from the store"),
    ///     }
    /// #   if !texts.is_empty() { break }
    /// }
    /// assert_eq!(texts, ["hello"]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "memory"))]
    /// # fn main() {}
    /// ```
    pub fn events(&self) -> impl futures::Stream<Item = EventItem> + Send + use<> {
        let receiver = self.inner().events.subscribe();
        futures::stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(item) => Some((item, receiver)),
                Err(broadcast::error::RecvError::Lagged(count)) => Some((EventItem::Missed(count), receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
    }

    /// Publishes what did not come from a commit.
    pub(crate) fn publish(&self, event: ChatEvent, origin: Option<SessionId>) {
        self.publish_whole(Publication::single(event, origin));
    }

    pub(crate) fn publish_whole(&self, publication: Publication) {
        let in_flight = &self.inner().in_flight;
        in_flight.begin();
        self.inner().dispatcher.publish(publication, in_flight);
    }

    /// Everything a publication leads to. Whatever fails or panics on the way costs its own part only.
    async fn dispatch_all(&self, publication: &Publication) {
        for event in &publication.events {
            if !publication.is_heard {
                // No subscriber is no error.
                let _subscribers = self.inner().events.send(EventItem::Event(Arc::clone(event)));
            }
            if let Err(error) = guarded(self.deliver(event, publication)).await {
                tracing::warn!(%error, event = event.name(), "an event could not be delivered; its viewers catch up");
                self.miss(event, publication).await;
            }
            if let ChatEvent::ReceiptUpdated {
                conversation_id,
                user_id,
                read_seq,
                ..
            } = &**event
            {
                self.clear_read(user_id, *conversation_id, *read_seq);
            }
            if !publication.is_heard {
                self.call_hooks(event).await;
            }
        }
        if let Some(tail) = &self.inner().tail {
            tail.handed_out(publication);
        }
        self.hint(publication);
    }

    /// Tells those who should have had an event that they missed something.
    async fn miss(&self, event: &ChatEvent, publication: &Publication) {
        let told = match &publication.conversation {
            Some(conversation) => guarded(self.tell_members(conversation)).await,
            None => match event {
                ChatEvent::InboxUpdated { user_id, .. } | ChatEvent::StarChanged { user_id, .. } => {
                    guarded(self.tell_user(user_id)).await
                }
                ChatEvent::BlockChanged { blocker, .. } => guarded(self.tell_user(blocker)).await,
                ChatEvent::MuteChanged { user_id, .. } => guarded(self.tell_user(user_id)).await,
                ChatEvent::ScheduledChanged { scheduled } => {
                    guarded(self.tell_user(&scheduled.user_id)).await
                }
                // Ephemeral: the next one says it all again.
                _ => Ok(()),
            },
        };
        if told.is_err() {
            self.tell_all().await;
        }
    }

    /// Events were dropped before anybody knew whose: everybody catches up, the host too.
    async fn miss_all(&self, count: u64) {
        let _subscribers = self.inner().events.send(EventItem::Missed(count));
        self.tell_all().await;
    }
}

/// Turns a panic into an error, so that the task around it lives on.
async fn guarded(work: impl Future<Output = ChatResult<()>>) -> ChatResult<()> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(_) => Err(ChatError::new(ErrorCode::Internal, "it panicked")),
    }
}

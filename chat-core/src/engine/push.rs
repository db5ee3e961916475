//! Pushes for messages nobody looks at. Best effort, beside the road of commits: a bounded queue and one worker, so a
//! slow provider costs senders nothing; what does not fit is dropped and counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::content::kind_word;
use super::{ChatEngine, Inner};
use crate::access::{PushDecision, PushFacts, Sight, Visibility, is_collapsed, push_decision, visible};
use crate::error::ChatResult;
use crate::id::UserId;
use crate::model::{Conversation, ConversationKind, Device, Member, Message, PushContent, User};
use crate::port::{Notifier, Push};
use crate::text;

/// Messages waiting for the worker.
const WAITING: usize = 1024;
/// How much of a text a push shows, in characters.
const BODY_CHARS: usize = 100;

/// A message that may have to be pushed.
#[derive(Debug)]
pub(crate) struct Candidate {
    conversation: Arc<Conversation>,
    message: Arc<Message>,
}

/// Takes candidates in.
#[derive(Debug, Clone)]
pub(crate) struct Pushes {
    queue: Option<mpsc::Sender<Candidate>>,
}

/// The other end, until the engine stands.
pub(crate) struct PushWorker {
    queue: mpsc::Receiver<Candidate>,
    notifier: Arc<dyn Notifier>,
}

impl Pushes {
    /// Without a notifier nothing is even considered.
    pub(crate) fn new(notifier: Option<Arc<dyn Notifier>>) -> (Self, Option<PushWorker>) {
        let Some(notifier) = notifier else {
            return (Self { queue: None }, None);
        };
        let (sender, receiver) = mpsc::channel(WAITING);
        (
            Self { queue: Some(sender) },
            Some(PushWorker {
                queue: receiver,
                notifier,
            }),
        )
    }

    pub(crate) fn consider(&self, conversation: &Arc<Conversation>, message: &Arc<Message>) {
        let Some(queue) = &self.queue else { return };
        let candidate = Candidate {
            conversation: Arc::clone(conversation),
            message: Arc::clone(message),
        };
        if queue.try_send(candidate).is_err() {
            tracing::warn!(message = %message.id, "too many pushes are waiting; this message is not pushed");
        }
    }
}

impl PushWorker {
    pub(crate) fn start(mut self, inner: &Arc<Inner>) {
        let inner: Weak<Inner> = Arc::downgrade(inner);
        tokio::spawn(async move {
            while let Some(candidate) = self.queue.recv().await {
                let Some(inner) = inner.upgrade() else { return };
                let engine = ChatEngine { inner };
                if let Err(error) = engine.push(&candidate, self.notifier.as_ref()).await {
                    tracing::warn!(%error, message = %candidate.message.id, "a message could not be pushed");
                }
            }
        });
    }
}

impl ChatEngine {
    async fn push(&self, candidate: &Candidate, notifier: &dyn Notifier) -> ChatResult<()> {
        let Candidate {
            conversation,
            message,
        } = candidate;
        let store = &self.inner().store;
        let recipients: Vec<UserId> = self
            .audience(conversation)
            .await?
            .iter()
            .filter(|user| **user != message.sender_id)
            .cloned()
            .collect();
        let mut devices: HashMap<UserId, Vec<Device>> = HashMap::new();
        for device in store.devices(&recipients).await? {
            devices.entry(device.user_id.clone()).or_default().push(device);
        }
        let reachable: Vec<UserId> = devices.keys().cloned().collect();
        if reachable.is_empty() {
            return Ok(());
        }
        let users = self.users_by_id(&reachable).await?;
        let sender = self
            .users_by_id(std::slice::from_ref(&message.sender_id))
            .await?
            .remove(&message.sender_id);
        let blockers: HashSet<UserId> = store
            .blocks_of(&message.sender_id)
            .await?
            .blocked_by
            .into_iter()
            .collect();
        for (id, devices) in devices {
            let (Some(user), Some(member)) = (users.get(&id), store.member(conversation.id, &id).await?)
            else {
                continue;
            };
            if self.decide_push(conversation, message, &member, user, blockers.contains(&id))
                == PushDecision::Alert
            {
                let badge = self.as_user(&id).badge().await?.unread_messages;
                let push = compose(conversation, message, sender.as_ref(), user, badge);
                self.notify(notifier, &devices, &push).await;
            }
        }
        Ok(())
    }

    fn decide_push(
        &self,
        conversation: &Conversation,
        message: &Message,
        member: &Member,
        user: &User,
        blocked: bool,
    ) -> PushDecision {
        let policies = &self.config().policies;
        let now = self.now();
        let sight = Sight {
            member,
            now,
            hidden: false,
            sender_blocked: blocked,
            group: conversation.kind == ConversationKind::Group,
            blocked_in_group: policies.blocked_in_group,
        };
        push_decision(&PushFacts {
            message,
            member,
            visible: visible(&sight, message) == Visibility::Visible && !is_collapsed(&sight),
            settings: &user.settings,
            suspended: user.suspended,
            has_device: true,
            attention: self.inner().live.attention(&user.id, conversation.id),
            policies,
            now,
        })
    }

    async fn notify(&self, notifier: &dyn Notifier, devices: &[Device], push: &Push) {
        match notifier.notify(devices, push).await {
            Ok(report) => {
                for token in report.dead {
                    if let Err(error) = self.inner().store.unregister_device(&push.user_id, &token).await {
                        tracing::warn!(%error, "a dead device could not be removed");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, message = %push.message_id, "the provider took no push"),
        }
    }
}

/// What a push shows, by the recipient's `push_content`.
fn compose(
    conversation: &Conversation,
    message: &Message,
    sender: Option<&User>,
    to: &User,
    badge: u64,
) -> Push {
    let from = sender.map_or_else(|| message.sender_id.to_string(), |user| user.name.clone());
    let text = if text::is_blank(&message.text) {
        kind_word(message.kind).to_owned()
    } else {
        text::excerpt(&message.text, BODY_CHARS)
    };
    let (title, body) = match (to.settings.push_content, &conversation.name) {
        (PushContent::Full, None) => (from, text),
        (PushContent::Full, Some(name)) => (name.clone(), format!("{from}: {text}")),
        (PushContent::SenderOnly, _) => (from, kind_word(message.kind).to_owned()),
        (PushContent::Generic, _) => ("New message".to_owned(), String::new()),
        (PushContent::IdOnly, _) => (String::new(), String::new()),
    };
    Push {
        user_id: to.id.clone(),
        conversation_id: conversation.id,
        message_id: message.id,
        seq: message.seq,
        title,
        body,
        badge,
    }
}

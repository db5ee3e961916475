//! Pushes for messages nobody looks at. Best effort, beside the road of commits: bounded queues, so a slow provider
//! costs senders nothing; what does not fit is dropped and counted. Whether a user is told, and of what, is judged on
//! what is stored right before the provider is called, not on what was when the message was sent.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, pending, select};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::content::kind_word;
use super::stats::Counters;
use super::{ChatEngine, Inner};
use crate::access::{PushDecision, PushFacts, Sight, Visibility, is_collapsed, push_decision, visible};
use crate::config::Policies;
use crate::error::ChatResult;
use crate::id::{MessageId, UserId};
use crate::live::Attention;
use crate::model::{Conversation, ConversationKind, Device, Member, Message, Muted, PushContent, User};
use crate::port::{Notifier, Push};
use crate::text;
use crate::time::Timestamp;

/// Messages waiting to be looked at, and users' pushes handed on at once.
const WAITING: usize = 1024;
/// Pushes waiting for one user; the oldest gives way, as it would on his screen.
const WAITING_OF_USER: usize = 16;
/// Calls of the provider at a time, at most one for each user.
const CALLS: usize = 8;
/// How long the provider may take for one call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a text a push shows, in characters.
const BODY_CHARS: usize = 100;

/// A message that may have to be pushed.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    conversation: Arc<Conversation>,
    message: Arc<Message>,
}

/// A candidate for one user.
#[derive(Debug)]
struct Letter {
    to: UserId,
    candidate: Candidate,
}

/// Takes candidates in.
#[derive(Debug, Clone)]
pub(crate) struct Pushes {
    queue: Option<mpsc::Sender<Candidate>>,
    counters: Arc<Counters>,
}

/// The other end, until the engine stands.
pub(crate) struct PushWorker {
    queue: mpsc::Receiver<Candidate>,
    notifier: Arc<dyn Notifier>,
}

impl Pushes {
    /// Without a notifier nothing is even considered.
    pub(crate) fn new(
        notifier: Option<Arc<dyn Notifier>>,
        counters: Arc<Counters>,
    ) -> (Self, Option<PushWorker>) {
        let Some(notifier) = notifier else {
            return (
                Self {
                    queue: None,
                    counters,
                },
                None,
            );
        };
        let (sender, receiver) = mpsc::channel(WAITING);
        (
            Self {
                queue: Some(sender),
                counters,
            },
            Some(PushWorker {
                queue: receiver,
                notifier,
            }),
        )
    }

    pub(crate) fn has_notifier(&self) -> bool {
        self.queue.is_some()
    }

    pub(crate) fn consider(&self, conversation: &Arc<Conversation>, message: &Arc<Message>) {
        let Some(queue) = &self.queue else { return };
        let candidate = Candidate {
            conversation: Arc::clone(conversation),
            message: Arc::clone(message),
        };
        if queue.try_send(candidate).is_err() {
            self.counters.push_dropped();
            tracing::warn!(message = %message.id, "too many pushes are waiting; this message is not pushed");
        }
    }
}

impl PushWorker {
    /// Two tasks: one asks whom a message may concern, one carries. Both end with the engine.
    pub(crate) fn start(self, inner: &Arc<Inner>) {
        let Self { mut queue, notifier } = self;
        let (letters, post) = mpsc::channel(WAITING);
        let post = Post {
            inner: Arc::downgrade(inner),
            notifier,
            counters: Arc::clone(&inner.counters),
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            busy: HashSet::new(),
            calls: JoinSet::new(),
        }
        .run(post);
        tokio::spawn(post);
        let inner = Arc::downgrade(inner);
        tokio::spawn(async move {
            while let Some(candidate) = queue.recv().await {
                let Some(strong) = inner.upgrade() else { return };
                let engine = ChatEngine { inner: strong };
                let whom = AssertUnwindSafe(engine.push_candidates(&candidate)).catch_unwind();
                let users = match whom.await {
                    Ok(Ok(users)) => users,
                    Ok(Err(error)) => {
                        engine.inner.counters.push_failed();
                        tracing::warn!(%error, message = %candidate.message.id, "a message could not be pushed");
                        continue;
                    }
                    Err(_panic) => {
                        engine.inner.counters.push_failed();
                        tracing::error!(message = %candidate.message.id, "a push panicked");
                        continue;
                    }
                };
                drop(engine);
                for to in users {
                    let candidate = candidate.clone();
                    if letters.send(Letter { to, candidate }).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// Carries letters: a few at a time, those of one user one after the other, so that a device whose provider is slow
/// keeps nobody else waiting.
struct Post {
    inner: Weak<Inner>,
    notifier: Arc<dyn Notifier>,
    counters: Arc<Counters>,
    waiting: HashMap<UserId, VecDeque<Candidate>>,
    /// Users with something waiting and no call under way.
    turns: VecDeque<UserId>,
    busy: HashSet<UserId>,
    calls: JoinSet<UserId>,
}

impl Post {
    async fn run(mut self, mut letters: mpsc::Receiver<Letter>) {
        loop {
            self.call();
            let room = self.waiting.len() < WAITING;
            let next = async {
                if room {
                    letters.recv().await
                } else {
                    pending().await
                }
            };
            let done = async {
                match self.calls.join_next().await {
                    Some(done) => done,
                    None => pending().await,
                }
            };
            // Either may be dropped unfinished without losing anything.
            let event = match select(pin!(done), pin!(next)).await {
                Either::Left((done, _)) => Either::Left(done),
                Either::Right((letter, _)) => Either::Right(letter),
            };
            match event {
                Either::Left(Ok(user)) => self.finished(user),
                // Calls catch their panics, and nobody aborts them.
                Either::Left(Err(_)) => {}
                Either::Right(Some(letter)) => self.take(letter),
                Either::Right(None) => return,
            }
        }
    }

    fn finished(&mut self, user: UserId) {
        self.busy.remove(&user);
        if self.waiting.contains_key(&user) {
            self.turns.push_back(user);
        }
    }

    fn take(&mut self, Letter { to, candidate }: Letter) {
        let waiting = self.waiting.entry(to.clone()).or_default();
        if waiting.is_empty() && !self.busy.contains(&to) {
            self.turns.push_back(to);
        }
        if waiting.len() >= WAITING_OF_USER {
            waiting.pop_front();
            self.counters.push_dropped();
        }
        waiting.push_back(candidate);
    }

    /// Starts calls while there is room.
    fn call(&mut self) {
        while self.calls.len() < CALLS {
            let Some(user) = self.turns.pop_front() else {
                return;
            };
            let Some(waiting) = self.waiting.get_mut(&user) else {
                continue;
            };
            let next = waiting.pop_front();
            if waiting.is_empty() {
                self.waiting.remove(&user);
            }
            let (Some(candidate), Some(inner)) = (next, self.inner.upgrade()) else {
                continue;
            };
            self.busy.insert(user.clone());
            let (engine, notifier) = (ChatEngine { inner }, Arc::clone(&self.notifier));
            self.calls.spawn(async move {
                let push = AssertUnwindSafe(engine.push(&candidate, &user, notifier.as_ref()));
                match push.catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        engine.inner.counters.push_failed();
                        tracing::warn!(%error, message = %candidate.message.id, "a message could not be pushed");
                    }
                    Err(_panic) => {
                        engine.inner.counters.push_failed();
                        tracing::error!(message = %candidate.message.id, "a push panicked");
                    }
                }
                user
            });
        }
    }
}

impl ChatEngine {
    /// Members with a device who do not look at the message anyway.
    async fn push_candidates(&self, candidate: &Candidate) -> ChatResult<Vec<UserId>> {
        let Candidate {
            conversation,
            message,
        } = candidate;
        let live = &self.inner().live;
        let away: Vec<UserId> = self
            .audience(conversation)
            .await?
            .iter()
            .filter(|user| **user != message.sender_id)
            .filter(|user| !live.attention(user, conversation.id).on_screen)
            .cloned()
            .collect();
        let devices = self.inner().store.devices(&away).await?;
        let mut users: Vec<UserId> = devices.into_iter().map(|device| device.user_id).collect();
        users.sort();
        users.dedup();
        Ok(users)
    }

    /// Pushes a message to one user, if he is to hear of it now.
    async fn push(&self, candidate: &Candidate, to: &UserId, notifier: &dyn Notifier) -> ChatResult<()> {
        let devices = self.inner().store.devices(std::slice::from_ref(to)).await?;
        if devices.is_empty() {
            return Ok(());
        }
        let badge = self.as_user(to).badge().await?.unread_messages;
        // The last questions before the call: what was deleted, read or blocked until here is not pushed.
        if let Some(push) = self.judge_push(candidate, to, badge).await? {
            self.notify(notifier, &devices, &push).await;
        }
        Ok(())
    }

    /// What a user is told of a message now, if anything.
    async fn judge_push(&self, candidate: &Candidate, to: &UserId, badge: u64) -> ChatResult<Option<Push>> {
        let Candidate {
            conversation,
            message,
        } = candidate;
        let scene = self.push_scene(conversation, message.id, to, true).await?;
        Ok(scene
            .filter(|scene| scene.decide(self) == PushDecision::Alert)
            .map(|scene| {
                compose(
                    conversation,
                    &scene.message,
                    scene.sender.as_ref(),
                    &scene.user,
                    push_content(&scene.message, &scene.user, &self.config().policies),
                    badge,
                )
            }))
    }

    /// What the decision about a push looks at, as it is now; `None` when he was never a member or one of the three is
    /// gone.
    pub(super) async fn push_scene(
        &self,
        conversation: &Conversation,
        message: MessageId,
        to: &UserId,
        has_device: bool,
    ) -> ChatResult<Option<PushScene>> {
        let store = &self.inner().store;
        let Some(message) = store.messages(&[message]).await?.pop() else {
            return Ok(None);
        };
        let mut users = self.users_by_id(&[to.clone(), message.sender_id.clone()]).await?;
        let sender = users.get(&message.sender_id).cloned();
        let (Some(user), Some(member)) = (users.remove(to), store.member(conversation.id, to).await?) else {
            return Ok(None);
        };
        let blocks = store
            .blocks_among(to, std::slice::from_ref(&message.sender_id))
            .await?;
        let muted = store.mute_of(to, &message.sender_id).await?;
        let hidden = store.hidden_among(to, &[message.id]).await?;
        let group = conversation.kind == ConversationKind::Group;
        Ok(Some(PushScene {
            user,
            sender,
            member,
            blocked: !group && blocks.any(),
            sender_blocked: blocks.blocked.contains(&message.sender_id),
            hidden: !hidden.is_empty(),
            group,
            muted_sender: muted,
            has_device,
            attention: self.inner().live.attention(to, conversation.id),
            now: self.now(),
            message,
        }))
    }

    async fn notify(&self, notifier: &dyn Notifier, devices: &[Device], push: &Push) {
        let report = match tokio::time::timeout(PATIENCE, notifier.notify(devices, push)).await {
            Ok(Ok(report)) => report,
            Ok(Err(error)) => {
                self.inner().counters.push_failed();
                tracing::warn!(%error, message = %push.message_id, "the provider took no push");
                return;
            }
            Err(_) => {
                self.inner().counters.push_failed();
                tracing::warn!(message = %push.message_id, "the provider did not answer in time");
                return;
            }
        };
        for token in report.dead {
            if let Err(error) = self.inner().store.unregister_device(&push.user_id, &token).await {
                tracing::warn!(%error, "a dead device could not be removed");
            }
        }
    }
}

/// Everything the decision about one push rests on, owned.
#[derive(Debug)]
pub(super) struct PushScene {
    pub(super) message: Message,
    pub(super) user: User,
    sender: Option<User>,
    pub(super) member: Member,
    pub(super) blocked: bool,
    pub(super) sender_blocked: bool,
    /// His mute of the sender, whether it still lasts or not.
    pub(super) muted_sender: Option<Muted>,
    pub(super) hidden: bool,
    group: bool,
    pub(super) has_device: bool,
    pub(super) attention: Attention,
    pub(super) now: Timestamp,
}

impl PushScene {
    /// Whether he sees the message, and not folded up.
    pub(super) fn sees(&self, engine: &ChatEngine) -> bool {
        let sight = Sight {
            member: &self.member,
            now: self.now,
            hidden: self.hidden,
            sender_blocked: self.sender_blocked,
            group: self.group,
            blocked_in_group: engine.config().policies.blocked_in_group,
        };
        visible(&sight, &self.message) == Visibility::Visible && !is_collapsed(&sight)
    }

    pub(super) fn decide(&self, engine: &ChatEngine) -> PushDecision {
        push_decision(&PushFacts {
            message: &self.message,
            member: &self.member,
            blocked: self.blocked,
            visible: self.sees(engine),
            settings: &self.user.settings,
            presence: &self.user.presence,
            suspended: self.user.is_suspended(self.now),
            sender_muted: self.muted_sender.is_some_and(|until| until.is_active(self.now)),
            has_device: self.has_device,
            attention: self.attention,
            policies: &engine.config().policies,
            now: self.now,
        })
    }
}

/// How much a push shows: what the recipient's setting says, but by default no words that are to disappear, because
/// nobody takes them off his screen again.
fn push_content(message: &Message, to: &User, policies: &Policies) -> PushContent {
    match to.settings.push_content {
        PushContent::Full if message.expires_at.is_some() && !policies.push_disappearing_content => {
            PushContent::SenderOnly
        }
        content => content,
    }
}

/// What a push shows.
fn compose(
    conversation: &Conversation,
    message: &Message,
    sender: Option<&User>,
    to: &User,
    content: PushContent,
    badge: u64,
) -> Push {
    let from = sender.map_or_else(|| message.sender_id.to_string(), |user| user.name.clone());
    let text = if text::is_blank(&message.text) {
        kind_word(message.kind).to_owned()
    } else {
        text::excerpt(&message.text, BODY_CHARS)
    };
    let (title, body) = match (content, &conversation.name) {
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

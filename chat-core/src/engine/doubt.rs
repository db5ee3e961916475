//! Commits of which nobody knows whether they happened: the answer of the store was lost, it panicked or it hangs.
//!
//! Their events cannot be sent, because nobody knows them to be true, and must not be lost, because they may be. So
//! those whom such a commit may be about catch up from the store, as soon as it answers again, and once more when what
//! was still on its way has had time to land.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{broadcast, mpsc};

use super::dispatch::EventItem;
use super::{ChatEngine, Inner};
use crate::error::ChatResult;
use crate::id::{ConversationId, UserId};
use crate::model::DirectPair;
use crate::port::Hint;
use crate::store::{MembersNeeded, Needs, Target};

/// How often a store that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// Doubts that are settled together.
const AT_ONCE: usize = 1_024;

/// Whom a commit may be about.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    target: Option<Target>,
    users: Vec<UserId>,
}

impl Doubt {
    /// About what a change needed to see.
    pub(crate) fn about(needs: &Needs) -> Self {
        let mut users = needs.user_revs.clone();
        // He who was put out is no member any more, and hears of it too.
        if let MembersNeeded::Of(members) = &needs.members {
            users.extend(members.iter().cloned());
        }
        Self {
            target: Some(needs.target.clone()),
            users,
        }
    }

    /// About a user's own side.
    pub(crate) fn about_user(user: &UserId) -> Self {
        Self {
            target: None,
            users: vec![user.clone()],
        }
    }
}

/// Takes doubts in; never waits.
#[derive(Debug, Clone)]
pub(crate) struct Doubts {
    queue: mpsc::UnboundedSender<Doubt>,
}

/// The other end, until the engine stands.
pub(crate) struct Doubtful {
    queue: mpsc::UnboundedReceiver<Doubt>,
}

/// Everything some doubts are about, each once.
#[derive(Debug, Clone, Default)]
struct Affected {
    conversations: HashSet<ConversationId>,
    pairs: HashSet<DirectPair>,
    users: HashSet<UserId>,
}

impl Affected {
    fn of(doubts: Vec<Doubt>) -> Self {
        let mut affected = Self::default();
        for doubt in doubts {
            match doubt.target {
                Some(Target::Conversation(id)) => {
                    affected.conversations.insert(id);
                }
                Some(Target::Direct(pair)) => {
                    affected.pairs.insert(pair);
                }
                None => {}
            }
            affected.users.extend(doubt.users);
        }
        affected
    }
}

impl Doubts {
    pub(crate) fn new() -> (Self, Doubtful) {
        // Bounded by the queue of commits, from which they come.
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { queue: sender }, Doubtful { queue: receiver })
    }

    pub(crate) fn add(&self, doubt: Doubt) {
        // Without an engine there is nobody left to tell.
        drop(self.queue.send(doubt));
    }
}

impl Doubtful {
    /// Runs until the engine is gone.
    pub(crate) fn start(mut self, inner: &Arc<Inner>) {
        let late = inner.config.limits.command_deadline;
        let inner: Weak<Inner> = Arc::downgrade(inner);
        tokio::spawn(async move {
            let mut doubts = Vec::new();
            while self.queue.recv_many(&mut doubts, AT_ONCE).await > 0 {
                let affected = Affected::of(std::mem::take(&mut doubts));
                if !settle(&inner, &affected).await {
                    return;
                }
                let inner = Weak::clone(&inner);
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    settle(&inner, &affected).await;
                });
            }
        });
    }
}

/// Tells everybody, once the store answers; whether the engine is still there.
async fn settle(inner: &Weak<Inner>, affected: &Affected) -> bool {
    loop {
        let Some(inner) = inner.upgrade() else {
            return false;
        };
        let engine = ChatEngine { inner };
        match AssertUnwindSafe(engine.tell_affected(affected))
            .catch_unwind()
            .await
        {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => tracing::debug!(%error, "the store does not tell yet what became of commits"),
            Err(_) => tracing::error!("finding out what became of commits panicked"),
        }
        drop(engine);
        tokio::time::sleep(PAUSE).await;
    }
}

impl ChatEngine {
    async fn tell_affected(&self, affected: &Affected) -> ChatResult<()> {
        let store = &self.inner().store;
        let mut ids: HashSet<ConversationId> = affected.conversations.clone();
        for pair in &affected.pairs {
            ids.extend(store.direct(pair).await?.map(|direct| direct.id));
        }
        let ids: Vec<ConversationId> = ids.into_iter().collect();
        let mut hints: HashMap<ConversationId, Hint> = HashMap::new();
        for conversation in store.conversations(&ids).await? {
            self.tell_members(&conversation).await?;
            let hint = Hint::Conversation {
                id: conversation.id,
                rev: conversation.rev,
            };
            hints.insert(conversation.id, hint);
        }
        for user in &affected.users {
            self.tell_user(user).await?;
        }
        if let Some(out) = &self.inner().hints {
            let users = affected.users.iter().map(|id| Hint::User {
                id: id.clone(),
                user_rev: 0,
            });
            for hint in hints.into_values().chain(users) {
                out.send(hint, &self.inner().in_flight);
            }
        }
        // What was written for a relay waits in the store; what the host should have heard is not known.
        self.inner().relays.wake();
        let _subscribers: Result<usize, broadcast::error::SendError<EventItem>> =
            self.inner().events.send(EventItem::Missed(1));
        Ok(())
    }
}

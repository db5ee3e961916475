//! Who is connected here, and the transport that reaches them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::outbound::{EndReason, Queue};
use crate::config::Limits;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, SessionId, UserId};
use crate::port::{Authenticator, Delivery, Recipient, Transport, WireEvent};
use crate::time::Timestamp;

/// What the registry knows of one session.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) remote: Option<IpAddr>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) auth: Arc<dyn Authenticator>,
    pub(crate) facts: Mutex<EntryFacts>,
}

/// The part of it that changes.
#[derive(Debug)]
pub(crate) struct EntryFacts {
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) login: Option<String>,
    pub(crate) foreground: bool,
    /// Since when nobody looks at it, while that is so.
    pub(crate) background_since: Option<Instant>,
    pub(crate) on_screen: HashSet<ConversationId>,
    pub(crate) watches: HashSet<UserId>,
}

impl EntryFacts {
    /// Notes whether somebody looks at the session.
    pub(crate) fn set_foreground(&mut self, foreground: bool) {
        self.foreground = foreground;
        self.background_since = if foreground {
            None
        } else {
            self.background_since.or_else(|| Some(Instant::now()))
        };
    }

    /// Whether somebody looks at it, or did so until less than `away_after` ago.
    pub(crate) fn counts_as_foreground(&self, away_after: Duration) -> bool {
        self.foreground
            || self
                .background_since
                .is_some_and(|since| since.elapsed() < away_after)
    }
}

impl Entry {
    pub(crate) fn facts(&self) -> MutexGuard<'_, EntryFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct State {
    by_user: HashMap<UserId, Vec<Arc<Entry>>>,
    by_address: HashMap<IpAddr, usize>,
    watchers: HashMap<UserId, HashSet<UserId>>,
    count: usize,
    closing: bool,
}

/// All live sessions of this process.
#[derive(Default)]
pub struct LiveSessions {
    state: Mutex<State>,
    delivered: AtomicU64,
    lagged: AtomicU64,
}

impl fmt::Debug for LiveSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSessions")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl LiveSessions {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions live here.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().count
    }

    /// Events queued and sessions cut for lagging since the start.
    pub(crate) fn deliveries(&self) -> (u64, u64) {
        (
            self.delivered.load(Ordering::Relaxed),
            self.lagged.load(Ordering::Relaxed),
        )
    }

    /// How many events wait for all sessions, and their bytes.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let entries = self.entries();
        entries
            .iter()
            .map(|entry| entry.queue.waiting())
            .fold((0, 0), |(events, bytes), (more_events, more_bytes)| {
                (events + more_events, bytes + more_bytes)
            })
    }

    /// How many sessions a user has here.
    #[must_use]
    pub fn count_of(&self, user: &UserId) -> usize {
        self.lock().by_user.get(user).map_or(0, Vec::len)
    }

    pub(crate) fn add(&self, entry: Arc<Entry>, limits: &Limits) -> ChatResult<()> {
        let mut state = self.lock();
        let refused = |detail| {
            Err(ChatError::new(ErrorCode::RateLimited, detail).with_retry_after(Duration::from_secs(5)))
        };
        if state.closing {
            return Err(ChatError::new(ErrorCode::Unavailable, "the server is stopping"));
        }
        if state.count >= limits.connections {
            return Err(ChatError::new(ErrorCode::Overloaded, "too many connections"));
        }
        if state
            .by_user
            .get(&entry.user)
            .is_some_and(|all| all.len() >= limits.connections_per_user)
        {
            return refused("too many connections of this user");
        }
        if let Some(address) = entry.remote {
            // Everybody behind a proxy on this machine has its address; the proxy counts then.
            if !address.is_loopback()
                && state
                    .by_address
                    .get(&address)
                    .is_some_and(|count| *count >= limits.connections_per_address)
            {
                return refused("too many connections from this address");
            }
            *state.by_address.entry(address).or_default() += 1;
        }
        state.count += 1;
        state.by_user.entry(entry.user.clone()).or_default().push(entry);
        Ok(())
    }

    pub(crate) fn remove(&self, entry: &Entry) {
        let mut state = self.lock();
        let Some(all) = state.by_user.get_mut(&entry.user) else {
            return;
        };
        let before = all.len();
        all.retain(|other| other.id != entry.id);
        let (removed, empty) = (before - all.len(), all.is_empty());
        if empty {
            state.by_user.remove(&entry.user);
        }
        if removed == 0 {
            return;
        }
        state.count = state.count.saturating_sub(1);
        if let Some(address) = entry.remote
            && let Some(count) = state.by_address.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.by_address.remove(&address);
            }
        }
        let watched: Vec<UserId> = entry.facts().watches.drain().collect();
        for target in watched {
            Self::unwatch_unless_other(&mut state, &entry.user, &target);
        }
    }

    pub(crate) fn watch(&self, entry: &Entry, targets: &[UserId], cap: usize) -> bool {
        let mut state = self.lock();
        let mut facts = entry.facts();
        let new = targets
            .iter()
            .filter(|target| !facts.watches.contains(*target))
            .count();
        if facts.watches.len() + new > cap {
            return false;
        }
        for target in targets {
            facts.watches.insert(target.clone());
            state
                .watchers
                .entry(target.clone())
                .or_default()
                .insert(entry.user.clone());
        }
        true
    }

    pub(crate) fn unwatch(&self, entry: &Entry, targets: &[UserId]) {
        let mut state = self.lock();
        for target in targets {
            if entry.facts().watches.remove(target) {
                Self::unwatch_unless_other(&mut state, &entry.user, target);
            }
        }
    }

    fn unwatch_unless_other(state: &mut State, watcher: &UserId, target: &UserId) {
        let still = state
            .by_user
            .get(watcher)
            .is_some_and(|all| all.iter().any(|other| other.facts().watches.contains(target)));
        if still {
            return;
        }
        if let Some(watchers) = state.watchers.get_mut(target) {
            watchers.remove(watcher);
            if watchers.is_empty() {
                state.watchers.remove(target);
            }
        }
    }

    /// Users with a session that subscribed to this user's presence.
    pub(crate) fn watchers(&self, target: &UserId) -> Vec<UserId> {
        self.lock()
            .watchers
            .get(target)
            .map(|all| all.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Whether a user has a session in the foreground here, and one with this conversation on screen.
    #[must_use]
    pub fn attention(&self, user: &UserId, conversation: ConversationId) -> Attention {
        let state = self.lock();
        let Some(all) = state.by_user.get(user) else {
            return Attention::default();
        };
        let mut attention = Attention {
            connected: !all.is_empty(),
            ..Attention::default()
        };
        for entry in all {
            let facts = entry.facts();
            attention.foreground |= facts.foreground;
            attention.on_screen |= facts.foreground && facts.on_screen.contains(&conversation);
        }
        attention
    }

    /// Ends all sessions of a user, for instance when he is suspended.
    pub fn end_user(&self, user: &UserId, reason: EndReason) {
        let state = self.lock();
        for entry in state.by_user.get(user).into_iter().flatten() {
            entry.queue.end(reason, None);
        }
    }

    /// Ends the sessions of one login.
    pub fn end_login(&self, login: &str) {
        let state = self.lock();
        for entry in state.by_user.values().flatten() {
            if entry.facts().login.as_deref() == Some(login) {
                entry.queue.end(EndReason::Revoked, None);
            }
        }
    }

    /// Refuses new sessions and ends all there are, each with its own moment to come back.
    pub fn close(&self, spread: Duration) {
        let mut state = self.lock();
        state.closing = true;
        let count = u32::try_from(state.count.max(1)).unwrap_or(u32::MAX);
        for (index, entry) in state.by_user.values().flatten().enumerate() {
            let share = spread.mul_f64(f64::from(u32::try_from(index).unwrap_or(0)) / f64::from(count));
            entry
                .queue
                .end(EndReason::ServerRestart, Some(Duration::from_millis(500) + share));
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Ends sessions whose credential was over before `deadline`.
    pub(crate) fn end_expired(&self, deadline: Timestamp) {
        for entry in self.lock().by_user.values().flatten() {
            if entry.facts().expires_at.is_some_and(|at| at < deadline) {
                entry.queue.end(EndReason::TokenExpired, None);
            }
        }
    }

    /// Everybody who is connected here.
    pub(crate) fn users(&self) -> Vec<UserId> {
        self.lock().by_user.keys().cloned().collect()
    }

    /// All sessions, for heartbeats.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().by_user.values().flatten().cloned().collect()
    }
}

/// How much of a user's attention a conversation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attention {
    /// He has a session.
    pub connected: bool,
    /// He looks at one.
    pub foreground: bool,
    /// He looks at this conversation.
    pub on_screen: bool,
}

#[async_trait]
impl Transport for LiveSessions {
    fn connected(&self, users: &[UserId]) -> Vec<UserId> {
        let state = self.lock();
        users
            .iter()
            .filter(|user| state.by_user.contains_key(*user))
            .cloned()
            .collect()
    }

    async fn deliver(&self, recipients: &[Recipient], event: &WireEvent) -> Delivery {
        let state = self.lock();
        let mut delivery = Delivery::default();
        for recipient in recipients {
            for entry in state.by_user.get(&recipient.user).into_iter().flatten() {
                if recipient.except == Some(entry.id) || entry.queue.has_ended() {
                    continue;
                }
                if entry.queue.push(event) {
                    delivery.reached += 1;
                    self.delivered.fetch_add(1, Ordering::Relaxed);
                } else {
                    delivery.full += 1;
                    self.lagged.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        delivery
    }
}

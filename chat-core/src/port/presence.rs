use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{SessionId, UserId};
use crate::view::PresenceStatus;

/// What a report changed: only edges make events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The user's status is what it was.
    Same,
    /// The user's status changed.
    Changed {
        /// What it was.
        from: PresenceStatus,
        /// What it is now.
        to: PresenceStatus,
    },
}

/// Who is there, over all sessions on all nodes.
///
/// # Contract
/// - A user's status is the best of his live sessions: online when one is looked at, away when none is, offline when
///   there is none.
/// - Of concurrent reports exactly one sees each edge.
/// - Nothing here must survive a restart.
#[async_trait]
pub trait Presence: Send + Sync + fmt::Debug {
    /// A session lives, and is looked at or not. Also the heartbeat of a known session.
    async fn report(&self, user: &UserId, session: SessionId, foreground: bool) -> BackendResult<Edge>;

    /// A session ended.
    async fn ended(&self, user: &UserId, session: SessionId) -> BackendResult<Edge>;

    /// Present status of these users; absent ones are offline.
    async fn statuses(&self, users: &[UserId]) -> BackendResult<HashMap<UserId, PresenceStatus>>;

    /// Users who are not offline, at most `limit`, in order of id.
    async fn present(&self, limit: usize) -> BackendResult<Vec<UserId>>;
}

/// Presence of one process.
#[derive(Debug, Default)]
pub struct LocalPresence {
    sessions: Mutex<HashMap<UserId, HashMap<SessionId, bool>>>,
}

fn status_of(sessions: Option<&HashMap<SessionId, bool>>) -> PresenceStatus {
    match sessions {
        None => PresenceStatus::Offline,
        Some(s) if s.is_empty() => PresenceStatus::Offline,
        Some(s) if s.values().any(|foreground| *foreground) => PresenceStatus::Online,
        Some(_) => PresenceStatus::Away,
    }
}

fn edge(from: PresenceStatus, to: PresenceStatus) -> Edge {
    if from == to {
        Edge::Same
    } else {
        Edge::Changed { from, to }
    }
}

#[async_trait]
impl Presence for LocalPresence {
    async fn report(&self, user: &UserId, session: SessionId, foreground: bool) -> BackendResult<Edge> {
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = all.entry(user.clone()).or_default();
        let from = status_of(Some(sessions));
        sessions.insert(session, foreground);
        Ok(edge(from, status_of(Some(sessions))))
    }

    async fn ended(&self, user: &UserId, session: SessionId) -> BackendResult<Edge> {
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let from = status_of(all.get(user));
        let empty = all.get_mut(user).is_some_and(|sessions| {
            sessions.remove(&session);
            sessions.is_empty()
        });
        if empty {
            all.remove(user);
        }
        Ok(edge(from, status_of(all.get(user))))
    }

    async fn statuses(&self, users: &[UserId]) -> BackendResult<HashMap<UserId, PresenceStatus>> {
        let all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(users
            .iter()
            .filter_map(|user| all.get_key_value(user))
            .map(|(user, sessions)| (user.clone(), status_of(Some(sessions))))
            .collect())
    }

    async fn present(&self, limit: usize) -> BackendResult<Vec<UserId>> {
        let all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut users: Vec<UserId> = all.keys().cloned().collect();
        users.sort();
        users.truncate(limit);
        Ok(users)
    }
}

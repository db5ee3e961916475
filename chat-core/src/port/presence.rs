use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// A user who went offline because nobody reported his sessions any more: their node died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    /// Who.
    pub user_id: UserId,
    /// How long ago the last report was.
    pub silent_for: Duration,
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

    /// Users who are not offline, at most `limit`, who came last first.
    async fn present(&self, limit: usize) -> BackendResult<Vec<UserId>>;

    /// Users who went offline because their sessions were not reported any more, at most `limit`. Each is told once, to
    /// one of the nodes that ask. Presence of one process ends with its sessions and has none.
    async fn lapsed(&self, limit: usize) -> BackendResult<Vec<Lapsed>> {
        let _ = limit;
        Ok(Vec::new())
    }
}

/// Presence of one process.
#[derive(Debug, Default)]
pub struct LocalPresence {
    here: Mutex<Here>,
}

#[derive(Debug, Default)]
struct Here {
    users: HashMap<UserId, Visit>,
    /// How many have come so far.
    comings: u64,
}

#[derive(Debug)]
struct Visit {
    /// Which coming of all it was.
    coming: u64,
    /// Whether each session is looked at.
    sessions: HashMap<SessionId, bool>,
}

fn status_of(visit: Option<&Visit>) -> PresenceStatus {
    match visit.map(|visit| &visit.sessions) {
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
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let coming = here.comings + 1;
        let visit = here.users.entry(user.clone()).or_insert_with(|| Visit {
            coming,
            sessions: HashMap::new(),
        });
        let from = status_of(Some(visit));
        visit.sessions.insert(session, foreground);
        let to = status_of(Some(visit));
        here.comings = coming;
        Ok(edge(from, to))
    }

    async fn ended(&self, user: &UserId, session: SessionId) -> BackendResult<Edge> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let from = status_of(here.users.get(user));
        let empty = here.users.get_mut(user).is_some_and(|visit| {
            visit.sessions.remove(&session);
            visit.sessions.is_empty()
        });
        if empty {
            here.users.remove(user);
        }
        Ok(edge(from, status_of(here.users.get(user))))
    }

    async fn statuses(&self, users: &[UserId]) -> BackendResult<HashMap<UserId, PresenceStatus>> {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(users
            .iter()
            .filter_map(|user| here.users.get_key_value(user))
            .map(|(user, visit)| (user.clone(), status_of(Some(visit))))
            .collect())
    }

    async fn present(&self, limit: usize) -> BackendResult<Vec<UserId>> {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let mut users: Vec<(u64, &UserId)> = here
            .users
            .iter()
            .map(|(user, visit)| (visit.coming, user))
            .collect();
        users.sort_by(|a, b| b.cmp(a));
        Ok(users
            .into_iter()
            .take(limit)
            .map(|(_, user)| user.clone())
            .collect())
    }
}

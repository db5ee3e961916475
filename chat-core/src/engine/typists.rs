//! Who types where, as this node knows it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::config::Limits;
use crate::id::{ConversationId, SessionId, UserId};

/// Who types where, on this node. Commands only write it down; one task tells it, in the order it was written down,
/// and ends what has expired.
#[derive(Debug, Default)]
pub(crate) struct Typists {
    pub(super) board: Arc<Board>,
}

/// What is written down.
#[derive(Debug, Default)]
pub(super) struct Board {
    state: Mutex<State>,
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    rooms: HashMap<ConversationId, BTreeMap<UserId, Typist>>,
    /// Changes to tell: where, and who started or stopped. One that waits already stands for all later ones, because
    /// the whole list is told as it is then.
    untold: VecDeque<(ConversationId, UserId)>,
    /// The same changes; whether any of them happened on this node, so that the others are told.
    waiting: HashMap<(ConversationId, UserId), bool>,
}

/// Where somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// In a session here; without one (REST) there is one mark for all.
    Here(Option<SessionId>),
    /// On another node.
    Elsewhere,
}

/// A change as it is told.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) conversation: ConversationId,
    pub(super) by: UserId,
    /// Everybody who types there now.
    pub(super) typing: Vec<UserId>,
    /// Whether he types on this node, if something changed on this node.
    pub(super) here: Option<bool>,
}

#[derive(Debug)]
struct Typist {
    /// Until when he types in each place.
    marks: HashMap<Mark, Instant>,
    told_at: Instant,
}

impl State {
    fn tell(&mut self, id: ConversationId, by: &UserId, is_here: bool) {
        let change = (id, by.clone());
        match self.waiting.get_mut(&change) {
            Some(any_here) => *any_here |= is_here,
            None => {
                self.waiting.insert(change.clone(), is_here);
                self.untold.push_back(change);
            }
        }
    }

    /// Drops marks and tells of everybody who has none left.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(ConversationId, &UserId, Mark, Instant) -> bool) {
        let mut ended = Vec::new();
        self.rooms.retain(|id, room| {
            room.retain(|user, typist| {
                let was_here = typist.is_here();
                typist.marks.retain(|mark, until| keep(*id, user, *mark, *until));
                let left = was_here && !typist.is_here();
                if typist.marks.is_empty() || left {
                    ended.push((*id, user.clone(), left));
                }
                !typist.marks.is_empty()
            });
            !room.is_empty()
        });
        for (id, user, left) in ended {
            self.tell(id, &user, left);
        }
    }

    /// Drops marks of one user in one conversation and tells when he has none left.
    fn drop_marks(&mut self, id: ConversationId, user: &UserId, drop: impl Fn(Mark) -> bool) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        let Some(typist) = room.get_mut(user) else { return };
        let was_here = typist.is_here();
        typist.marks.retain(|mark, _| !drop(*mark));
        let left = was_here && !typist.is_here();
        if !typist.marks.is_empty() && !left {
            return;
        }
        if typist.marks.is_empty() {
            room.remove(user);
        }
        if room.is_empty() {
            self.rooms.remove(&id);
        }
        self.tell(id, user, left);
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        let typists = self.rooms.values().flat_map(BTreeMap::values);
        typists.flat_map(|typist| typist.marks.values()).min().copied()
    }

    pub(super) fn next_untold(&mut self) -> Option<Change> {
        let change = self.untold.pop_front()?;
        let is_here = self.waiting.remove(&change).unwrap_or_default();
        let (conversation, by) = change;
        let room = self.rooms.get(&conversation);
        let types_here = room.and_then(|room| room.get(&by)).is_some_and(Typist::is_here);
        Some(Change {
            conversation,
            by,
            typing: room
                .map(|room| room.keys().cloned().collect())
                .unwrap_or_default(),
            here: is_here.then_some(types_here),
        })
    }
}

impl Typist {
    fn is_here(&self) -> bool {
        self.marks.keys().any(|mark| *mark != Mark::Elsewhere)
    }
}

impl Board {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Typists {
    pub(super) fn start(
        &self,
        id: ConversationId,
        user: &UserId,
        session: Option<SessionId>,
        limits: &Limits,
    ) {
        let pace = limits.typing_interval;
        self.mark(id, user, Mark::Here(session), limits.typing_expiry, pace);
    }

    /// Another node says that somebody types there, or has stopped. It ends by itself here as well.
    pub(super) fn hear(&self, id: ConversationId, user: &UserId, active: bool, expiry: Duration) {
        if active {
            self.mark(id, user, Mark::Elsewhere, expiry, Duration::ZERO);
        } else {
            self.board
                .lock()
                .drop_marks(id, user, |mark| mark == Mark::Elsewhere);
            self.board.changed.notify_one();
        }
    }

    fn mark(&self, id: ConversationId, user: &UserId, mark: Mark, expiry: Duration, pace: Duration) {
        let now = Instant::now();
        let mut state = self.board.lock();
        let typist = state.rooms.entry(id).or_default().entry(user.clone());
        let mut news = false;
        let typist = typist.or_insert_with(|| {
            news = true;
            Typist {
                marks: HashMap::new(),
                told_at: now,
            }
        });
        typist.marks.insert(mark, now + expiry);
        if news || now.duration_since(typist.told_at) >= pace {
            typist.told_at = now;
            state.tell(id, user, mark != Mark::Elsewhere);
            drop(state);
            self.board.changed.notify_one();
        }
    }

    pub(super) fn stop(&self, id: ConversationId, user: &UserId, session: Option<SessionId>) {
        self.board
            .lock()
            .drop_marks(id, user, |mark| mark == Mark::Here(session));
        self.board.changed.notify_one();
    }

    /// Ends a user's typing in one conversation, on all his sessions.
    pub(super) fn clear(&self, id: ConversationId, user: &UserId) {
        self.board.lock().drop_marks(id, user, |_| true);
        self.board.changed.notify_one();
    }

    /// Where a user types, with everybody who types there.
    pub(super) fn rooms_of(&self, user: &UserId) -> Vec<(ConversationId, Vec<UserId>)> {
        let state = self.board.lock();
        let rooms = state.rooms.iter().filter(|(_, room)| room.contains_key(user));
        rooms
            .map(|(id, room)| (*id, room.keys().cloned().collect()))
            .collect()
    }

    /// Where somebody types, with everybody who does.
    pub(super) fn rooms(&self) -> Vec<(ConversationId, Vec<UserId>)> {
        let state = self.board.lock();
        let rooms = state.rooms.iter();
        rooms
            .map(|(id, room)| (*id, room.keys().cloned().collect()))
            .collect()
    }

    /// Ends all typing in one conversation.
    pub(super) fn clear_all(&self, id: ConversationId) {
        self.board.lock().retain(|other, _, _, _| other != id);
        self.board.changed.notify_one();
    }

    /// Ends what a session types; with the user's last session, all he types.
    pub(super) fn session_gone(&self, user: &UserId, session: SessionId, last: bool) {
        self.board.lock().retain(|_, other, mark, _| {
            other != user || mark == Mark::Elsewhere || (!last && mark != Mark::Here(Some(session)))
        });
        self.board.changed.notify_one();
    }
}

impl Drop for Typists {
    fn drop(&mut self) {
        // Wakes the task, which finds the engine gone and ends.
        self.board.changed.notify_one();
    }
}

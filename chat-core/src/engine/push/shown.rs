//! What devices may be showing because of this node: so that reading and deleting take off the screen what is on it,
//! and wake no device for nothing. Kept in memory and bounded: after a restart, and of what another node sent, nothing
//! is known.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Message, Seq};

/// How many alerts are remembered; the oldest give way.
const REMEMBERED: usize = 20_000;

/// Alerts that were sent.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_user: HashMap<(UserId, ConversationId), BTreeSet<Seq>>,
    /// Messages of which every alert so far is remembered.
    whole: HashSet<MessageId>,
    order: VecDeque<Alert>,
}

#[derive(Debug)]
struct Alert {
    user: UserId,
    conversation: ConversationId,
    seq: Seq,
    message: MessageId,
}

impl Shown {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This node begins to work off a message of which nothing was sent before.
    pub(super) fn begin(&self, message: MessageId) {
        let mut state = self.lock();
        // Messages without an alert leave nothing in the order, so they are bounded by themselves.
        if state.whole.len() >= REMEMBERED {
            state.whole.clear();
        }
        state.whole.insert(message);
    }

    /// A device of this user shows a message.
    pub(super) fn alerted(&self, user: &UserId, message: &Message) {
        let mut state = self.lock();
        let place = (user.clone(), message.conversation_id);
        if !state.by_user.entry(place).or_default().insert(message.seq) {
            return;
        }
        state.order.push_back(Alert {
            user: user.clone(),
            conversation: message.conversation_id,
            seq: message.seq,
            message: message.id,
        });
        if state.order.len() > REMEMBERED {
            state.forget_oldest();
        }
    }

    /// Whether devices of this user show a message; `None` when that is not known.
    pub(super) fn is_shown(&self, user: &UserId, message: &Message) -> Option<bool> {
        let state = self.lock();
        let place = (user.clone(), message.conversation_id);
        let shown = (state.by_user.get(&place)).is_some_and(|seqs| seqs.contains(&message.seq));
        (shown || state.whole.contains(&message.id)).then_some(shown)
    }

    /// The user has read up to here; whether devices of his showed any of it.
    pub(super) fn read(&self, user: &UserId, conversation: ConversationId, up_to: Seq) -> bool {
        let mut state = self.lock();
        let place = (user.clone(), conversation);
        let Some(seqs) = state.by_user.get_mut(&place) else {
            return false;
        };
        let unread = seqs.split_off(&(up_to + 1));
        let shown = !std::mem::replace(seqs, unread).is_empty();
        if seqs.is_empty() {
            state.by_user.remove(&place);
        }
        shown
    }
}

impl State {
    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else {
            return;
        };
        self.whole.remove(&oldest.message);
        let place = (oldest.user, oldest.conversation);
        if let Some(seqs) = self.by_user.get_mut(&place) {
            seqs.remove(&oldest.seq);
            if seqs.is_empty() {
                self.by_user.remove(&place);
            }
        }
    }
}

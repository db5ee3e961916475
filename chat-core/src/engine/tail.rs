//! What other nodes committed and nobody told: the node that did it died, or its hint was lost on a bus that did not
//! notice.
//!
//! Where there are several nodes, each looks into the store every [`LOOK`] for what changed for the users connected to
//! it, and compares that with what it handed out by itself or heard of. What is still unknown at the next look is told
//! to their sessions as `lagged`. So a lost hint costs seconds and never a message, and a change that is still on its
//! way is given the time of one look to arrive. What this node does not remember it tells once too often, which costs a
//! sync.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::ChatEngine;
use super::dispatch::Publication;
use crate::error::ChatResult;
use crate::event::ChatEvent;
use crate::id::{ConversationId, UserId};
use crate::model::{Rev, User};
use crate::store::SyncPosition;

/// How often. Something untold is seen by the first look after it and told by the second: within 5 s.
pub(super) const LOOK: Duration = Duration::from_secs(2);
/// Users asked about in one question.
const USERS: usize = 1_000;
/// Changes taken from one answer; where there are more, all these users are told.
const CHANGES: usize = 10_000;
/// Conversations remembered; beyond it all are forgotten.
const REMEMBERED: usize = 65_536;
/// User revs that came out of turn and are remembered for one user.
const OUT_OF_TURN: usize = 64;
/// Before the first change that this node makes, a conversation that has rested so long has nothing that earlier looks
/// did not see.
const RESTED: Duration = Duration::from_secs(15);
/// As long as looks are no older than this.
const FRESH: Duration = Duration::from_secs(10);

/// What one commit moved, and from where.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// Its conversation, when that moved.
    pub(crate) conversation: Option<MovedConversation>,
    /// User revs, each by one.
    pub(crate) user_revs: Vec<(UserId, u64)>,
}

#[derive(Debug)]
pub(crate) struct MovedConversation {
    pub(crate) id: ConversationId,
    /// Its rev before; 0 for a new one.
    pub(crate) before: Rev,
    pub(crate) after: Rev,
    /// How long it had rested, by the store's clock.
    pub(crate) rested: Duration,
}

/// What this node handed out or heard of.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Up to where the store was looked through, and when that was.
    position: Option<SyncPosition>,
    looked: Option<Instant>,
    /// Everything up to this rev reached those who are connected here, or they were told to catch up.
    conversations: HashMap<ConversationId, Rev>,
    /// The same of the user revs of those who are connected here.
    users: HashMap<UserId, Known>,
    suspects: Suspects,
}

/// Seen in the store and not known by the time of the look.
#[derive(Debug, Default)]
struct Suspects {
    conversations: HashMap<ConversationId, (Rev, HashSet<UserId>)>,
    users: HashMap<UserId, u64>,
    /// Of so much that it was not looked at one by one.
    everything: HashSet<UserId>,
}

/// Numbers up to one, and some beyond it: those of one user come from several lanes.
#[derive(Debug, Default)]
struct Known {
    through: u64,
    beyond: BTreeSet<u64>,
}

impl Known {
    fn add(&mut self, number: u64) {
        if number > self.through && self.beyond.len() < OUT_OF_TURN {
            self.beyond.insert(number);
        }
        while self.beyond.remove(&(self.through + 1)) {
            self.through += 1;
        }
    }

    fn reach(&mut self, number: u64) {
        self.through = self.through.max(number);
        self.beyond.retain(|beyond| *beyond > number);
        self.add(number);
    }
}

impl State {
    fn reach(&mut self, id: ConversationId, rev: Rev) {
        if self.conversations.len() >= REMEMBERED && !self.conversations.contains_key(&id) {
            self.conversations.clear();
        }
        let known = self.conversations.entry(id).or_default();
        *known = rev.max(*known);
    }

    fn knows(&self, id: ConversationId, rev: Rev) -> bool {
        self.conversations.get(&id).is_some_and(|known| *known >= rev)
    }

    fn knows_user(&self, user: &UserId, user_rev: u64) -> bool {
        // Who has gone meanwhile need not be told.
        self.users.get(user).is_none_or(|known| known.through >= user_rev)
    }
}

impl Tail {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody connected; what he syncs after this is at least as new.
    pub(crate) fn welcome(&self, user: &User) {
        let mut state = self.state();
        // Sessions he has here already may not have heard of everything up to now.
        state.users.entry(user.id.clone()).or_insert_with(|| Known {
            through: user.user_rev,
            ..Known::default()
        });
    }

    /// A publication was handed out here.
    pub(crate) fn handed_out(&self, publication: &Publication) {
        let mut state = self.state();
        if let Some(moved) = &publication.moved.conversation {
            let is_fresh = state.looked.is_some_and(|looked| looked.elapsed() < FRESH);
            let follows = match state.conversations.get(&moved.id) {
                Some(known) => moved.before <= *known,
                None => moved.before == 0 || (is_fresh && moved.rested > RESTED),
            };
            if follows {
                state.reach(moved.id, moved.after);
            }
        }
        let own = publication.events.iter().filter_map(|event| match &**event {
            ChatEvent::BlockChanged {
                blocker, user_rev, ..
            } => Some((blocker, *user_rev)),
            ChatEvent::MuteChanged {
                user_id, user_rev, ..
            }
            | ChatEvent::StarChanged {
                user_id, user_rev, ..
            } => Some((user_id, *user_rev)),
            ChatEvent::ScheduledChanged { scheduled } => Some((&scheduled.user_id, scheduled.user_rev)),
            _ => None,
        });
        let committed = publication.moved.user_revs.iter().map(|(user, rev)| (user, *rev));
        for (user, user_rev) in own.chain(committed) {
            if let Some(known) = state.users.get_mut(user) {
                known.add(user_rev);
            }
        }
    }

    /// Those who are in a conversation were told to catch up with it.
    pub(crate) fn told(&self, id: ConversationId, rev: Rev) {
        self.state().reach(id, rev);
    }

    /// A user was told to catch up.
    pub(crate) fn told_user(&self, user: &UserId, user_rev: u64) {
        if let Some(known) = self.state().users.get_mut(user) {
            known.reach(user_rev);
        }
    }

    /// Takes what was suspect at the last look and is unknown still; it counts as told from now on.
    fn overdue(&self) -> Suspects {
        let mut state = self.state();
        let mut suspects = std::mem::take(&mut state.suspects);
        suspects
            .conversations
            .retain(|id, (rev, _)| !state.knows(*id, *rev));
        suspects
            .users
            .retain(|user, user_rev| !state.knows_user(user, *user_rev));
        for (id, (rev, _)) in &suspects.conversations {
            state.reach(*id, *rev);
        }
        for (user, user_rev) in &suspects.users {
            if let Some(known) = state.users.get_mut(user) {
                known.reach(*user_rev);
            }
        }
        suspects
    }

    /// Where the last look reached; forgets who has gone.
    fn since(&self, users: &[UserId]) -> Option<SyncPosition> {
        let mut state = self.state();
        let connected: HashSet<&UserId> = users.iter().collect();
        state.users.retain(|user, _| connected.contains(user));
        state.position
    }

    fn looked(&self, here: SyncPosition, suspects: Suspects) {
        let mut state = self.state();
        state.position = Some(here);
        state.looked = Some(Instant::now());
        state.suspects = suspects;
    }
}

impl ChatEngine {
    /// One look into the store. The first one is for the engine's start.
    pub(super) async fn look_for_untold(&self) -> ChatResult<()> {
        let Some(tail) = &self.inner().tail else {
            return Ok(());
        };
        self.tell_overdue(tail.overdue()).await?;
        let store = &self.inner().store;
        let users = self.inner().live.users();
        // Read before what changed: what is committed meanwhile is seen by the next look.
        let here = store.sync_position().await?;
        let mut suspects = Suspects::default();
        let Some(since) = tail.since(&users) else {
            // What was before the first look is not known, and only to those a matter who have come already.
            suspects.everything.extend(users);
            tail.looked(here, suspects);
            return Ok(());
        };
        for some in users.chunks(USERS) {
            // User revs have no place among the positions.
            let rows = store.users(some).await?;
            let changed = if here == since {
                Vec::new()
            } else {
                store.changed_for(some, since, CHANGES).await?
            };
            if changed.len() >= CHANGES {
                suspects.everything.extend(some.iter().cloned());
            }
            let state = tail.state();
            for row in rows {
                if !state.knows_user(&row.id, row.user_rev) {
                    suspects.users.insert(row.id, row.user_rev);
                }
            }
            for change in changed {
                if !state.knows(change.conversation, change.rev) {
                    let suspect = suspects.conversations.entry(change.conversation).or_default();
                    suspect.0 = suspect.0.max(change.rev);
                    suspect.1.insert(change.user);
                }
            }
        }
        tail.looked(here, suspects);
        Ok(())
    }

    async fn tell_overdue(&self, overdue: Suspects) -> ChatResult<()> {
        let whole: HashSet<UserId> = overdue.users.into_keys().chain(overdue.everything).collect();
        let mut partly: HashMap<UserId, Vec<ConversationId>> = HashMap::new();
        for (id, (_, users)) in overdue.conversations {
            for user in users.into_iter().filter(|user| !whole.contains(user)) {
                partly.entry(user).or_default().push(id);
            }
        }
        if whole.is_empty() && partly.is_empty() {
            return Ok(());
        }
        tracing::debug!(
            users = whole.len() + partly.len(),
            "told to catch up with what nobody told"
        );
        let whole: Vec<UserId> = whole.into_iter().collect();
        self.hand_over(&whole, None, "lagged", &json!({})).await?;
        for (user, ids) in partly {
            let payload = json!({ "conversation_ids": ids });
            self.hand_over(&[user], None, "lagged", &payload).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_come_out_of_turn_are_known_once_those_between_are() {
        let mut known = Known {
            through: 4,
            ..Known::default()
        };
        known.add(6);
        assert_eq!(known.through, 4);
        known.add(5);
        assert_eq!(known.through, 6);
        known.add(9);
        known.reach(8);
        assert_eq!(known.through, 9);
    }
}

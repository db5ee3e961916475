//! Scheduled messages in the model.

use chat_core::error::ErrorCode;
use chat_core::id::ScheduledId;
use chat_core::model::ScheduledState;

use super::reference::{Mention, Model, Outcome, Payload, User};

/// So many of a user's messages wait at most.
pub(super) const PENDING: usize = 2;
/// A message is scheduled at least so many milliseconds ahead.
const LEAD: i64 = 5_000;

/// Where a scheduled message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    Chat(usize),
    User(User),
}

/// What a user has scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) to: Address,
    pub(super) payload: Payload,
    pub(super) send_at: i64,
}

/// A scheduled message, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) id: ScheduledId,
    pub(super) owner: User,
    pub(super) key: Option<String>,
    /// As it was asked for first.
    pub(super) first: Wish,
    pub(super) now: Wish,
    /// The chat it goes to, once there is one.
    pub(super) chat: Option<usize>,
    pub(super) state: ScheduledState,
    /// The seq of what it became.
    pub(super) sent: Option<u64>,
    pub(super) error: Option<ErrorCode>,
    pub(super) version: u32,
    pub(super) created_at: i64,
}

impl Plan {
    /// What stays once it is over: no words.
    fn end(&mut self, state: ScheduledState) {
        self.state = state;
        self.error = None;
        self.now.payload = Payload::nothing();
    }
}

impl Model {
    fn in_time(&self, send_at: i64) -> Outcome<()> {
        if send_at < self.now + LEAD {
            return Err(ErrorCode::InvalidArgument);
        }
        Ok(())
    }

    /// Where it would go now, or why not; a direct that is not there yet would be made.
    fn place(&self, owner: User, to: Address) -> Outcome<Option<usize>> {
        match to {
            Address::Chat(c) => Ok(Some(c)),
            Address::User(other) => self.direct(owner, other),
        }
    }

    /// Finds what was scheduled under this key, or says which chat a new one goes to.
    pub(super) fn plan(
        &self,
        owner: User,
        wish: &Wish,
        key: Option<&str>,
    ) -> Outcome<Result<usize, Option<usize>>> {
        let known = (self.plans.iter())
            .position(|plan| key.is_some() && plan.owner == owner && plan.key.as_deref() == key);
        if let Some(known) = known {
            return if self.plans[known].first == *wish {
                Ok(Ok(known))
            } else {
                Err(ErrorCode::IdempotencyConflict)
            };
        }
        self.in_time(wish.send_at)?;
        let chat = self.place(owner, wish.to)?;
        if let Some(c) = chat {
            self.may_send(owner, c, &wish.payload, false)?;
        }
        let waiting = |plan: &&Plan| plan.owner == owner && plan.state == ScheduledState::Pending;
        if self.plans.iter().filter(waiting).count() >= PENDING {
            return Err(ErrorCode::InvalidOperation);
        }
        Ok(Err(chat))
    }

    fn own_plan(&self, user: User, p: usize) -> Outcome<&Plan> {
        let plan = &self.plans[p];
        if plan.owner == user {
            Ok(plan)
        } else {
            Err(ErrorCode::NotFound)
        }
    }

    pub(super) fn change_plan(
        &mut self,
        user: User,
        p: usize,
        text: Option<&str>,
        mentions: Option<&[Mention]>,
        send_at: Option<i64>,
        version: Option<u32>,
    ) -> Outcome<()> {
        let plan = self.own_plan(user, p)?;
        if plan.state != ScheduledState::Pending {
            return Err(ErrorCode::InvalidTransition);
        }
        if version.is_some_and(|version| version != plan.version) {
            return Err(ErrorCode::VersionConflict);
        }
        let mut wish = plan.now.clone();
        if let Some(text) = text {
            text.clone_into(&mut wish.payload.text);
        }
        if let Some(mentions) = mentions {
            wish.payload.mentions = mentions.to_vec();
        }
        if let Some(send_at) = send_at.filter(|at| *at != wish.send_at) {
            self.in_time(send_at)?;
            wish.send_at = send_at;
        }
        let plan = &mut self.plans[p];
        if plan.now != wish {
            plan.now = wish;
            plan.version += 1;
        }
        Ok(())
    }

    pub(super) fn cancel_plan(&mut self, user: User, p: usize) -> Outcome<()> {
        match self.own_plan(user, p)?.state {
            ScheduledState::Cancelled => {}
            ScheduledState::Sent => return Err(ErrorCode::InvalidTransition),
            ScheduledState::Pending | ScheduledState::Failed => {
                self.plans[p].end(ScheduledState::Cancelled);
                self.plans[p].version += 1;
            }
        }
        Ok(())
    }

    /// What waits or has failed, by its time.
    pub(super) fn open_plans(&self, user: User, of: Option<usize>) -> Vec<&Plan> {
        let mut open: Vec<&Plan> = (self.plans.iter())
            .filter(|plan| plan.owner == user)
            .filter(|plan| matches!(plan.state, ScheduledState::Pending | ScheduledState::Failed))
            .filter(|plan| {
                of.is_none_or(|c| {
                    let pair = self.chats[c].pair;
                    let peer = match pair {
                        Some((a, b)) if a == user => Some(b),
                        Some((a, b)) if b == user => Some(a),
                        _ => None,
                    };
                    plan.chat == Some(c) || matches!(plan.now.to, Address::User(to) if Some(to) == peer)
                })
            })
            .collect();
        open.sort_by_key(|plan| (plan.now.send_at, plan.id));
        open
    }

    /// Sends what is due; answers which those were.
    pub(super) fn send_due(&mut self) -> Vec<usize> {
        let mut due: Vec<usize> = (0..self.plans.len())
            .filter(|p| self.plans[*p].state == ScheduledState::Pending)
            .filter(|p| self.plans[*p].now.send_at <= self.now)
            .collect();
        due.sort_by_key(|p| (self.plans[*p].now.send_at, self.plans[*p].id));
        for p in &due {
            self.send_plan(*p);
        }
        due
    }

    fn send_plan(&mut self, p: usize) {
        let plan = &self.plans[p];
        let (owner, payload) = (plan.owner, plan.now.payload.clone());
        let key = format!("sched:{}", plan.id);
        // The chat it was for when it was scheduled, whatever became of it.
        let to = plan.chat.map_or(plan.now.to, Address::Chat);
        let result = self.place(owner, to).and_then(|found| {
            if let Some(c) = found {
                self.may_send(owner, c, &payload, false)?;
            }
            Ok(found)
        });
        let plan = match result {
            Err(code) => {
                self.plans[p].state = ScheduledState::Failed;
                self.plans[p].error = Some(code);
                &mut self.plans[p]
            }
            Ok(found) => {
                let c = match (found, to) {
                    (None, Address::User(other)) => {
                        let unknown = chat_core::id::ConversationId::from_uuid(uuid::Uuid::nil());
                        self.new_chat(unknown, Some((owner, other)), &[owner, other])
                    }
                    (Some(c), _) | (None, Address::Chat(c)) => c,
                };
                let sent = self.write(owner, c, &payload, Some(&key));
                let plan = &mut self.plans[p];
                plan.end(ScheduledState::Sent);
                plan.chat = Some(c);
                plan.sent = Some(sent.seq);
                plan
            }
        };
        plan.version += 1;
    }
}

//! A page of the members a message may concern. Nothing grows with the group: a page is loaded, its devices are
//! called a few at a time, and where the work stands is written down before the next page.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use tokio::time::Instant;

use super::call::Failed;
use super::row::{About, Row, device_key};
use super::{ATTEMPTS, Job, TOPIC, again};
use crate::engine::relay::{Carried, pause_after};
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Device;
use crate::store::{MemberQuery, OutboxEntry};
use crate::time::Timestamp;

/// How many members are looked after in one step.
const PAGE: usize = 200;
/// How many of them at a time.
const AT_ONCE: usize = 16;
/// After so long no further user of a page is begun.
const STEP: Duration = Duration::from_secs(20);
/// So many failures and no success are not the fault of single devices.
const OUTAGE: usize = 16;

/// Who is looked after next.
struct Page {
    users: Vec<UserId>,
    has_more: bool,
}

/// What became of one device of a page.
enum Outcome {
    /// Nothing is left to do.
    Over,
    /// It waits for its time, or behind an earlier push.
    Later(Timestamp),
    /// It has to be tried again.
    Failed(Failed),
}

struct Told {
    user: UserId,
    /// What became of each device, by its key; `None` when there was no time for this user.
    devices: Option<Vec<(String, Outcome)>>,
}

/// How a page goes.
struct Course {
    until: Instant,
    over: AtomicUsize,
    failed: AtomicUsize,
    stopped: AtomicBool,
}

impl Course {
    /// Whether no further user is begun. Asked in their order, and final, so that who was begun comes before all others.
    fn stops(&self) -> bool {
        if Instant::now() >= self.until || self.is_outage() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        self.stopped.load(Ordering::Relaxed)
    }

    fn is_outage(&self) -> bool {
        self.over.load(Ordering::Relaxed) == 0 && self.failed.load(Ordering::Relaxed) >= OUTAGE
    }
}

impl Job<'_> {
    pub(super) async fn page(&self) -> Carried {
        if self.row.about == About::New && self.row.after.is_none() && self.attempts == 0 {
            self.engine.inner().pushes.shown.begin(self.row.message_id);
        }
        match self.step().await {
            Ok(carried) => carried,
            Err(error) => again(&error, self.attempts),
        }
    }

    async fn step(&self) -> BackendResult<Carried> {
        let store = &self.engine.inner().store;
        let Page { users, has_more } = self.next_users().await?;
        let mut devices: BTreeMap<UserId, Vec<Device>> = BTreeMap::new();
        for device in self.engine.live_devices(&users).await? {
            devices.entry(device.user_id.clone()).or_default().push(device);
        }
        let keys: Vec<String> = devices.values().flatten().map(|d| device_key(&d.token)).collect();
        let busy: HashSet<String> = match keys.is_empty() {
            true => HashSet::new(),
            false => store.outbox_keys(TOPIC, &keys).await?.into_iter().collect(),
        };
        let course = Course {
            until: Instant::now() + STEP,
            over: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        };
        let (course_of, busy) = (&course, &busy);
        let mut told: Vec<Told> = futures::stream::iter(devices)
            .map(|(user, devices)| {
                let stops = course_of.stops();
                async move {
                    let devices = match stops {
                        true => None,
                        false => Some(self.tell(&user, &devices, course_of, busy).await),
                    };
                    Told { user, devices }
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        told.sort_by(|one, other| one.user.cmp(&other.user));
        Ok(self.sum_up(told, &course, users.last().filter(|_| has_more)))
    }

    /// In order of id, like the members of the store.
    async fn next_users(&self) -> BackendResult<Page> {
        let store = &self.engine.inner().store;
        let (mut users, has_more) = match &self.row.users {
            Some(users) => {
                let mut users = users.clone();
                users.sort();
                users.retain(|user| self.row.after.as_ref().is_none_or(|after| user > after));
                (users, false)
            }
            None => {
                let query = MemberQuery {
                    conversation: self.conversation.id,
                    name: None,
                    role: None,
                    after: self.row.after.clone(),
                    limit: PAGE,
                };
                let members = store.members(&query).await?;
                let has_more = members.len() >= PAGE;
                (
                    members.into_iter().map(|m| m.user_id).collect::<Vec<_>>(),
                    has_more,
                )
            }
        };
        users.dedup();
        Ok(Page { users, has_more })
    }

    /// What becomes of each device of a user.
    async fn tell(
        &self,
        user: &UserId,
        devices: &[Device],
        course: &Course,
        busy: &HashSet<String>,
    ) -> Vec<(String, Outcome)> {
        let now = self.engine.now();
        let judged = self.judge(user).await;
        let calls = devices.iter().map(|device| {
            let (key, judged) = (device_key(&device.token), &judged);
            async move {
                let outcome = match judged {
                    Ok(None) => Outcome::Over,
                    Ok(Some(judged)) if judged.at > now => Outcome::Later(judged.at),
                    Ok(Some(_)) if busy.contains(&key) => Outcome::Later(now),
                    Ok(Some(judged)) => match self.call(device, judged).await {
                        Ok(()) => {
                            course.over.fetch_add(1, Ordering::Relaxed);
                            Outcome::Over
                        }
                        Err(failed) => {
                            course.failed.fetch_add(1, Ordering::Relaxed);
                            Outcome::Failed(failed)
                        }
                    },
                    Err(error) => Outcome::Failed(Failed {
                        reason: error.to_string(),
                        after: None,
                    }),
                };
                (key, outcome)
            }
        });
        join_all(calls).await
    }

    /// Where the entry stands after a page; `last` is its last user when there may be more.
    fn sum_up(&self, told: Vec<Told>, course: &Course, last: Option<&UserId>) -> Carried {
        let exhausted = self.attempts.saturating_add(1) >= ATTEMPTS;
        if course.is_outage() && !exhausted {
            return self.outage(told);
        }
        let now = self.engine.now();
        let mut added: Vec<OutboxEntry> = Vec::new();
        let mut after = last.cloned();
        let mut reached = self.row.after.clone();
        for Told { user, devices } in told {
            let Some(devices) = devices else {
                // From here on in the next step.
                after = reached;
                break;
            };
            for (key, outcome) in devices {
                let (tried, due) = match outcome {
                    Outcome::Over => continue,
                    Outcome::Failed(_) if exhausted => {
                        self.give_up();
                        continue;
                    }
                    Outcome::Failed(failed) => (1, now.after(pause_after(&super::policy(), 0, failed.after))),
                    Outcome::Later(due) => (0, due),
                };
                let id = self.engine.inner().ids.next();
                added.push(self.row.for_device(id, user.clone(), &key, tried, due));
            }
            reached = Some(user);
        }
        let rest = after.map(|after| {
            let rest = Row {
                after: Some(after),
                ..self.row.clone()
            };
            rest.payload()
        });
        match (rest, added.is_empty()) {
            (None, true) => Carried::Done,
            (rest, _) => Carried::Further { rest, added },
        }
    }

    /// The provider took nothing at all: everything stays as it was, for later.
    fn outage(&self, told: Vec<Told>) -> Carried {
        let outcomes = told
            .into_iter()
            .flat_map(|told| told.devices.into_iter().flatten());
        let failures = outcomes.filter_map(|(_, outcome)| match outcome {
            Outcome::Failed(failed) => Some(failed),
            _ => None,
        });
        let last = failures.reduce(|one, other| Failed {
            after: one.after.max(other.after),
            ..other
        });
        let Failed { reason, after } = last.unwrap_or(Failed {
            reason: String::new(),
            after: None,
        });
        Carried::Again {
            reason,
            after,
            tried: self.attempts,
        }
    }
}

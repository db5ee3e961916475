//! The slot: one document through which every commit goes, and why no transaction is needed.
//!
//! The slot holds the number of the newest commit and, until they are done, its steps. A writer reads the slot, loads
//! facts, decides, and puts its steps in by one compare-and-set on the number it has read: this single update decides
//! and is the point from which the commit is durable. Then the steps are done (see [`Plan`]), and the slot is marked
//! as settled. A commit is put in only when the one before is settled, so at most one is ever unfinished, and whoever
//! needs a settled state and meets an unfinished commit of somebody who has gone does its steps for him.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, try_join_all};
use mongodb::bson::{Document, doc};
use mongodb::error::Error as DriverError;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use crate::collection::Collection;
use crate::database::{Counters, Database, Find};
use crate::error::{Error, is_transient, may_have_happened};
use crate::plan::{Commit, Plan};
use crate::row::{Row, uuid};

pub(crate) const SLOT: &str = "slot";

/// How long another node's commit may take before its steps are done for it.
const HELP_AFTER: Duration = Duration::from_millis(250);
/// Between looks at a commit of another node.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Between attempts while the server is away.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Commits of which the slot remembers who made them: a writer that lost an answer finds out by it.
const REMEMBERED: i32 = 64;
/// Updates in one command.
const CHUNK: usize = 1_000;

/// What a writer makes of a settled state: steps for a commit whose first change has this number, and an answer.
pub(crate) type Planned<T> = Result<(Plan, T), Error>;

/// What became of a plan.
enum Outcome {
    /// It happened, and all its steps are done.
    Done,
    /// It happened; its steps are left to whoever reads next.
    Left,
    /// Another commit came first, and nothing was written.
    Late,
}

pub(crate) struct Slot {
    database: Arc<Database>,
    patience: Duration,
    /// One write at a time in this process. Holds the number after which nothing was seen to happen.
    turn: Mutex<Option<i64>>,
    /// The commit whose steps this process is doing; 0 when it is doing none.
    doing: AtomicI64,
    done: Notify,
}

/// While this process does the steps of a commit.
struct Doing<'s>(&'s Slot);

impl<'s> Doing<'s> {
    fn start(slot: &'s Slot, number: i64) -> Self {
        slot.doing.store(number, Ordering::Release);
        Self(slot)
    }
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.0.doing.store(0, Ordering::Release);
        self.0.done.notify_waiters();
    }
}

impl Slot {
    pub(crate) fn new(database: Arc<Database>, patience: Duration) -> Self {
        Self {
            database,
            patience,
            turn: Mutex::new(None),
            doing: AtomicI64::new(0),
            done: Notify::new(),
        }
    }

    /// Plans on a settled state and commits the plan; plans again when another node was faster. An empty plan commits
    /// nothing, and its answer too is of a state that was settled and did not change meanwhile.
    pub(crate) async fn write<T>(
        &self,
        plan: impl Fn(i64) -> BoxFuture<'static, Planned<T>> + Send + Sync,
    ) -> Result<T, Error> {
        let mut turn = self.turn.lock().await;
        let start = Instant::now();
        loop {
            let before = match turn.take() {
                Some(number) => number,
                None => self.settled().await?,
            };
            let (wanted, answer) = plan(before.saturating_add(1)).await?;
            if wanted.is_empty() {
                if self.settled().await? == before {
                    *turn = Some(before);
                    return Ok(answer);
                }
            } else {
                let commit = wanted.after(before);
                match self.commit(before, &commit).await? {
                    Outcome::Done => {
                        *turn = Some(commit.number);
                        return Ok(answer);
                    }
                    Outcome::Left => return Ok(answer),
                    Outcome::Late => {}
                }
            }
            if start.elapsed() > self.patience {
                return Err(Error::Contended);
            }
        }
    }

    /// The number of the newest commit, all of whose steps are done.
    pub(crate) async fn settled(&self) -> Result<i64, Error> {
        let start = Instant::now();
        loop {
            let find = Find::all(doc! { "_id": SLOT })
                .limited(1)
                .only(&["no", "pending"]);
            let read = |slot: &Document| Ok((Row(slot).int("no")?, Row(slot).flag("pending")?));
            let slots = self.database.list(Collection::State, find, read).await?;
            let (number, pending) = *slots.first().ok_or(Error::NotSetUp)?;
            if !pending {
                return Ok(number);
            }
            if self.doing.load(Ordering::Acquire) == number {
                // Its own writer does it, and says when.
                drop(tokio::time::timeout(LOOK_AGAIN * 4, self.done.notified()).await);
            } else if start.elapsed() < HELP_AFTER {
                tokio::time::sleep(LOOK_AGAIN).await;
            } else {
                self.help(number).await?;
            }
        }
    }

    /// Does the steps of a commit whose writer has gone.
    async fn help(&self, number: i64) -> Result<(), Error> {
        let filter = doc! { "_id": SLOT, "no": number, "pending": true };
        let read = |slot: &Document| match slot.get_array("steps") {
            Ok(steps) => Commit::from_list(number, steps),
            Err(_) => Err(Error::Decode("steps")),
        };
        if let Some(commit) = self.database.find(Collection::State, filter, read).await? {
            tracing::info!(commit = number, "finishing a commit that was left unfinished");
            self.finish(&commit).await?;
        }
        Ok(())
    }

    async fn commit(&self, before: i64, commit: &Commit) -> Result<Outcome, Error> {
        let number = commit.number;
        let _doing = Doing::start(self, number);
        if !self.put_in(before, commit).await? {
            return Ok(Outcome::Late);
        }
        Counters::count(&self.database.counters.commits);
        // From here on the commit has happened. When its steps cannot be done now, the next one who reads does them.
        let start = Instant::now();
        while let Err(error) = self.finish(commit).await {
            if start.elapsed() > self.patience || !error.is_transient() {
                tracing::warn!(commit = number, %error, "a commit is left for the next reader to finish");
                return Ok(Outcome::Left);
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
        Ok(Outcome::Done)
    }

    /// The compare-and-set that decides. False: another commit came first, and nothing was written.
    async fn put_in(&self, before: i64, commit: &Commit) -> Result<bool, Error> {
        let writer = Uuid::new_v4();
        let command = doc! {
            "$set": { "no": commit.number, "pending": true, "steps": commit.to_list() },
            "$push": { "writers": { "$each": [uuid(writer)], "$slice": -REMEMBERED } },
        };
        let filter = doc! { "_id": SLOT, "no": before, "pending": false };
        let slot = self.database.collection(Collection::State);
        let start = Instant::now();
        let mut lost: Option<DriverError> = None;
        loop {
            Counters::count(&self.database.counters.writes);
            let failure = match slot.update_one(filter.clone(), command.clone()).await {
                Ok(done) if done.matched_count > 0 => return Ok(true),
                Ok(_) => match &lost {
                    None => return Ok(false),
                    // Either somebody was faster, or the attempt whose answer was lost did arrive.
                    Some(_) => match self.is_writer(writer).await {
                        Ok(is_writer) => return Ok(is_writer),
                        Err(failure) => failure,
                    },
                },
                Err(failure) => failure,
            };
            let goes_on = is_transient(&failure) && start.elapsed() < self.patience;
            if may_have_happened(&failure) {
                lost = Some(failure);
            } else if !goes_on {
                return Err(lost.map_or(Error::Driver(failure), Error::Unsure));
            }
            if !goes_on && let Some(cause) = lost {
                return Err(Error::Unsure(cause));
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    /// Whether this writer's commit is among the last ones. Asked by a write, which sees the newest state and waits
    /// until it is safe.
    async fn is_writer(&self, writer: Uuid) -> Result<bool, DriverError> {
        let filter = doc! { "_id": SLOT, "writers": uuid(writer) };
        let mark = doc! { "$set": { "asked": uuid(writer) } };
        let slot = self.database.collection(Collection::State);
        Ok(slot.update_one(filter, mark).await?.matched_count > 0)
    }

    /// Does the steps and says so in the slot. May be called by several at once, and again.
    async fn finish(&self, commit: &Commit) -> Result<(), Error> {
        let updates = commit.updates();
        let commands = updates
            .iter()
            .flat_map(|(collection, updates)| updates.chunks(CHUNK).map(|chunk| (*collection, chunk)))
            .map(|(collection, chunk)| self.database.update(collection, chunk));
        try_join_all(commands).await?;
        Counters::count(&self.database.counters.writes);
        let settle = doc! { "$set": { "pending": false }, "$unset": { "steps": "" } };
        let filter = doc! { "_id": SLOT, "no": commit.number, "pending": true };
        self.database
            .collection(Collection::State)
            .update_one(filter, settle)
            .await?;
        Ok(())
    }
}

//! The commit point: lock and load for all changes, let them decide one after the other, write what they want.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chat_core::error::{BackendError, BackendResult, ChatError};
use chat_core::store::{Change, Facts, Writes};
use chat_core::time::Clock;

use super::pending::{LockedOnes, Pending, Place};
use super::slate::Slate;
use super::{PostgresStore, facts, writes};
use crate::error::Error;
use crate::transaction::Transaction;

const OPERATION: &str = "commit";

type Answers = Vec<Result<(), ChatError>>;

impl PostgresStore {
    pub(super) async fn commit_changes(&self, changes: &[Change]) -> BackendResult<Answers> {
        let mut answers = Vec::with_capacity(changes.len());
        for part in changes.chunks(self.inner.batch_changes) {
            match self.commit_part(part).await {
                Ok(more) => answers.extend(more),
                // An outer error speaks for the whole slice, and something of it is written already.
                Err(error) if !answers.is_empty() => {
                    answers.extend(part.iter().map(|_| Err(error.clone().into())));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// One transaction for these changes. When one of them wants what the tables refuse, they are written one by one
    /// in another, so that it fails alone.
    async fn commit_part(&self, changes: &[Change]) -> Result<Answers, BackendError> {
        let changes: Arc<[Change]> = changes.into();
        let done = match self.commit_in_one(&changes, together).await {
            Err(error) if error.blames_a_change() => self.commit_in_one(&changes, one_by_one).await,
            done => done,
        };
        let answers = done.map_err(|error| error.into_backend(OPERATION))?;
        let counters = &self.database().shared.counters;
        counters
            .changes
            .fetch_add(changes.len() as u64, Ordering::Relaxed);
        Ok(answers)
    }

    async fn commit_in_one<W>(&self, changes: &Arc<[Change]>, way: W) -> Result<Answers, Error>
    where
        W: for<'a> Fn(
                &'a mut Transaction,
                Arc<[Change]>,
                Arc<dyn Clock>,
            ) -> futures::future::BoxFuture<'a, Result<Answers, Error>>
            + Send
            + Sync,
    {
        self.database()
            .write(|transaction| way(transaction, Arc::clone(changes), Arc::clone(self.clock())))
            .await
    }
}

/// All changes, and one set of statements for what they write.
fn together<'a>(
    transaction: &'a mut Transaction,
    changes: Arc<[Change]>,
    clock: Arc<dyn Clock>,
) -> futures::future::BoxFuture<'a, Result<Answers, Error>> {
    Box::pin(async move {
        let mut answers = Vec::with_capacity(changes.len());
        while let Some(rest) = changes.get(answers.len()..).filter(|rest| !rest.is_empty()) {
            let (mut slate, locked) = facts::load(transaction, rest).await?;
            let mut pending = Pending::default();
            for change in rest {
                let place = place(answers.len());
                answers.push(match decide(&slate, change, clock.as_ref()) {
                    Ok(Ok((seen, writes))) => {
                        take(&mut slate, &mut pending, &locked, &seen, writes, place)?;
                        Ok(())
                    }
                    Ok(Err(refusal)) => Err(refusal),
                    Err(error) => Err(error.into_backend(OPERATION).into()),
                });
                // What a purge takes along is not at hand, so those after it see what is read anew.
                if !pending.purges.is_empty() {
                    break;
                }
            }
            if !pending.is_empty() {
                writes::flush(transaction, &locked, pending).await?;
            }
        }
        Ok(answers)
    })
}

fn place(index: usize) -> Place {
    Place::try_from(index).unwrap_or(Place::MAX)
}

/// The same with a mark before each change's writes, so that those of a broken one can be taken back.
fn one_by_one<'a>(
    transaction: &'a mut Transaction,
    changes: Arc<[Change]>,
    clock: Arc<dyn Clock>,
) -> futures::future::BoxFuture<'a, Result<Answers, Error>> {
    Box::pin(async move {
        let (mut slate, mut locked) = facts::load(transaction, &changes).await?;
        let mut answers = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            let place = place(index);
            let (seen, writes) = match decide(&slate, change, clock.as_ref()) {
                Ok(Ok(decided)) => decided,
                Ok(Err(refusal)) => {
                    answers.push(Err(refusal));
                    continue;
                }
                Err(error) => {
                    answers.push(Err(error.into_backend(OPERATION).into()));
                    continue;
                }
            };
            let before = slate.clone();
            transaction.mark().await?;
            let mut pending = Pending::default();
            let purges = writes.purge.is_some();
            let done = match take(&mut slate, &mut pending, &locked, &seen, writes, place) {
                Ok(()) => writes::flush(transaction, &locked, pending).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => {
                    transaction.keep().await?;
                    if purges {
                        let rest = changes.get(index + 1..).unwrap_or_default();
                        (slate, locked) = facts::load(transaction, rest).await?;
                    } else {
                        note(&mut locked, &slate, change);
                    }
                    answers.push(Ok(()));
                }
                Err(error) if error.blames_a_change() => {
                    transaction.take_back().await?;
                    slate = before;
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a change broke a rule of the store and was taken back"
                    );
                    answers.push(Err(error.into_backend(OPERATION).into()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    })
}

/// What a change decides on the present state. An outer error is the change's own fault, too.
fn decide(
    slate: &Slate,
    change: &Change,
    clock: &dyn Clock,
) -> Result<Result<(Facts, Writes), ChatError>, Error> {
    let facts = slate.facts(&change.needs, clock.now());
    // A panic in one decision fails that change alone; nothing of it is written yet.
    match catch_unwind(AssertUnwindSafe(|| change.decide(&facts))) {
        Ok(decision) => Ok(decision.map(|writes| (facts, writes))),
        Err(_) => Err(Error::Panicked),
    }
}

/// Takes the writes of a change into the state and among what is to be written.
fn take(
    slate: &mut Slate,
    pending: &mut Pending,
    locked: &LockedOnes,
    seen: &Facts,
    writes: Writes,
    place: Place,
) -> Result<(), Error> {
    if writes.is_empty() {
        return Ok(());
    }
    slate.check(seen, &writes)?;
    let applied = writes.clone();
    pending.add(slate, locked, seen, writes, place)?;
    slate.apply(&applied);
    Ok(())
}

/// A conversation that was made is a known one for the changes after.
fn note(locked: &mut LockedOnes, slate: &Slate, change: &Change) {
    if let Some(conversation) = slate.find(&change.needs.target) {
        let last_seq = conversation.last_seq;
        locked
            .entry(conversation.id)
            .and_modify(|known| known.last_seq = last_seq)
            .or_insert(super::pending::Locked {
                change_no: 0,
                last_seq,
            });
    }
}

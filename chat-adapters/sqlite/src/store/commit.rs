//! The commit point: load the facts, let the change decide, write what it wants.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chat_core::error::{BackendResult, ChatError};
use chat_core::store::{Change, Facts, Writes};
use chat_core::time::Clock;

use super::{SqliteStore, facts, writes};
use crate::error::Error;
use crate::transaction::Transaction;

const OPERATION: &str = "commit";

impl SqliteStore {
    pub(super) async fn commit_changes(
        &self,
        changes: &[Change],
    ) -> BackendResult<Vec<Result<(), ChatError>>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let changes = changes.to_vec();
        let clock = Arc::clone(self.clock());
        let count = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        self.writer()
            .write(OPERATION, count, move |transaction| {
                Box::pin(async move {
                    let mut answers = Vec::with_capacity(changes.len());
                    for change in &changes {
                        answers.push(commit(transaction, change, clock.as_ref()).await?);
                    }
                    Ok(answers)
                })
            })
            .await
    }
}

/// One change. An outer error ends the transaction, an inner one is this change's answer.
async fn commit(
    transaction: &mut Transaction,
    change: &Change,
    clock: &dyn Clock,
) -> Result<Result<(), ChatError>, Error> {
    match decide(transaction, change, clock).await {
        Ok(Ok((facts, writes))) => {
            if writes.is_empty() {
                return Ok(Ok(()));
            }
            transaction.begin_step().await?;
            let done = writes::apply(transaction, &facts, writes).await;
            inner(transaction.end_step(done).await)
        }
        Ok(Err(refusal)) => Ok(Err(refusal)),
        Err(error) => inner(Err(error)),
    }
}

fn inner(done: Result<(), Error>) -> Result<Result<(), ChatError>, Error> {
    match done {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.ends_transaction() => Err(error),
        Err(error) => Ok(Err(error.into_backend(OPERATION).into())),
    }
}

async fn decide(
    transaction: &mut Transaction,
    change: &Change,
    clock: &dyn Clock,
) -> Result<Result<(Facts, Writes), ChatError>, Error> {
    let facts = facts::load(transaction, &change.needs, clock.now()).await?;
    // A panic in one decision must not take the writer, and with it every other write, away.
    match catch_unwind(AssertUnwindSafe(|| change.decide(&facts))) {
        Ok(decision) => Ok(decision.map(|writes| (facts, writes))),
        Err(_) => Err(Error::Panicked),
    }
}

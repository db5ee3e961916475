//! The commit point: load the facts of all changes, let each decide on the state that those before it left, and put what
//! they want into one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chat_core::error::{BackendError, BackendResult, ChatError};
use chat_core::store::{Change, Needs, Writes};

use super::state::Missing;
use super::writes::Draft;
use super::{Inner, MongoStore, facts};
use crate::database::Database;
use crate::error::Error;
use crate::slot::Planned;

const OPERATION: &str = "commit";
/// About how many bytes of steps go into one commit; a document has at most 16 MiB.
const MAX_WEIGHT: usize = 4 << 20;

type Answer = Result<(), ChatError>;

impl MongoStore {
    pub(super) async fn commit_changes(&self, changes: &[Change]) -> BackendResult<Vec<Answer>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let (inner, changes) = (Arc::clone(&self.inner), Arc::<[Change]>::from(changes));
        self.writer
            .run(OPERATION, async move { commit(&inner, changes).await })
            .await
    }
}

/// Commits of a slice, one after the other, of as many changes as fit into each.
async fn commit(inner: &Inner, changes: Arc<[Change]>) -> Result<Vec<Answer>, Error> {
    let mut answers: Vec<Answer> = Vec::with_capacity(changes.len());
    while answers.len() < changes.len() {
        let from = answers.len();
        let to = from.saturating_add(inner.batch).min(changes.len());
        let commit = inner.slot.write(|first| {
            let (database, changes) = (Arc::clone(&inner.database), Arc::clone(&changes));
            Box::pin(async move { decide(&database, first, changes.get(from..to).unwrap_or_default()).await })
        });
        match commit.await {
            Ok(some) => answers.extend(some),
            Err(error) if answers.is_empty() => return Err(error),
            // What came before is committed; the rest of the slice is answered one by one.
            Err(error) => {
                let error: ChatError = error.into_backend(OPERATION).into();
                answers.resize_with(changes.len(), || Err(error.clone()));
            }
        }
    }
    Ok(answers)
}

/// Answers for the first changes of `changes`, at least one, and the commit that makes them true.
async fn decide(database: &Database, first: i64, changes: &[Change]) -> Planned<Vec<Answer>> {
    let needs: Vec<&Needs> = changes.iter().map(|change| &change.needs).collect();
    let mut loaded = facts::load(database, &needs, database.clock.now()).await?;
    loop {
        let mut state = loaded.clone();
        let mut draft = Draft::default();
        let mut answers: Vec<Answer> = Vec::with_capacity(changes.len());
        let mut missing = Missing::default();
        for change in changes {
            let is_first = answers.is_empty();
            if !is_first && (state.is_old_for(&change.needs) || draft.weight > MAX_WEIGHT) {
                break;
            }
            let writes = match decide_one(change, &state.facts(&change.needs)) {
                Ok(writes) => writes,
                Err(refusal) => {
                    answers.push(Err(refusal));
                    continue;
                }
            };
            if writes.is_empty() {
                answers.push(Ok(()));
                continue;
            }
            let purges = writes.purge.is_some();
            // What goes is looked up in the data, so nothing may be on its way there.
            if purges && !is_first {
                break;
            }
            state.missing_for(&writes, &mut missing);
            if let Err(broken) = state.check(&writes) {
                answers.push(Err(internal(broken)));
                continue;
            }
            let number = first.saturating_add(draft.plan.change());
            draft.add(&state, &writes, number)?;
            draft.plan.next_change();
            state.apply(&writes, number);
            answers.push(Ok(()));
            if purges {
                break;
            }
        }
        if missing.is_empty() {
            return Ok((draft.plan, answers));
        }
        facts::look_up(database, &mut loaded, missing).await?;
    }
}

/// A panic in one decision fails that change alone.
fn decide_one(change: &Change, facts: &chat_core::store::Facts) -> Result<Writes, ChatError> {
    match catch_unwind(AssertUnwindSafe(|| change.decide(facts))) {
        Ok(decision) => decision,
        Err(_) => Err(internal(Error::Panicked)),
    }
}

fn internal(error: Error) -> ChatError {
    let error: BackendError = error.into_backend(OPERATION);
    error.into()
}

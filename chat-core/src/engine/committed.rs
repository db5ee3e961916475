//! Whether a command has committed something already, so that what fails afterwards is not taken for a refusal.

use std::cell::Cell;

use crate::error::{ChatError, ChatResult, ErrorCode};

tokio::task_local! {
    static COMMITTED: Cell<bool>;
}

/// Takes note that the present command has changed something.
pub(crate) fn note() {
    // Work of the engine itself belongs to no command.
    let _own_work = COMMITTED.try_with(|committed| committed.set(true));
}

/// Runs a command. An error that comes after something was committed says `outcome_unknown`: everything else promises
/// that nothing was changed, and the answer could only not be made.
pub(crate) async fn watched<T>(work: impl Future<Output = ChatResult<T>>) -> ChatResult<T> {
    let watched = async {
        let outcome = work.await;
        if COMMITTED.with(Cell::get) {
            return outcome.map_err(|error| match error.code() {
                ErrorCode::OutcomeUnknown => error,
                _ => ChatError::new(
                    ErrorCode::OutcomeUnknown,
                    "it has happened, and the answer could not be made",
                )
                .with_source(error),
            });
        }
        outcome
    };
    COMMITTED.scope(Cell::new(false), watched).await
}

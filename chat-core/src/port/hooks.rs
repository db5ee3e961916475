use std::fmt;

use async_trait::async_trait;

use crate::command::SendMessage;
use crate::event::ChatEvent;
use crate::id::UserId;

/// A message on its way in: the host may change or refuse it.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Who sends.
    pub sender: &'a UserId,
    /// What he sends; changes are validated again.
    pub message: &'a mut SendMessage,
}

/// A host's refusal: becomes `rejected_by_policy` with `details.policy_code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The host's own code.
    pub policy_code: String,
    /// For people.
    pub detail: String,
}

/// The host's say. Hooks run in the order they were added; the first rejection ends the command.
///
/// # Contract
/// - `before_send` runs after the payload was validated and before anything is stored; a replay does not run it.
///   It counts against the command's deadline.
/// - `after` runs once per event, after the commit, in order per conversation; it cannot undo anything.
#[async_trait]
pub trait Hook: Send + Sync + fmt::Debug {
    /// Looks at a message before it is stored.
    ///
    /// # Errors
    /// A [`Rejection`] refuses the message.
    async fn before_send(&self, draft: Draft<'_>) -> Result<(), Rejection> {
        let _ = draft;
        Ok(())
    }

    /// Hears of everything that happened.
    async fn after(&self, event: &ChatEvent) {
        let _ = event;
    }
}

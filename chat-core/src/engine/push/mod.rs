//! Pushes for messages nobody looks at. What may have to be pushed is written into the outbox with the change that
//! caused it, one entry whatever the number of members. A worker then looks after the members page by page; whether a
//! device is told, and of what, is judged right before the provider is called, on what is stored then.
//!
//! An entry is worked off in the order of its conversation. A device that fails gets an entry of its own, in its own
//! order, so that it holds up nobody else; later messages for that device wait behind it.

mod call;
mod clear;
mod compose;
mod page;
mod row;
mod scene;
mod shown;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use clear::Clears;
pub(crate) use row::{TOPIC, entries};
use shown::Shown;

use super::ChatEngine;
use super::relay::Carried;
use crate::error::BackendError;
use crate::model::{Conversation, ConversationKind};
use crate::port::{Notifier, PushWords, RelayPolicy};
use crate::store::ClaimedEntry;
use row::Row;

/// How often a push to a device is tried.
const ATTEMPTS: u32 = 8;

/// How entries are worked off. An entry that the provider takes none of is tried as often as a device.
pub(crate) fn policy() -> RelayPolicy {
    RelayPolicy {
        concurrency: 16,
        timeout: Duration::from_secs(45),
        lease: Duration::from_secs(90),
        first_retry: Duration::from_secs(1),
        longest_retry: Duration::from_secs(600),
        // Each entry knows its own end, by the kind of its conversation.
        max_age: Duration::MAX,
        ..RelayPolicy::default()
    }
}

/// The way to devices, where there is one.
#[derive(Default)]
pub(crate) struct Pushes {
    notifier: Option<Arc<dyn Notifier>>,
    words: Option<Arc<dyn PushWords>>,
    shown: Shown,
    clears: Clears,
}

impl fmt::Debug for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushes")
            .field("notifier", &self.notifier)
            .finish_non_exhaustive()
    }
}

impl Pushes {
    /// Without a notifier nothing is even considered.
    pub(crate) fn new(notifier: Option<Arc<dyn Notifier>>, words: Option<Arc<dyn PushWords>>) -> Self {
        Self {
            notifier,
            words,
            ..Self::default()
        }
    }

    pub(crate) fn has_notifier(&self) -> bool {
        self.notifier.is_some()
    }
}

impl ChatEngine {
    /// How long a push about this conversation is worth sending.
    fn push_life(&self, conversation: &Conversation) -> Duration {
        let policies = &self.config().policies;
        match conversation.kind {
            ConversationKind::Group => policies.push_life_group,
            _ => policies.push_life_direct,
        }
    }

    /// Works off an entry: a page of members, or one device.
    pub(crate) async fn carry_push(&self, claimed: &ClaimedEntry) -> Carried {
        let Some(notifier) = &self.inner().pushes.notifier else {
            return Carried::Done;
        };
        let Ok(row) = serde_json::from_str::<Row>(&claimed.entry.payload) else {
            return Carried::Refused {
                reason: "it is no entry of this version".to_owned(),
            };
        };
        let found = self.inner().store.conversations(&[row.conversation_id]).await;
        let conversation = match found.map(|mut found| found.pop()) {
            Ok(Some(conversation)) => conversation,
            Ok(None) => return Carried::Done,
            Err(error) => return again(&error, claimed.attempts),
        };
        if row.at.after(self.push_life(&conversation)) <= self.now() {
            self.inner().counters.push_given_up_too_old();
            tracing::warn!(message = %row.message_id, "a push is too old to be sent and is given up");
            return Carried::Done;
        }
        let job = Job {
            engine: self,
            notifier,
            conversation: &conversation,
            row: &row,
            attempts: claimed.attempts,
        };
        match &row.to {
            Some(to) => job.one_device(to, &claimed.entry.key).await,
            None => job.page().await,
        }
    }
}

/// An entry in work.
struct Job<'a> {
    engine: &'a ChatEngine,
    notifier: &'a Arc<dyn Notifier>,
    conversation: &'a Conversation,
    row: &'a Row,
    attempts: u32,
}

/// The store failed: that counts against nobody, so it goes on as long as the push is worth sending.
fn again(error: &BackendError, attempts: u32) -> Carried {
    Carried::Again {
        reason: error.to_string(),
        after: None,
        tried: attempts,
    }
}

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::error::BackendResult;
use crate::id::{ConversationId, UserId};
use crate::model::Rev;

/// A word from node to node: something changed, look into the store. Hints carry no content; losing one costs time,
/// never a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hint {
    /// A conversation reached this rev.
    Conversation {
        /// Which.
        id: ConversationId,
        /// Its rev.
        rev: Rev,
    },
    /// A user's private state changed.
    User {
        /// Whose.
        id: UserId,
        /// His `user_rev`.
        user_rev: u64,
    },
    /// Somebody came, went, or is away now; who follows him is told what presence says of him.
    Presence {
        /// Who.
        id: UserId,
    },
    /// Somebody types, or has stopped.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Whether he types.
        active: bool,
    },
}

/// What a node hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusSignal {
    /// A hint of another node.
    Hint(Hint),
    /// Hints may have been lost since the last signal: everybody who depends on them has to look into the store.
    Gap,
}

/// Hints between nodes.
///
/// # Contract
/// - A publisher does not hear its own hints.
/// - A lost connection, an overflow, a restart of the broker: each shows up as [`BusSignal::Gap`] on every
///   subscription that may have missed something.
/// - Publishing does not wait for the other nodes.
#[async_trait]
pub trait Bus: Send + Sync + fmt::Debug {
    /// Tells the other nodes.
    async fn publish(&self, hint: Hint) -> BackendResult<()>;

    /// The next signal for this node; pends for ever on a bus without other nodes.
    async fn next(&self) -> BusSignal;
}

/// A bus inside one process: each handle is a node. With a single handle nothing is ever heard.
#[derive(Debug)]
pub struct LocalBus {
    node: u64,
    sender: broadcast::Sender<(u64, Hint)>,
    receiver: tokio::sync::Mutex<broadcast::Receiver<(u64, Hint)>>,
}

impl LocalBus {
    /// How many hints a slow node may be behind before it hears [`BusSignal::Gap`].
    const BACKLOG: usize = 1024;

    /// A bus with one node.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = broadcast::channel(Self::BACKLOG);
        Self {
            node: 0,
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
        }
    }

    /// One more node on the same bus. `node` must differ from the others'.
    #[must_use]
    pub fn join(&self, node: u64) -> Self {
        Self {
            node,
            sender: self.sender.clone(),
            receiver: tokio::sync::Mutex::new(self.sender.subscribe()),
        }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, hint: Hint) -> BackendResult<()> {
        // No receiver is no error: there are no other nodes then.
        let _heard_by = self.sender.send((self.node, hint));
        Ok(())
    }

    async fn next(&self) -> BusSignal {
        let mut receiver = self.receiver.lock().await;
        loop {
            match receiver.recv().await {
                Ok((node, hint)) if node != self.node => return BusSignal::Hint(hint),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return BusSignal::Gap,
                Err(broadcast::error::RecvError::Closed) => futures::future::pending().await,
            }
        }
    }
}

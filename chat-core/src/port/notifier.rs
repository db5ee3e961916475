use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Device, Seq};

/// A word to devices that nobody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Whose devices.
    pub user_id: UserId,
    /// About which conversation; pushes of one collapse.
    pub conversation_id: ConversationId,
    /// About which message.
    pub message_id: MessageId,
    /// Its seq.
    pub seq: Seq,
    /// Title to show; empty for a push that carries ids only.
    pub title: String,
    /// Text to show, at most 100 characters.
    pub body: String,
    /// The user's exact total of unread messages.
    pub badge: u64,
}

/// What became of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifyReport {
    /// How many devices took it.
    pub sent: usize,
    /// Tokens the provider does not know any more; they are removed.
    pub dead: Vec<String>,
}

/// Carries pushes to a provider.
#[async_trait]
pub trait Notifier: Send + Sync + fmt::Debug {
    /// Sends one push to devices of one user. A failing device does not stop the others.
    async fn notify(&self, devices: &[Device], push: &Push) -> BackendResult<NotifyReport>;
}

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::id::{ConversationId, MessageId, UserId};
use crate::model::{Device, Seq};

/// What a push is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PushKind {
    /// To be shown, with sound.
    Alert,
    /// For the application only: a new message and the badge, without a sound.
    Silent,
    /// For the application only: what it shows of the conversation up to `seq` was read elsewhere.
    Clear,
    /// For the application only: the message was deleted for everyone; what it shows of it has to go.
    Retract,
}

impl PushKind {
    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Silent => "silent",
            Self::Clear => "clear",
            Self::Retract => "retract",
        }
    }
}

/// A word to a device that nobody looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Whose device.
    pub user_id: UserId,
    /// What it is for.
    pub kind: PushKind,
    /// About which conversation. It is the collapse key: of several on one screen the last one stays.
    pub conversation_id: ConversationId,
    /// About which message; absent for [`PushKind::Clear`].
    pub message_id: Option<MessageId>,
    /// The message's seq; of [`PushKind::Clear`] up to which.
    pub seq: Seq,
    /// Title to show; empty for a push that carries ids only.
    pub title: String,
    /// Text to show, at most 100 characters and the sender's name.
    pub body: String,
    /// The user's exact total of unread messages.
    pub badge: u64,
    /// How long the provider may keep it for a device that is off.
    pub life: Duration,
}

/// What became of a push to one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// The provider took it.
    Sent,
    /// The provider does not know the token any more; the device is removed.
    Dead,
    /// It may succeed later.
    Retry {
        /// What happened, for the log: no content, no tokens.
        reason: String,
        /// When the provider wants it at the earliest.
        after: Option<Duration>,
    },
    /// It never will: the push is given up, the device stays.
    Refused {
        /// What happened, for the log: no content, no tokens.
        reason: String,
    },
}

/// Carries pushes to a provider.
///
/// The engine calls it for each device by itself, several at a time, and gives a call up after ten seconds. A panic or
/// a call that takes longer is repeated, like [`Notified::Retry`]. After a crash or a lost answer a push may come a
/// second time, with the same conversation to collapse by.
#[async_trait]
pub trait Notifier: Send + Sync + fmt::Debug {
    /// Sends one push to one device.
    async fn notify(&self, device: &Device, push: &Push) -> Notified;
}

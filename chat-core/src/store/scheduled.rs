use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::{ConversationId, ScheduledId, UserId};
use crate::model::Scheduled;
use crate::time::Timestamp;

/// What became of a new scheduled message.
#[derive(Debug, Clone, PartialEq)]
pub enum AddedScheduled {
    /// It is kept, with its `user_rev`.
    Added(Box<Scheduled>),
    /// There is one with this id already: this one. Nothing was changed.
    Known(Box<Scheduled>),
    /// The owner has as many pending ones as he may have. Nothing was changed.
    TooMany,
    /// A file it names is not an unused upload of the owner. Nothing was changed.
    FileTaken,
}

/// In which state somebody saw a scheduled message whose change depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledStamp {
    /// Its version.
    pub version: u32,
    /// How often it was claimed.
    pub claims: u32,
}

impl Scheduled {
    /// The state it is in, as far as changes of it are concerned.
    #[must_use]
    pub const fn stamp(&self) -> ScheduledStamp {
        ScheduledStamp {
            version: self.version,
            claims: self.claims,
        }
    }
}

/// Place of a scheduled message in its owner's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ScheduledKey {
    /// When it is to be sent.
    pub send_at: Timestamp,
    /// Its id, for equal times.
    pub id: ScheduledId,
}

/// Asks for somebody's scheduled messages that are pending or failed, by `send_at`, then id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledQuery {
    /// Whose.
    pub user: UserId,
    /// Only those to this conversation, or to this other user of it when it is a direct.
    pub to: Option<(ConversationId, Option<UserId>)>,
    /// Those after this place.
    pub after: Option<ScheduledKey>,
    /// At most so many.
    pub limit: usize,
}

/// Messages that are to be sent later.
///
/// Every change that the owner can see moves his `user_rev` by one, in the same step, and stands in the row.
#[async_trait]
pub trait ScheduledStore: Send + Sync + fmt::Debug {
    /// Adds a scheduled message.
    ///
    /// # Contract
    /// - One step, in this order: an existing id is [`Known`](AddedScheduled::Known); `cap` pending ones of the owner
    ///   are [`TooMany`](AddedScheduled::TooMany); the files the message names move from `Pending` to `Reserved`, or it
    ///   is [`FileTaken`](AddedScheduled::FileTaken) when one of them is not a pending upload of the owner.
    /// - Of concurrent calls for one id exactly one adds.
    async fn add_scheduled(&self, new: Scheduled, cap: usize) -> BackendResult<AddedScheduled>;

    /// The one with this id.
    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>>;

    /// A page of somebody's list.
    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>>;

    /// Replaces a scheduled message, if it is as it was `seen`; gives it as it is kept then, with its new `user_rev`,
    /// or `None` when it was changed or claimed since (or is not there), and then nothing is changed.
    ///
    /// # Contract
    /// When it is failed or cancelled now, the files the row named before go back from `Reserved` to `Pending` in the
    /// same step.
    async fn put_scheduled(&self, row: Scheduled, seen: ScheduledStamp) -> BackendResult<Option<Scheduled>>;

    /// Claims pending messages whose time has come and which nobody holds, for `lease` from now; those that are due
    /// longest first, at most `limit`.
    ///
    /// # Contract
    /// - "Now" is the store's clock, for what is due as for what is held: `send_at <= now`, and no claim or
    ///   `claimed_until <= now`.
    /// - Of concurrent callers one gets it. `claims` grows by one, `claimed_until` is set; nothing else changes, and no
    ///   `user_rev` moves.
    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>>;

    /// Gives a claimed message back before its lease is over, if it is as it was `seen`; returns whether it was.
    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool>;

    /// Somebody's scheduled messages whose `user_rev` is above `since`, by `user_rev`, at most `limit`; with `open`
    /// only those that are pending or failed. For sync.
    async fn changed_scheduled(
        &self,
        user: &UserId,
        since: u64,
        open: bool,
        limit: usize,
    ) -> BackendResult<Vec<Scheduled>>;

    /// Forgets at most `limit` scheduled messages that are not pending and have not changed since `before`; returns how
    /// many there were.
    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize>;
}

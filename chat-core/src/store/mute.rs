use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Muted;
use crate::time::Timestamp;

/// A user muted by another for himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMute {
    /// Who is muted.
    pub user: UserId,
    /// Until when.
    pub until: Muted,
}

/// A change of a user's list of muted users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteChange {
    /// Who was muted or unmuted.
    pub user: UserId,
    /// Until when he is muted now; `None`: the mute was lifted. One that has lapsed stands as it was set.
    pub until: Option<Muted>,
}

/// Who wants no pushes of whom. Private to the one who mutes.
#[async_trait]
pub trait MuteStore: Send + Sync + fmt::Debug {
    /// Mutes `muted` for `user` until then, or lifts the mute; returns the user's new `user_rev`, or `None` when it is
    /// set so already.
    ///
    /// # Contract
    /// - Atomic together with `user_rev`; concurrent calls of one user each get a `user_rev` of their own.
    /// - Idempotent. An unknown `user` changes nothing.
    async fn set_mute(
        &self,
        user: &UserId,
        muted: &UserId,
        until: Option<Muted>,
    ) -> BackendResult<Option<u64>>;

    /// Whom `user` mutes at `now`, in order of id, after `after`, at most `limit`.
    async fn muted_users(
        &self,
        user: &UserId,
        now: Timestamp,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserMute>>;

    /// Until when `user` mutes `other`, as it was set.
    async fn mute_of(&self, user: &UserId, other: &UserId) -> BackendResult<Option<Muted>>;

    /// Last change of each entry of the list after that `user_rev`, in its order, for sync.
    async fn mute_changes(&self, user: &UserId, since_user_rev: u64) -> BackendResult<Vec<MuteChange>>;
}

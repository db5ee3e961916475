use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{NewUser, User, UserPatch};
use crate::time::Timestamp;

/// A search for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSearch {
    /// What was typed, folded by [`fold`](crate::text::fold). Matches a substring of the folded name, or the whole
    /// e-mail address or phone number, so addresses cannot be guessed piece by piece.
    pub query: String,
    /// The same text as typed, for the e-mail address (lower-cased by the store's caller) and phone number.
    pub exact: String,
    /// Users after this one, in order of id.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: usize,
}

/// People the engine has met.
///
/// A host that keeps users elsewhere still lets the engine keep this row per user: settings, last seen and
/// `user_rev` live in it. Names can come from the host through [`UserDirectory`](crate::port::UserDirectory).
#[async_trait]
pub trait UserStore: Send + Sync + fmt::Debug {
    /// Returns the user, made from `new` at `now` when the id is unknown, and whether it was made.
    ///
    /// # Contract
    /// - A known user stays as he is.
    /// - Of concurrent calls for one id exactly one makes the user.
    async fn ensure_user(&self, new: NewUser, now: Timestamp) -> BackendResult<(User, bool)>;

    /// Changes a user as [`UserPatch::apply`] says and returns him; `None` when the id is unknown.
    ///
    /// # Contract
    /// - Atomic; fields outside the patch stay.
    /// - When the patch holds `settings`, `user_rev` grows by one.
    /// - In the same step the upload the patch [claims](UserPatch::claims) moves from `Pending` to `Avatar`, and the
    ///   picture it [retires](UserPatch::retires) from `Avatar` to `Deleted`. When the claimed one is not `Pending`,
    ///   nothing changes at all: the user comes back as he is, with another picture than the patch names.
    async fn update_user(&self, id: &UserId, patch: UserPatch) -> BackendResult<Option<User>>;

    /// The known ones among `ids`, in any order.
    async fn users(&self, ids: &[UserId]) -> BackendResult<Vec<User>>;

    /// Users that match, in order of id.
    async fn search_users(&self, search: &UserSearch) -> BackendResult<Vec<User>>;
}

use std::fmt;

use async_trait::async_trait;

use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{Account, AccountSession};
use crate::time::Timestamp;

/// Password accounts and their logins; an optional facet, for hosts without users of their own.
#[async_trait]
pub trait AccountStore: Send + Sync + fmt::Debug {
    /// Adds an account; `false` when its e-mail address or phone number is taken, and then nothing is added.
    async fn add_account(&self, account: Account) -> BackendResult<bool>;

    /// The account with this (lower-case) e-mail address.
    async fn account_by_email(&self, email: &str) -> BackendResult<Option<Account>>;

    /// A user's account.
    async fn account(&self, user: &UserId) -> BackendResult<Option<Account>>;

    /// A user's logins that were not ended, expired ones too, in order of id.
    async fn account_sessions(&self, user: &UserId) -> BackendResult<Vec<AccountSession>>;

    /// Forgets a user's account and his logins; without them it is no error.
    async fn erase_account(&self, user: &UserId) -> BackendResult<()>;

    /// Adds a login and drops the user's expired ones.
    async fn add_account_session(&self, session: AccountSession, now: Timestamp) -> BackendResult<()>;

    /// The login with this id, unless it was ended.
    async fn account_session(&self, id: &str) -> BackendResult<Option<AccountSession>>;

    /// Ends a login; returns whether it stood.
    async fn end_account_session(&self, user: &UserId, id: &str) -> BackendResult<bool>;
}

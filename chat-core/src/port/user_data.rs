use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use crate::error::ChatResult;
use crate::id::UserId;

/// What is kept of users beside the chat's store, such as password accounts or data of the host. The engine asks it
/// when it exports or erases a user.
#[async_trait]
pub trait UserData: Send + Sync + fmt::Debug {
    /// Its name in exports.
    fn name(&self) -> &'static str;

    /// What it keeps of a user, one value for each record; secrets such as password hashes left out.
    ///
    /// # Errors
    /// `unavailable`: the export ends incomplete.
    async fn export(&self, user: &UserId) -> ChatResult<Vec<Value>>;

    /// Forgets a user. Called again when an erasure was cut short, so what is gone already is no error.
    ///
    /// # Errors
    /// `unavailable`: the erasure is tried again.
    async fn erase(&self, user: &UserId) -> ChatResult<()>;
}

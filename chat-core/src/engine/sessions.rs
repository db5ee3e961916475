//! Who may keep a live session.

use super::ChatEngine;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::UserId;
use crate::live::EndReason;
use crate::model::User;
use crate::time::Timestamp;

/// How many users are looked up in one question to the store.
const CHUNK: usize = 500;

impl User {
    /// Refuses who is shut out at `now`.
    ///
    /// # Errors
    /// `not_permitted`: he is suspended, or was erased.
    pub fn check_welcome(&self, now: Timestamp) -> ChatResult<()> {
        if self.erased.is_some() {
            return Err(ChatError::new(ErrorCode::NotPermitted, "this user was erased"));
        }
        if self.is_suspended(now) {
            return Err(ChatError::new(ErrorCode::NotPermitted, "this user is suspended"));
        }
        Ok(())
    }
}

impl ChatEngine {
    /// Ends the sessions of users who are suspended: of those who were suspended on another node, or by the host in the
    /// database.
    pub(super) async fn end_suspended_users(&self) {
        let inner = self.inner();
        for chunk in inner.live.users().chunks(CHUNK) {
            let users = match inner.store.users(chunk).await {
                Ok(users) => users,
                Err(error) => {
                    tracing::warn!(%error, "suspensions could not be checked; the sessions stay");
                    return;
                }
            };
            let at = self.now();
            for user in (users.iter()).filter(|user| user.is_suspended(at) || user.erased.is_some()) {
                inner.live.end_user(&user.id, EndReason::Revoked);
            }
        }
    }

    /// Refuses a user who is suspended by now; the user as he is, when he is known.
    ///
    /// # Errors
    /// `not_permitted`; `unavailable`.
    pub(crate) async fn check_not_suspended(&self, user: &UserId) -> ChatResult<Option<User>> {
        let now = self.inner().store.users(std::slice::from_ref(user)).await?.pop();
        if let Some(user) = &now {
            user.check_welcome(self.now())?;
        }
        Ok(now)
    }
}

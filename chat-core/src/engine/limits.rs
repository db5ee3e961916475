//! Rates, asked for before a command is carried out.

use crate::engine::{Actor, ChatEngine};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::port::{Allowance, RateScope};

impl ChatEngine {
    /// Takes one from the room of `key`.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub async fn take_allowance(&self, scope: RateScope, key: &str) -> ChatResult<()> {
        match self.inner().limiter.take(scope, key).await {
            Allowance::Granted => Ok(()),
            Allowance::Wait(wait) => {
                Err(ChatError::new(ErrorCode::RateLimited, "too many requests").with_retry_after(wait))
            }
        }
    }
}

impl Actor {
    /// Takes one from the user's room for commands; inbound adapters call it once per socket command and per writing
    /// request.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub async fn take_command_allowance(&self) -> ChatResult<()> {
        if self.is_host() {
            return Ok(());
        }
        self.engine()
            .take_allowance(RateScope::Commands, self.user_id().as_str())
            .await
    }

    /// Takes one from the user's room for new conversations.
    ///
    /// # Errors
    /// `rate_limited`, with the time to wait.
    pub(crate) async fn take_create_allowance(&self) -> ChatResult<()> {
        if self.is_host() {
            return Ok(());
        }
        self.engine()
            .take_allowance(RateScope::Creates, self.user_id().as_str())
            .await
    }
}

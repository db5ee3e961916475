use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_core::error::ChatResult;
use chat_core::id::UserId;
use chat_core::port::UserData;
use chat_core::store::AccountStore;
use serde_json::{Value, json};

/// Password accounts as a part of what is kept of users: give it to the engine with
/// [`with_user_data`](chat_core::ChatEngineBuilder::with_user_data), so that exports hold accounts and logins and
/// erasing a user ends them.
pub struct AccountData {
    store: Arc<dyn AccountStore>,
}

impl AccountData {
    /// Accounts in this store.
    #[must_use]
    pub fn new(store: Arc<dyn AccountStore>) -> Self {
        Self { store }
    }
}

impl fmt::Debug for AccountData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountData").finish_non_exhaustive()
    }
}

#[async_trait]
impl UserData for AccountData {
    fn name(&self) -> &'static str {
        "account"
    }

    async fn export(&self, user: &UserId) -> ChatResult<Vec<Value>> {
        let account = self.store.account(user).await?.map(|account| {
            json!({
                "email": account.email,
                "phone": account.phone,
                "created_at": account.created_at,
            })
        });
        // The id of a login is half of its token, and no use to its owner.
        let logins = self.store.account_sessions(user).await?;
        let logins = logins
            .iter()
            .map(|login| json!({ "login_expires_at": login.expires_at }));
        Ok(account.into_iter().chain(logins).collect())
    }

    async fn erase(&self, user: &UserId) -> ChatResult<()> {
        Ok(self.store.erase_account(user).await?)
    }
}

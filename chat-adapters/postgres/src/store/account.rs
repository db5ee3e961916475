use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{Account, AccountSession};
use chat_core::store::AccountStore;
use chat_core::time::Timestamp;

use super::PostgresStore;
use crate::error::Error;
use crate::statement::{Cells, statement};

const ADD: &str = "INSERT INTO chat_accounts (user_id, email, phone, password_hash, created_at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const BY_EMAIL: &str = "SELECT a.user_id, a.email, a.phone, a.password_hash, a.created_at FROM chat_accounts a \
    WHERE a.email = $1";
const BY_USER: &str = "SELECT a.user_id, a.email, a.phone, a.password_hash, a.created_at FROM chat_accounts a \
    WHERE a.user_id = $1";
const SESSIONS: &str = "SELECT s.id, s.user_id, s.expires_at FROM chat_account_sessions s WHERE s.user_id = $1 \
    ORDER BY s.id";
const ERASE: [&str; 2] = [
    "DELETE FROM chat_accounts WHERE user_id = $1",
    "DELETE FROM chat_account_sessions WHERE user_id = $1",
];
const DROP_EXPIRED: &str = "DELETE FROM chat_account_sessions WHERE user_id = $1 AND expires_at <= $2";
const ADD_SESSION: &str = "INSERT INTO chat_account_sessions (id, user_id, expires_at) VALUES ($1, $2, $3) \
    ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at";
const SESSION: &str = "SELECT s.id, s.user_id, s.expires_at FROM chat_account_sessions s WHERE s.id = $1";
const END_SESSION: &str = "DELETE FROM chat_account_sessions WHERE id = $1 AND user_id = $2";

pub(super) fn account(cells: &mut Cells<'_>) -> Result<Account, Error> {
    Ok(Account {
        user_id: cells.user()?,
        email: cells.text()?,
        phone: cells.opt_text()?,
        password_hash: cells.text()?,
        created_at: cells.time()?,
    })
}

pub(super) fn session(cells: &mut Cells<'_>) -> Result<AccountSession, Error> {
    Ok(AccountSession {
        id: cells.text()?,
        user_id: cells.user()?,
        expires_at: cells.time()?,
    })
}

#[async_trait]
impl AccountStore for PostgresStore {
    async fn add_account(&self, account: Account) -> BackendResult<bool> {
        let added = self.database().write(move |transaction| {
            let query = statement(ADD)
                .bind(account.user_id.as_str())
                .bind(account.email.as_str())
                .bind(account.phone.as_deref())
                .bind(account.password_hash.as_str())
                .bind(account.created_at.as_millis());
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
        });
        added.await.map_err(|error| error.into_backend("add_account"))
    }

    async fn account_by_email(&self, email: &str) -> BackendResult<Option<Account>> {
        let found = self.database().find(statement(BY_EMAIL).bind(email), account);
        found
            .await
            .map_err(|error| error.into_backend("account_by_email"))
    }

    async fn account(&self, user: &UserId) -> BackendResult<Option<Account>> {
        let query = statement(BY_USER).bind(user.as_str());
        let found = self.database().find(query, account);
        found.await.map_err(|error| error.into_backend("account"))
    }

    async fn account_sessions(&self, user: &UserId) -> BackendResult<Vec<AccountSession>> {
        let query = statement(SESSIONS).bind(user.as_str());
        let found = self.database().list(query, session);
        found
            .await
            .map_err(|error| error.into_backend("account_sessions"))
    }

    async fn erase_account(&self, user: &UserId) -> BackendResult<()> {
        let user = user.clone();
        let erased = self.database().write(move |transaction| {
            let user = user.clone();
            Box::pin(async move {
                for text in ERASE {
                    transaction.run(statement(text).bind(user.as_str())).await?;
                }
                Ok(())
            })
        });
        erased.await.map_err(|error| error.into_backend("erase_account"))
    }

    async fn add_account_session(&self, session: AccountSession, now: Timestamp) -> BackendResult<()> {
        let added = self.database().write(move |transaction| {
            let expired = statement(DROP_EXPIRED)
                .bind(session.user_id.as_str())
                .bind(now.as_millis());
            let new = statement(ADD_SESSION)
                .bind(session.id.as_str())
                .bind(session.user_id.as_str())
                .bind(session.expires_at.as_millis());
            Box::pin(async move {
                transaction.run(expired).await?;
                transaction.run(new).await?;
                Ok(())
            })
        });
        added
            .await
            .map_err(|error| error.into_backend("add_account_session"))
    }

    async fn account_session(&self, id: &str) -> BackendResult<Option<AccountSession>> {
        let found = self.database().find(statement(SESSION).bind(id), session);
        found.await.map_err(|error| error.into_backend("account_session"))
    }

    async fn end_account_session(&self, user: &UserId, id: &str) -> BackendResult<bool> {
        let (user, id) = (user.clone(), id.to_owned());
        let ended = self.database().write(move |transaction| {
            let query = statement(END_SESSION).bind(id.as_str()).bind(user.as_str());
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
        });
        ended
            .await
            .map_err(|error| error.into_backend("end_account_session"))
    }
}

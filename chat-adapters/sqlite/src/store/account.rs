use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::{Account, AccountSession};
use chat_core::store::AccountStore;
use chat_core::time::Timestamp;

use super::SqliteStore;
use crate::error::Error;
use crate::statement::{Cells, statement};
use crate::transaction::Transaction;

const ADD: &str = "INSERT OR IGNORE INTO chat_accounts (user_id, email, phone, password_hash, created_at) \
    VALUES (?1, ?2, ?3, ?4, ?5)";
const BY_EMAIL: &str = "SELECT a.user_id, a.email, a.phone, a.password_hash, a.created_at FROM chat_accounts a \
    WHERE a.email = ?1";
const BY_USER: &str = "SELECT a.user_id, a.email, a.phone, a.password_hash, a.created_at FROM chat_accounts a \
    WHERE a.user_id = ?1";
const SESSIONS: &str = "SELECT s.id, s.user_id, s.expires_at FROM chat_account_sessions s WHERE s.user_id = ?1 \
    ORDER BY s.id";
const ERASE: [&str; 2] = [
    "DELETE FROM chat_accounts WHERE user_id = ?1",
    "DELETE FROM chat_account_sessions WHERE user_id = ?1",
];
const DROP_EXPIRED: &str = "DELETE FROM chat_account_sessions WHERE user_id = ?1 AND expires_at <= ?2";
const ADD_SESSION: &str = "INSERT OR REPLACE INTO chat_account_sessions (id, user_id, expires_at) \
    VALUES (?1, ?2, ?3)";
const SESSION: &str = "SELECT s.id, s.user_id, s.expires_at FROM chat_account_sessions s WHERE s.id = ?1";
const END_SESSION: &str = "DELETE FROM chat_account_sessions WHERE id = ?1 AND user_id = ?2";

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

/// Adds an account; `false` when its address or number is taken.
pub(super) async fn add_account(transaction: &mut Transaction, account: &Account) -> Result<bool, Error> {
    let query = statement(ADD)
        .bind(account.user_id.as_str())
        .bind(account.email.as_str())
        .bind(account.phone.as_deref())
        .bind(account.password_hash.as_str())
        .bind(account.created_at.as_millis());
    Ok(transaction.run(query).await?.rows_affected() > 0)
}

pub(super) async fn put_session(
    transaction: &mut Transaction,
    session: &AccountSession,
) -> Result<(), Error> {
    let query = statement(ADD_SESSION)
        .bind(session.id.as_str())
        .bind(session.user_id.as_str())
        .bind(session.expires_at.as_millis());
    transaction.run(query).await?;
    Ok(())
}

#[async_trait]
impl AccountStore for SqliteStore {
    async fn add_account(&self, account: Account) -> BackendResult<bool> {
        self.writer()
            .write_step("add_account", move |transaction| {
                Box::pin(async move { add_account(transaction, &account).await })
            })
            .await
    }

    async fn account_by_email(&self, email: &str) -> BackendResult<Option<Account>> {
        let query = statement(BY_EMAIL).bind(email);
        let found = async { self.read().await?.find(query, account).await };
        found
            .await
            .map_err(|error| error.into_backend("account_by_email"))
    }

    async fn account(&self, user: &UserId) -> BackendResult<Option<Account>> {
        let query = statement(BY_USER).bind(user.as_str());
        let found = async { self.read().await?.find(query, account).await };
        found.await.map_err(|error| error.into_backend("account"))
    }

    async fn account_sessions(&self, user: &UserId) -> BackendResult<Vec<AccountSession>> {
        let query = statement(SESSIONS).bind(user.as_str());
        let found = async { self.read().await?.list(query, session).await };
        found
            .await
            .map_err(|error| error.into_backend("account_sessions"))
    }

    async fn erase_account(&self, user: &UserId) -> BackendResult<()> {
        let user = user.clone();
        self.writer()
            .write_step("erase_account", move |transaction| {
                Box::pin(async move {
                    for text in ERASE {
                        transaction.run(statement(text).bind(user.as_str())).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn add_account_session(&self, session: AccountSession, now: Timestamp) -> BackendResult<()> {
        self.writer()
            .write_step("add_account_session", move |transaction| {
                Box::pin(async move {
                    let query = statement(DROP_EXPIRED)
                        .bind(session.user_id.as_str())
                        .bind(now.as_millis());
                    transaction.run(query).await?;
                    put_session(transaction, &session).await
                })
            })
            .await
    }

    async fn account_session(&self, id: &str) -> BackendResult<Option<AccountSession>> {
        let query = statement(SESSION).bind(id);
        let found = async { self.read().await?.find(query, session).await };
        found.await.map_err(|error| error.into_backend("account_session"))
    }

    async fn end_account_session(&self, user: &UserId, id: &str) -> BackendResult<bool> {
        let query = statement(END_SESSION).bind(id).bind(user.as_str());
        self.writer()
            .write_step("end_account_session", move |transaction| {
                Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
            })
            .await
    }
}

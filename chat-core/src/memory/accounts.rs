use async_trait::async_trait;

use super::MemoryStore;
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::{Account, AccountSession};
use crate::store::AccountStore;
use crate::time::Timestamp;

#[async_trait]
impl AccountStore for MemoryStore {
    async fn add_account(&self, account: Account) -> BackendResult<bool> {
        let mut state = self.state();
        let taken = state.accounts.values().any(|other| {
            other.user_id == account.user_id
                || other.email == account.email
                || (other.phone.is_some() && other.phone == account.phone)
        });
        if !taken {
            state.accounts.insert(account.user_id.clone(), account);
        }
        Ok(!taken)
    }

    async fn account_by_email(&self, email: &str) -> BackendResult<Option<Account>> {
        let state = self.state();
        let mut accounts = state.accounts.values();
        Ok(accounts.find(|account| account.email == email).cloned())
    }

    async fn account(&self, user: &UserId) -> BackendResult<Option<Account>> {
        Ok(self.state().accounts.get(user).cloned())
    }

    async fn account_sessions(&self, user: &UserId) -> BackendResult<Vec<AccountSession>> {
        let state = self.state();
        let his = state.sessions.values().filter(|session| session.user_id == *user);
        let mut sessions: Vec<AccountSession> = his.cloned().collect();
        sessions.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(sessions)
    }

    async fn erase_account(&self, user: &UserId) -> BackendResult<()> {
        let mut state = self.state();
        state.accounts.remove(user);
        state.sessions.retain(|_, session| session.user_id != *user);
        Ok(())
    }

    async fn add_account_session(&self, session: AccountSession, now: Timestamp) -> BackendResult<()> {
        let mut state = self.state();
        state
            .sessions
            .retain(|_, old| old.user_id != session.user_id || old.expires_at > now);
        state.sessions.insert(session.id.clone(), session);
        Ok(())
    }

    async fn account_session(&self, id: &str) -> BackendResult<Option<AccountSession>> {
        Ok(self.state().sessions.get(id).cloned())
    }

    async fn end_account_session(&self, user: &UserId, id: &str) -> BackendResult<bool> {
        let mut state = self.state();
        let stands = state
            .sessions
            .get(id)
            .is_some_and(|session| session.user_id == *user);
        if stands {
            state.sessions.remove(id);
        }
        Ok(stands)
    }
}

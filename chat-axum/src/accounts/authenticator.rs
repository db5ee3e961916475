use std::sync::Arc;

use async_trait::async_trait;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::port::{Authenticator, Credentials, Identity};

use super::{Accounts, KID, login_of, session_of};
use crate::jwt::{Jws, invalid};

/// Takes the tokens of [`Accounts`] while their login stands, and leaves other credentials to another authenticator.
#[derive(Debug)]
pub struct AccountAuthenticator {
    accounts: Arc<Accounts>,
    others: Option<Arc<dyn Authenticator>>,
}

impl AccountAuthenticator {
    pub(super) fn new(accounts: Arc<Accounts>, others: Option<Arc<dyn Authenticator>>) -> Self {
        Self { accounts, others }
    }

    async fn own(&self, token: &str) -> ChatResult<Identity> {
        let claims = self.accounts.verifier.verify(token)?;
        let id = claims.jti.clone().ok_or_else(invalid)?;
        let mut identity = claims.into_identity()?;
        let session = self.accounts.store.account_session(&id).await?;
        if session.is_none_or(|session| session.user_id != identity.user.id) {
            return Err(ChatError::new(ErrorCode::TokenInvalid, "the login has ended"));
        }
        identity.login = Some(login_of(&id));
        Ok(identity)
    }
}

#[async_trait]
impl Authenticator for AccountAuthenticator {
    async fn authenticate(&self, credentials: &Credentials) -> ChatResult<Identity> {
        match (&credentials.token, &self.others) {
            // The name decides only who verifies; each has keys of its own.
            (Some(token), _) if Jws::kid(token).as_deref() == Some(KID) => self.own(token).await,
            (_, Some(others)) => others.authenticate(credentials).await,
            (Some(_), None) => Err(invalid()),
            (None, None) => Err(ChatError::new(ErrorCode::Unauthenticated, "no bearer token")),
        }
    }

    async fn login_stands(&self, login: &str) -> ChatResult<bool> {
        match (session_of(login), &self.others) {
            (Some(id), _) => {
                let session = self.accounts.store.account_session(id).await?;
                Ok(session.is_some())
            }
            (None, Some(others)) => others.login_stands(login).await,
            (None, None) => Ok(true),
        }
    }
}

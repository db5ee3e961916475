use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use chat_core::model::Device;
use chat_core::port::{Notified, Notifier, Push};
use chat_outbound::{Client, TlsError, UrlError, checked, client, default_tls};
use hyper::{StatusCode, Uri};
use rustls::ClientConfig;
use tokio::sync::Semaphore;

use crate::ServiceAccount;
use crate::answer::judge;
use crate::message::body;
use crate::request::post;
use crate::token::Tokens;

/// Where FCM is.
const ENDPOINT: &str = "https://fcm.googleapis.com";
/// Calls at a time, unless the host wants otherwise.
const CALLS: usize = 64;

/// Why there can be no pushes through FCM.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FcmError {
    /// The file is not what Google hands out.
    #[error("this is no service account: JSON with project_id, client_email and private_key")]
    Account,
    /// Its key is none.
    #[error(
        "the private_key of the service account cannot be used; it has to be an RSA key in PEM (PKCS #8)"
    )]
    Key,
    /// An address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A [`Notifier`] that sends through Firebase Cloud Messaging.
#[derive(Clone)]
pub struct Fcm {
    account: ServiceAccount,
    endpoint: String,
    token_url: String,
    send: Uri,
    tokens: Arc<Tokens>,
    client: Client,
    calls: Arc<Semaphore>,
}

impl fmt::Debug for Fcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fcm")
            .field("project", &self.account.project)
            .finish_non_exhaustive()
    }
}

impl Fcm {
    /// Sends as this service account, in its project.
    ///
    /// # Errors
    /// [`FcmError`]: the account's `token_uri` cannot be used, or TLS cannot be set up.
    pub fn new(account: ServiceAccount) -> Result<Self, FcmError> {
        let token_url = account.token_url.clone();
        Self::at(account, ENDPOINT.to_owned(), token_url)
    }

    fn at(account: ServiceAccount, endpoint: String, token_url: String) -> Result<Self, FcmError> {
        let base = endpoint.trim_end_matches('/');
        let send = format!("{base}/v1/projects/{}/messages:send", account.project);
        let send = checked(&send, false)?;
        let ask = checked(&token_url, false)?;
        let checks = [&send, &ask].iter().any(|uri| uri.scheme_str() == Some("https"));
        let client = client(&default_tls(checks)?, true);
        Ok(Self {
            tokens: Arc::new(Tokens::new(account.clone(), ask, token_url.clone())),
            account,
            endpoint,
            token_url,
            send,
            client,
            calls: Arc::new(Semaphore::new(CALLS)),
        })
    }

    /// With another server than Google's, such as `http://127.0.0.1:9000`; plain `http` on this machine only.
    ///
    /// # Errors
    /// [`FcmError::Url`].
    pub fn with_endpoint(self, url: &str) -> Result<Self, FcmError> {
        Self::at(self.account, url.to_owned(), self.token_url)
    }

    /// With another place to ask for access tokens than the account's `token_uri`.
    ///
    /// # Errors
    /// [`FcmError::Url`].
    pub fn with_token_url(self, url: &str) -> Result<Self, FcmError> {
        Self::at(self.account, self.endpoint, url.to_owned())
    }

    /// With a TLS configuration of the host's own. Set it last.
    #[must_use]
    pub fn with_tls(mut self, tls: &ClientConfig) -> Self {
        self.client = client(tls, true);
        self
    }

    /// At most so many calls at a time; 64 by default. Set it last.
    #[must_use]
    pub fn with_concurrency(mut self, calls: usize) -> Self {
        self.calls = Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// One call; `None` when its access token was refused.
    async fn call(&self, body: String) -> Option<Notified> {
        let token = match self.tokens.get(&self.client).await {
            Ok(token) => token,
            Err(failure) => {
                return Some(Notified::Retry {
                    reason: failure.reason,
                    after: failure.after,
                });
            }
        };
        match post(&self.client, &self.send, "application/json", Some(&token), body).await {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                self.tokens.forget(&token).await;
                None
            }
            Ok(answer) => Some(judge(&answer)),
            Err(reason) => Some(Notified::Retry {
                reason: reason.to_owned(),
                after: None,
            }),
        }
    }
}

#[async_trait]
impl Notifier for Fcm {
    async fn notify(&self, device: &Device, push: &Push) -> Notified {
        let retry = |reason: &str| Notified::Retry {
            reason: reason.to_owned(),
            after: None,
        };
        let Ok(_call) = self.calls.acquire().await else {
            return retry("it is closed");
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let body = body(device, push, now.as_secs());
        // A token that was good a moment ago may have been withdrawn; a second one that is refused is another matter.
        for _ in 0..2 {
            if let Some(notified) = self.call(body.clone()).await {
                return notified;
            }
        }
        retry("FCM refused the access token")
    }
}

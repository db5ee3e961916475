//! The access token: asked for once, kept, and asked for anew a minute before it ends. Whoever comes meanwhile waits for
//! the one question.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chat_outbound::Client;
use hyper::Uri;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ServiceAccount;
use crate::request::post;

/// So long before its end a token is asked for anew.
const EARLY: Duration = Duration::from_secs(60);
/// How long the question may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// After a failure nobody asks again for so long.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Kept {
    token: Option<(Arc<str>, Instant)>,
    failed: Option<(Failure, Instant)>,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// For the log.
    pub(crate) reason: String,
    /// When the server wants to be asked again.
    pub(crate) after: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    account: ServiceAccount,
    uri: Uri,
    /// The audience of the assertion: the address as it is written.
    audience: String,
    kept: Mutex<Kept>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

impl Tokens {
    pub(crate) fn new(account: ServiceAccount, uri: Uri, audience: String) -> Self {
        Self {
            account,
            uri,
            audience,
            kept: Mutex::default(),
        }
    }

    /// A token that is good for now.
    pub(crate) async fn get(&self, client: &Client) -> Result<Arc<str>, Failure> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        let good = |early: Duration| {
            (kept.token.as_ref())
                .filter(|(_, ends)| now + early < *ends)
                .map(|(token, _)| Arc::clone(token))
        };
        if let Some(token) = good(EARLY) {
            return Ok(token);
        }
        // In its last minute it still serves when a new one is not to be had.
        let last = good(Duration::ZERO);
        if let Some((failure, until)) = &kept.failed
            && now < *until
        {
            return last.ok_or_else(|| failure.clone());
        }
        let asked = tokio::time::timeout(PATIENCE, self.ask(client)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(Failure {
                reason: "the token server did not answer in time".to_owned(),
                after: None,
            })
        });
        match asked {
            Ok(granted) => {
                let token: Arc<str> = granted.access_token.into();
                let ends = Instant::now() + Duration::from_secs(granted.expires_in);
                *kept = Kept {
                    token: Some((Arc::clone(&token), ends)),
                    failed: None,
                };
                Ok(token)
            }
            Err(failure) => {
                let until = Instant::now() + failure.after.unwrap_or(PAUSE).min(Duration::from_secs(600));
                kept.failed = Some((failure.clone(), until));
                last.ok_or(failure)
            }
        }
    }

    /// Forgets a token that was refused.
    pub(crate) async fn forget(&self, token: &str) {
        let mut kept = self.kept.lock().await;
        if kept
            .token
            .as_ref()
            .is_some_and(|(present, _)| **present == *token)
        {
            kept.token = None;
        }
    }

    async fn ask(&self, client: &Client) -> Result<Granted, Failure> {
        let failure = |reason: String| Failure { reason, after: None };
        let assertion = self
            .account
            .assertion(&self.audience, SystemTime::now())
            .map_err(|error| failure(error.to_string()))?;
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let answer = post(client, &self.uri, "application/x-www-form-urlencoded", None, form)
            .await
            .map_err(|reason| failure(format!("the token server: {reason}")))?;
        if !answer.status.is_success() {
            return Err(Failure {
                reason: format!("the token server answered {}", answer.status.as_u16()),
                after: answer.retry_after,
            });
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| failure("the token server's answer is no token".to_owned()))
    }
}

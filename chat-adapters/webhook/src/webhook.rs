use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_core::event::ChatEvent;
use chat_core::port::{Relay, RelayFailure, RelayPolicy};
use chat_core::store::OutboxEntry;
use chat_outbound::{TlsError, UrlError, checked, default_tls};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};
use rustls::ClientConfig;

use crate::WebhookSecret;
use crate::client::Client;

/// Why a webhook cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The URL is none.
    #[error("this is no URL such as https://example.com/events")]
    Url,
    /// A user name or password stands in the URL.
    #[error("a URL with a user name or a password is not taken")]
    Userinfo,
    /// Contents of chats would travel in the clear.
    #[error("plain http goes to this machine only; use https")]
    PlainHttp,
    /// A secret that is none.
    #[error("a secret is whsec_ and the Base64 of 24 to 64 bytes")]
    Secret,
    /// Without a secret nobody could tell whose events they are.
    #[error("at least one secret is needed")]
    NoSecret,
    /// The system has no certificates to trust.
    #[error("the system's root certificates cannot be read")]
    Roots(#[source] std::io::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl From<UrlError> for WebhookError {
    fn from(error: UrlError) -> Self {
        match error {
            UrlError::Userinfo => Self::Userinfo,
            UrlError::PlainHttp => Self::PlainHttp,
            _ => Self::Url,
        }
    }
}

impl From<TlsError> for WebhookError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Roots(error) => Self::Roots(error),
            TlsError::Tls(error) => Self::Tls(error),
            other => Self::Tls(rustls::Error::General(other.to_string())),
        }
    }
}

/// A [`Relay`] that posts each event to one URL, signed.
#[derive(Clone)]
pub struct Webhook {
    uri: Uri,
    secrets: Vec<WebhookSecret>,
    topic: String,
    events: Option<BTreeSet<String>>,
    policy: RelayPolicy,
    client: Client,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a token.
        f.debug_struct("Webhook")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook to this URL. Each secret signs; the newest comes first.
    ///
    /// # Errors
    /// [`WebhookError`]: the URL or the secrets cannot be used, or TLS cannot be set up.
    pub fn new(url: &str, secrets: impl IntoIterator<Item = WebhookSecret>) -> Result<Self, WebhookError> {
        let uri = checked(url, false)?;
        Self::to(uri, secrets.into_iter().collect(), None)
    }

    /// As [`new`](Self::new), also to plain `http` on other machines: everybody on the way reads along.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn allowing_plain_http(
        url: &str,
        secrets: impl IntoIterator<Item = WebhookSecret>,
    ) -> Result<Self, WebhookError> {
        let uri = checked(url, true)?;
        Self::to(uri, secrets.into_iter().collect(), None)
    }

    fn to(
        uri: Uri,
        secrets: Vec<WebhookSecret>,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, WebhookError> {
        if secrets.is_empty() {
            return Err(WebhookError::NoSecret);
        }
        let tls = match tls {
            Some(tls) => tls,
            None => Arc::new(default_tls(uri.scheme_str() == Some("https"))?),
        };
        Ok(Self {
            uri,
            secrets,
            topic: "webhook".to_owned(),
            events: None,
            policy: RelayPolicy::default(),
            client: Client::new(&tls),
        })
    }

    /// With a TLS configuration of the host's own, for a private certificate authority or a client certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<ClientConfig>) -> Self {
        self.client = Client::new(&tls);
        self
    }

    /// With another name in the outbox; a second webhook needs one. Default `webhook`.
    #[must_use]
    pub fn with_topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// Only these events, by their `type`. By default all but `message_hidden` and `inbox_updated`, which concern one
    /// user's own side and come only when they are named.
    #[must_use]
    pub fn with_events(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.events = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How deliveries are made.
    #[must_use]
    pub fn with_policy(mut self, policy: RelayPolicy) -> Self {
        self.policy = policy;
        self
    }

    fn request(&self, entry: &OutboxEntry, timestamp: i64) -> Option<Request<Full<Bytes>>> {
        let id = entry.id.to_string();
        let signatures: Vec<String> = self
            .secrets
            .iter()
            .map(|secret| secret.sign(&id, timestamp, &entry.payload))
            .collect();
        Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("chat-webhook/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures.join(" "))
            .body(Full::from(entry.payload.clone()))
            .ok()
    }
}

#[async_trait]
impl Relay for Webhook {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn policy(&self) -> RelayPolicy {
        self.policy.clone()
    }

    fn wants(&self, event: &ChatEvent) -> bool {
        let (name, private) = match event {
            ChatEvent::MessageHidden { .. } => ("message_hidden", true),
            ChatEvent::MessageExpired { .. } => ("message_expired", false),
            ChatEvent::InboxUpdated { .. } => (event.name(), true),
            _ => (event.name(), false),
        };
        match &self.events {
            Some(names) => names.contains(name),
            None => !private,
        }
    }

    async fn deliver(&self, entry: &OutboxEntry) -> Result<(), RelayFailure> {
        let now = chrono::Utc::now().timestamp();
        match self.request(entry, now) {
            Some(request) => self.client.send(request).await,
            None => Err(RelayFailure::Refused {
                reason: "it makes no request".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_url_nor_secret_is_printed() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let webhook = Webhook::new("http://localhost/?token=hush", [secret]).unwrap();
        let shown = format!("{webhook:?}");
        assert!(!shown.contains("hush") && !shown.contains("MfKQ"), "{shown}");
        assert!(matches!(
            Webhook::new("http://localhost/", []),
            Err(WebhookError::NoSecret)
        ));
    }
}

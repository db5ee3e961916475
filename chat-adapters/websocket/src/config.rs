use std::time::Duration;

use chat_core::origin::OriginPolicy;

/// How the gateway is served. Sizes and counts that clients can see are in
/// [`Limits`](chat_core::config::Limits): the largest frame, connections, waiting events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebSocketConfig {
    /// Where it is mounted. Default `/ws`.
    pub path: String,
    /// Which web pages may connect. Default: only those of this server.
    pub origins: OriginPolicy,
    /// The `auth` frame has to come within. Default 10 s.
    pub auth_timeout: Duration,
    /// How often the server asks whether the client is there. Default 25 s.
    pub ping_interval: Duration,
    /// How long it waits for the answer. Default 20 s.
    pub ping_timeout: Duration,
    /// A client that takes nothing for so long is cut off. Default 20 s.
    pub write_timeout: Duration,
    /// After so many commands in a row that were refused with `rate_limited`, the connection is closed. Default 100.
    pub refusals_before_close: u32,
    /// Connections of one address that are not authenticated yet. Default 100.
    pub unauthenticated_per_address: usize,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            path: "/ws".to_owned(),
            origins: OriginPolicy::default(),
            auth_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
            refusals_before_close: 100,
            unauthenticated_per_address: 100,
        }
    }
}

impl WebSocketConfig {
    /// The defaults, at another path.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Which web pages may connect.
    #[must_use]
    pub fn with_origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// How long the `auth` frame may take.
    #[must_use]
    pub fn with_auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = timeout;
        self
    }

    /// How often the server asks whether the client is there, and how long it waits for the answer.
    #[must_use]
    pub fn with_heartbeat(mut self, interval: Duration, timeout: Duration) -> Self {
        self.ping_interval = interval;
        self.ping_timeout = timeout;
        self
    }

    /// How long a client may take nothing.
    #[must_use]
    pub fn with_write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How many commands in a row may be refused with `rate_limited`.
    #[must_use]
    pub fn with_refusals_before_close(mut self, count: u32) -> Self {
        self.refusals_before_close = count;
        self
    }

    /// How many connections of one address may be waiting to be authenticated.
    #[must_use]
    pub fn with_unauthenticated_per_address(mut self, count: usize) -> Self {
        self.unauthenticated_per_address = count;
        self
    }
}

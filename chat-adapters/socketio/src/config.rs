use std::time::Duration;

use chat_core::origin::OriginPolicy;

/// How the gateway is served. Sizes and counts that clients can see are in
/// [`Limits`](chat_core::config::Limits): the largest frame, connections, waiting events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketIoConfig {
    /// Where it is mounted. Default `/socket.io`.
    pub path: String,
    /// Which web pages may connect. Default: only those of this server.
    pub origins: OriginPolicy,
    /// How often the server asks whether the client is there. Default 25 s.
    pub ping_interval: Duration,
    /// How long it waits for the answer. Default 20 s.
    pub ping_timeout: Duration,
    /// A connection that has not been authenticated so long after its start is closed. Default 5 s.
    pub connect_timeout: Duration,
    /// A client that takes nothing for so long is cut off. Default 20 s.
    pub write_timeout: Duration,
    /// Commands of one connection that wait for the one before; further ones are refused. Default 256.
    pub waiting_commands: usize,
    /// Bytes of such commands. Default 1 MiB.
    pub waiting_command_bytes: usize,
    /// Connections of one address that are not authenticated yet, in either transport. Default 100.
    pub unauthenticated_per_address: usize,
}

impl Default for SocketIoConfig {
    fn default() -> Self {
        Self {
            path: "/socket.io".to_owned(),
            origins: OriginPolicy::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(20),
            waiting_commands: 256,
            waiting_command_bytes: 1024 * 1024,
            unauthenticated_per_address: 100,
        }
    }
}

impl SocketIoConfig {
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

    /// How often the server asks whether the client is there, and how long it waits for the answer.
    #[must_use]
    pub fn with_heartbeat(mut self, interval: Duration, timeout: Duration) -> Self {
        self.ping_interval = interval;
        self.ping_timeout = timeout;
        self
    }

    /// How long a connection may stay without being authenticated.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a client may take nothing.
    #[must_use]
    pub fn with_write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How many commands, and bytes of them, wait for the one before.
    #[must_use]
    pub fn with_waiting_commands(mut self, count: usize, bytes: usize) -> Self {
        self.waiting_commands = count;
        self.waiting_command_bytes = bytes;
        self
    }

    /// How many connections of one address may be waiting to be authenticated.
    #[must_use]
    pub fn with_unauthenticated_per_address(mut self, count: usize) -> Self {
        self.unauthenticated_per_address = count;
        self
    }
}

//! What can be set.

use std::time::Duration;

/// How Redis is used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisConfig {
    /// What all keys and channels begin with; nodes of one chat have the same. Default `chat`.
    pub prefix: String,
    /// How long a session counts as there after its last report. The engine reports every 25 s. Default 60 s.
    pub session_ttl: Duration,
    /// How long a command may take. Default 2 s.
    pub command_timeout: Duration,
    /// How often a node says on the bus that it is there. A subscription on which it does not hear itself for three of
    /// these is made anew. Default 1 s.
    pub pulse: Duration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            prefix: "chat".to_owned(),
            session_ttl: Duration::from_secs(60),
            command_timeout: Duration::from_secs(2),
            pulse: Duration::from_secs(1),
        }
    }
}

impl RedisConfig {
    /// Keys and channels that begin with this.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sessions that count as there for so long after their last report.
    #[must_use]
    pub const fn with_session_ttl(mut self, ttl: Duration) -> Self {
        self.session_ttl = ttl;
        self
    }

    /// Commands that may take so long.
    #[must_use]
    pub const fn with_command_timeout(mut self, timeout: Duration) -> Self {
        self.command_timeout = timeout;
        self
    }

    /// A pulse of this length, at least 10 ms.
    #[must_use]
    pub fn with_pulse(mut self, pulse: Duration) -> Self {
        self.pulse = pulse.max(Duration::from_millis(10));
        self
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }
}

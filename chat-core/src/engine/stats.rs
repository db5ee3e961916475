//! What the engine has done since it was built, for a host's metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::command::ClientCommand;
use crate::engine::{ChatEngine, RelayStats};
use crate::error::ErrorCode;

/// Counts since the engine was built. They only grow, but for `live_sessions` and what waits for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EngineStats {
    /// Sessions that live here now.
    pub live_sessions: u64,
    /// Events that wait in the queues of live sessions now. No queue holds more than
    /// [`outbound_events`](crate::config::Limits::outbound_events).
    pub waiting_events: u64,
    /// Bytes of those. No queue holds more than [`outbound_bytes`](crate::config::Limits::outbound_bytes).
    pub waiting_bytes: u64,
    /// Events put into the queues of live sessions.
    pub events_delivered: u64,
    /// Sessions that were ended because their queue was full.
    pub lagged_sessions: u64,
    /// Changes that were committed.
    pub commits: u64,
    /// Changes that were refused or failed.
    pub failed_commits: u64,
    /// Pushes that the provider took, by device.
    pub pushes_sent: u64,
    /// Calls of the provider that failed and are repeated: its error, no answer in time, or a panic.
    pub pushes_failed: u64,
    /// Devices that were removed because the provider does not know them any more.
    pub push_devices_dead: u64,
    /// Pushes given up because they were tried often enough.
    pub pushes_given_up_attempts: u64,
    /// Pushes given up because the provider refused them for good.
    pub pushes_given_up_refused: u64,
    /// Messages whose pushes were given up because they were too old.
    pub pushes_given_up_too_old: u64,
    /// Calls of hooks that panicked or were given up.
    pub hooks_failed: u64,
    /// Outcomes of commands that hooks were not told because too many were waiting.
    pub command_outcomes_dropped: u64,
    /// What became of the entries of each relay.
    pub relays: Vec<RelayStats>,
    /// Commands of live sessions by name and outcome, those that occurred.
    pub commands: Vec<CommandCount>,
}

/// How often a command ended in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandCount {
    /// Its name on the wire; `unknown` for all that are none.
    pub name: &'static str,
    /// `ok`, or the code it was refused with.
    pub code: &'static str,
    /// How often.
    pub count: u64,
}

const CODES: usize = ErrorCode::ALL.len() + 1;
const COMMANDS: usize = ClientCommand::NAMES.len() + 1;

/// The counters behind it. A fixed table, so that no client can make it grow.
#[derive(Debug)]
pub(crate) struct Counters {
    commits: AtomicU64,
    failed_commits: AtomicU64,
    pushes_sent: AtomicU64,
    pushes_failed: AtomicU64,
    push_devices_dead: AtomicU64,
    pushes_given_up_attempts: AtomicU64,
    pushes_given_up_refused: AtomicU64,
    pushes_given_up_too_old: AtomicU64,
    hooks_failed: AtomicU64,
    command_outcomes_dropped: AtomicU64,
    commands: Vec<AtomicU64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            commits: AtomicU64::new(0),
            failed_commits: AtomicU64::new(0),
            pushes_sent: AtomicU64::new(0),
            pushes_failed: AtomicU64::new(0),
            push_devices_dead: AtomicU64::new(0),
            pushes_given_up_attempts: AtomicU64::new(0),
            pushes_given_up_refused: AtomicU64::new(0),
            pushes_given_up_too_old: AtomicU64::new(0),
            hooks_failed: AtomicU64::new(0),
            command_outcomes_dropped: AtomicU64::new(0),
            commands: (0..COMMANDS * CODES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Counters {
    pub(crate) fn commit(&self, ok: bool) {
        let counter = if ok { &self.commits } else { &self.failed_commits };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_sent(&self) {
        self.pushes_sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_failed(&self) {
        self.pushes_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_device_dead(&self) {
        self.push_devices_dead.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_given_up_attempts(&self) {
        self.pushes_given_up_attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_given_up_refused(&self) {
        self.pushes_given_up_refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn push_given_up_too_old(&self) {
        self.pushes_given_up_too_old.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hook_failed(&self) {
        self.hooks_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn command_outcome_dropped(&self) {
        self.command_outcomes_dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// A command ended; `refusal` is `None` when it was carried out.
    pub(crate) fn command(&self, name: &str, refusal: Option<ErrorCode>) {
        let row = ClientCommand::NAMES
            .iter()
            .position(|known| *known == name)
            .unwrap_or(COMMANDS - 1);
        let column = refusal
            .and_then(|code| ErrorCode::ALL.iter().position(|known| *known == code))
            .map_or(0, |index| index + 1);
        if let Some(counter) = self.commands.get(row * CODES + column) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn commands(&self) -> Vec<CommandCount> {
        self.commands
            .iter()
            .enumerate()
            .map(|(index, counter)| CommandCount {
                name: ClientCommand::NAMES
                    .get(index / CODES)
                    .copied()
                    .unwrap_or("unknown"),
                code: match index % CODES {
                    0 => "ok",
                    column => ErrorCode::ALL
                        .get(column - 1)
                        .map_or("internal", |code| code.as_str()),
                },
                count: counter.load(Ordering::Relaxed),
            })
            .filter(|entry| entry.count > 0)
            .collect()
    }
}

impl ChatEngine {
    /// What this engine has done so far. Cheap; meant to be asked whenever a host's metrics are read.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let inner = self.inner();
        let (events_delivered, lagged_sessions) = inner.live.deliveries();
        let (waiting_events, waiting_bytes) = inner.live.waiting();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        EngineStats {
            live_sessions: count(inner.live.count()),
            waiting_events: count(waiting_events),
            waiting_bytes: count(waiting_bytes),
            events_delivered,
            lagged_sessions,
            commits: inner.counters.commits.load(Ordering::Relaxed),
            failed_commits: inner.counters.failed_commits.load(Ordering::Relaxed),
            pushes_sent: inner.counters.pushes_sent.load(Ordering::Relaxed),
            pushes_failed: inner.counters.pushes_failed.load(Ordering::Relaxed),
            push_devices_dead: inner.counters.push_devices_dead.load(Ordering::Relaxed),
            pushes_given_up_attempts: inner.counters.pushes_given_up_attempts.load(Ordering::Relaxed),
            pushes_given_up_refused: inner.counters.pushes_given_up_refused.load(Ordering::Relaxed),
            pushes_given_up_too_old: inner.counters.pushes_given_up_too_old.load(Ordering::Relaxed),
            hooks_failed: inner.counters.hooks_failed.load(Ordering::Relaxed),
            command_outcomes_dropped: inner.counters.command_outcomes_dropped.load(Ordering::Relaxed),
            relays: inner.relays.stats(),
            commands: inner.counters.commands(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_by_name_and_outcome() {
        let counters = Counters::default();
        counters.command("send_message", None);
        counters.command("send_message", None);
        counters.command("send_message", Some(ErrorCode::EmptyMessage));
        counters.command("no such thing", Some(ErrorCode::InvalidArgument));
        let seen: Vec<_> = counters
            .commands()
            .iter()
            .map(|entry| (entry.name, entry.code, entry.count))
            .collect();
        assert_eq!(
            seen,
            [
                ("send_message", "ok", 2),
                ("send_message", "empty_message", 1),
                ("unknown", "invalid_argument", 1)
            ]
        );
    }
}

//! Numbers for Prometheus, rendered on request; no listener of its own.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat_core::ChatEngine;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::serve::StartError;

const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    started: f64,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn builder() -> Result<PrometheusBuilder, StartError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .map_err(|error| StartError::Metrics(error.to_string()))
}

impl Metrics {
    /// Makes this process record metrics; once per process, inside a Tokio runtime.
    ///
    /// # Errors
    /// Something else records already.
    pub fn install() -> Result<Self, StartError> {
        let handle = builder()?
            .install_recorder()
            .map_err(|error| StartError::Metrics(error.to_string()))?;
        describe();
        let upkeep = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self::of(handle))
    }

    /// Renders but records nothing, for applications that are built more than once in a process.
    ///
    /// # Errors
    /// Never with these buckets.
    pub fn detached() -> Result<Self, StartError> {
        Ok(Self::of(builder()?.build_recorder().handle()))
    }

    fn of(handle: PrometheusHandle) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            handle,
            started: started.as_secs_f64(),
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn render(&self, engine: &ChatEngine) -> String {
        let stats = engine.stats();
        gauge!("process_start_time_seconds").set(self.started);
        gauge!("chat_live_sessions").set(u32::try_from(stats.live_sessions).map_or(f64::MAX, f64::from));
        #[allow(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^53")]
        {
            gauge!("chat_waiting_events").set(stats.waiting_events as f64);
            gauge!("chat_waiting_bytes").set(stats.waiting_bytes as f64);
        }
        counter!("chat_events_delivered_total").absolute(stats.events_delivered);
        counter!("chat_lagged_sessions_total").absolute(stats.lagged_sessions);
        counter!("chat_commits_total", "outcome" => "ok").absolute(stats.commits);
        counter!("chat_commits_total", "outcome" => "failed").absolute(stats.failed_commits);
        counter!("chat_pushes_sent_total").absolute(stats.pushes_sent);
        counter!("chat_pushes_failed_total").absolute(stats.pushes_failed);
        counter!("chat_push_devices_dead_total").absolute(stats.push_devices_dead);
        for (reason, count) in [
            ("attempts", stats.pushes_given_up_attempts),
            ("refused", stats.pushes_given_up_refused),
            ("too_old", stats.pushes_given_up_too_old),
        ] {
            counter!("chat_pushes_given_up_total", "reason" => reason).absolute(count);
        }
        counter!("chat_hooks_failed_total").absolute(stats.hooks_failed);
        counter!("chat_command_outcomes_dropped_total").absolute(stats.command_outcomes_dropped);
        for relay in stats.relays {
            let topic = relay.topic;
            counter!("chat_relay_delivered_total", "topic" => topic.clone()).absolute(relay.delivered);
            counter!("chat_relay_retried_total", "topic" => topic.clone()).absolute(relay.retried);
            counter!("chat_relay_given_up_total", "topic" => topic.clone(), "reason" => "too_old")
                .absolute(relay.given_up_too_old);
            counter!("chat_relay_given_up_total", "topic" => topic.clone(), "reason" => "refused")
                .absolute(relay.given_up_refused);
            gauge!("chat_relay_waiting", "topic" => topic)
                .set(u32::try_from(relay.waiting).map_or(f64::MAX, f64::from));
        }
        for command in stats.commands {
            counter!("chat_commands_total", "command" => command.name, "code" => command.code)
                .absolute(command.count);
        }
        self.handle.render()
    }
}

fn describe() {
    describe_gauge!(
        "process_start_time_seconds",
        "Start of the process, in seconds since 1970"
    );
    describe_gauge!("chat_live_sessions", "Live sessions of this process");
    describe_gauge!(
        "chat_waiting_events",
        "Events that wait in the queues of live sessions"
    );
    describe_gauge!(
        "chat_waiting_bytes",
        Unit::Bytes,
        "Bytes of the events that wait in the queues of live sessions"
    );
    describe_counter!(
        "chat_events_delivered_total",
        "Events put into the queues of live sessions"
    );
    describe_counter!(
        "chat_lagged_sessions_total",
        "Sessions that were ended because their queue was full"
    );
    describe_counter!("chat_commits_total", "Changes that reached the store, by outcome");
    describe_counter!(
        "chat_pushes_sent_total",
        "Pushes that the provider took, by device"
    );
    describe_counter!(
        "chat_pushes_failed_total",
        "Calls of the provider that failed and are repeated"
    );
    describe_counter!(
        "chat_push_devices_dead_total",
        "Devices removed because the provider does not know them any more"
    );
    describe_counter!(
        "chat_pushes_given_up_total",
        "Pushes that were given up, by reason"
    );
    describe_counter!("chat_hooks_failed_total", "Hooks that panicked or were given up");
    describe_counter!(
        "chat_command_outcomes_dropped_total",
        "Outcomes of commands dropped because hooks were too slow"
    );
    describe_counter!(
        "chat_relay_delivered_total",
        "Events carried out of the system, by topic"
    );
    describe_counter!(
        "chat_relay_retried_total",
        "Deliveries that failed and are repeated"
    );
    describe_counter!(
        "chat_relay_given_up_total",
        "Events that were given up, by topic and reason"
    );
    describe_gauge!("chat_relay_waiting", "Events that wait in the outbox, by topic");
    describe_counter!(
        "chat_commands_total",
        "Commands of live sessions, by name and code"
    );
    describe_counter!(
        "chat_http_requests_total",
        "Requests answered, by method, path and status"
    );
    describe_counter!("chat_http_panics_total", "Request handlers that panicked");
    describe_histogram!(
        "chat_http_request_seconds",
        Unit::Seconds,
        "How long requests took, by method and path"
    );
}

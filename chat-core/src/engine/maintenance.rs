//! What has to be done from time to time: ending sessions, heartbeats, forgetting.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;

use super::{ChatEngine, Inner, tail, typing};
use crate::live::EndReason;

/// How often live sessions are reported to presence. Presence that forgets does so after 60 s.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// How often it is looked whose node died.
const SILENT: Duration = Duration::from_secs(5);
/// How often it is looked whether a presence that somebody has set has lapsed.
const LAPSES: Duration = Duration::from_secs(1);
/// How often files that nothing uses are cleared away.
const FILES: Duration = Duration::from_secs(60);

/// How often messages past their retention are purged.
const RETENTION: Duration = Duration::from_secs(60);
/// How often the content of expired messages is cleared away. Nobody sees them meanwhile.
const EXPIRY: Duration = Duration::from_secs(5);

/// How often erasures that were cut short go on.
const ERASURES: Duration = Duration::from_secs(60);
/// How often scheduled messages are looked at that are due.
const DUE: Duration = Duration::from_secs(1);
/// How often scheduled messages are forgotten that were settled long ago.
const SETTLED: Duration = Duration::from_secs(3600);

/// Starts the engine's clockwork; it ends with the engine.
pub(crate) fn start(inner: &Arc<Inner>) {
    typing::start(inner);
    let check = inner.config.limits.token_check.max(Duration::from_millis(100));
    every(inner, check, |engine| async move {
        engine.end_finished_sessions().await
    });
    every(inner, LAPSES, |engine| async move { engine.tell_lapsed().await });
    if inner.tail.is_some() {
        at_once_and_every(inner, tail::LOOK, |engine| async move {
            if let Err(error) = engine.look_for_untold().await {
                tracing::warn!(%error, "it could not be looked for what other nodes did not tell");
            }
        });
    }
    every(inner, HEARTBEAT, |engine| async move { engine.beat().await });
    every(inner, SILENT, |engine| async move { engine.tell_silent().await });
    every(inner, FILES, |engine| async move {
        if let Err(error) = engine.sweep_files().await {
            tracing::warn!(%error, "unused files could not be cleared away");
        }
    });
    every(inner, ERASURES, |engine| async move {
        if let Err(error) = engine.resume_erasures().await {
            tracing::warn!(%error, "unfinished erasures could not be looked for");
        }
    });
    every(inner, RETENTION, |engine| async move {
        if let Err(error) = engine.sweep_retention().await {
            tracing::warn!(%error, "messages past their retention could not be purged");
        }
    });
    every(inner, DUE, |engine| async move {
        if let Err(error) = engine.send_due_messages().await {
            tracing::warn!(%error, "scheduled messages could not be looked at");
        }
    });
    every(inner, SETTLED, |engine| async move {
        if let Err(error) = engine.forget_settled().await {
            tracing::warn!(%error, "old scheduled messages could not be forgotten");
        }
    });
    every(inner, EXPIRY, |engine| async move {
        if let Err(error) = engine.sweep_expired_messages().await {
            tracing::warn!(%error, "expired messages keep their content for now");
        }
    });
}

/// Does something again and again while the engine lives, for the first time after one interval.
fn every<F>(inner: &Arc<Inner>, interval: Duration, work: impl Fn(ChatEngine) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    from(inner, Instant::now() + interval, interval, work);
}

/// Does something again and again while the engine lives.
fn at_once_and_every<F>(
    inner: &Arc<Inner>,
    interval: Duration,
    work: impl Fn(ChatEngine) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send,
{
    from(inner, Instant::now(), interval, work);
}

fn from<F>(
    inner: &Arc<Inner>,
    first: Instant,
    interval: Duration,
    work: impl Fn(ChatEngine) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let weak = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval_at(first, interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(inner) = weak.upgrade() else { return };
            if AssertUnwindSafe(work(ChatEngine { inner }))
                .catch_unwind()
                .await
                .is_err()
            {
                tracing::error!("a recurring task panicked; it goes on with its next round");
            }
        }
    });
}

impl ChatEngine {
    /// Ends sessions whose credential is over, and those whose login was revoked elsewhere.
    async fn end_finished_sessions(&self) {
        let live = &self.inner().live;
        live.end_expired(self.now().before(self.config().limits.token_leeway));
        self.end_suspended_users().await;
        let mut checked: HashMap<String, bool> = HashMap::new();
        for entry in live.entries() {
            let Some(login) = entry.facts().login.clone() else {
                continue;
            };
            let stands = match checked.get(&login) {
                Some(stands) => *stands,
                None => match entry.auth.login_stands(&login).await {
                    Ok(stands) => stands,
                    Err(error) => {
                        tracing::warn!(%error, "a login could not be checked; its sessions stay");
                        true
                    }
                },
            };
            if !stands {
                entry.queue.end(EndReason::Revoked, None);
            }
            checked.insert(login, stands);
        }
    }
}

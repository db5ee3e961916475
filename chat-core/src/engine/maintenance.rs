//! What has to be done from time to time: ending sessions, heartbeats, forgetting.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{ChatEngine, Inner, typing};
use crate::live::EndReason;

/// How often live sessions are reported to presence. Presence that forgets does so after 60 s.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// Starts the engine's clockwork; it ends with the engine.
pub(crate) fn start(inner: &Arc<Inner>) {
    typing::start(inner);
    start_heartbeat(inner);
    let weak = Arc::downgrade(inner);
    let every = inner.config.limits.token_check.max(Duration::from_millis(100));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(inner) = weak.upgrade() else { return };
            ChatEngine { inner }.end_finished_sessions().await;
        }
    });
}

fn start_heartbeat(inner: &Arc<Inner>) {
    let weak = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(HEARTBEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(inner) = weak.upgrade() else { return };
            ChatEngine { inner }.beat().await;
        }
    });
}

impl ChatEngine {
    /// Ends sessions whose credential is over, and those whose login was revoked elsewhere.
    async fn end_finished_sessions(&self) {
        let live = &self.inner().live;
        live.end_expired(self.now().before(self.config().limits.token_leeway));
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

//! What has to be done from time to time: ending sessions, heartbeats, forgetting.

use std::sync::Arc;
use std::time::Duration;

use super::{ChatEngine, Inner, typing};

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
            ChatEngine { inner }.end_expired_sessions();
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
    fn end_expired_sessions(&self) {
        let deadline = self.now().before(self.config().limits.token_leeway);
        let _logins = self.inner().live.end_expired(deadline);
    }
}

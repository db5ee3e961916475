//! One call of the provider, and whether it is to be made.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use super::row::{About, OneDevice, device_key};
use super::{ATTEMPTS, Job};
use crate::access::PushDecision;
use crate::engine::ChatEngine;
use crate::engine::relay::Carried;
use crate::error::{BackendResult, ChatResult};
use crate::id::UserId;
use crate::model::{Device, Message};
use crate::port::{Notified, Notifier, Push, PushKind};
use crate::time::Timestamp;

/// How long the provider may take for one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// A push that is to be sent.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) push: Push,
    pub(super) message: Message,
    /// Not before.
    pub(super) at: Timestamp,
}

/// A call that is to be repeated.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) reason: String,
    pub(super) after: Option<Duration>,
}

/// One call; whatever the notifier does, there is an answer.
pub(super) async fn send(notifier: &dyn Notifier, device: &Device, push: &Push) -> Notified {
    let call = AssertUnwindSafe(notifier.notify(device, push)).catch_unwind();
    let failed = |reason: &str| Notified::Retry {
        reason: reason.to_owned(),
        after: None,
    };
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(notified)) => notified,
        Ok(Err(_panic)) => failed("the notifier panicked"),
        Err(_) => failed("the provider did not answer in time"),
    }
}

impl ChatEngine {
    /// Devices of these users; those that were not refreshed for too long are removed.
    pub(super) async fn live_devices(&self, users: &[UserId]) -> BackendResult<Vec<Device>> {
        let store = &self.inner().store;
        let life = self.config().limits.device_life;
        let (live, stale): (Vec<_>, Vec<_>) = (store.devices(users).await?.into_iter())
            .partition(|device| device.refreshed_at.after(life) > self.now());
        for device in stale {
            store.unregister_device(&device.user_id, &device.token).await?;
        }
        Ok(live)
    }
}

impl Job<'_> {
    /// What a user's devices are told now, if anything.
    pub(super) async fn judge(&self, to: &UserId) -> ChatResult<Option<Judged>> {
        let (engine, row) = (self.engine, self.row);
        let found = engine
            .push_scene(self.conversation, row.message_id, to, true)
            .await?;
        let Some(scene) = found else { return Ok(None) };
        let (scene, kind) = match row.about {
            About::Retracted => {
                let shown = engine.inner().pushes.shown.is_shown(to, &scene.message);
                let scene = scene.before_deletion();
                let retracts = shown.unwrap_or_else(|| scene.decide(engine) == PushDecision::Alert);
                (scene, retracts.then_some(PushKind::Retract))
            }
            About::Mentioned if !scene.message.mentions_user(to) => return Ok(None),
            About::New | About::Mentioned => {
                let kind = match scene.decide(engine) {
                    PushDecision::Alert => Some(PushKind::Alert),
                    PushDecision::Silent => Some(PushKind::Silent),
                    PushDecision::None(_) => None,
                };
                (scene, kind)
            }
        };
        let Some(kind) = kind else { return Ok(None) };
        let at = if kind == PushKind::Alert {
            scene.alert_at(engine, row.at)
        } else {
            row.at
        };
        let badge = engine.as_user(to).badge().await?.unread_messages;
        Ok(Some(Judged {
            push: engine.compose_push(kind, self.conversation, &scene, badge),
            message: scene.message,
            at,
        }))
    }

    /// Calls the provider for one device and does what its answer says; `Err` when the call is to be repeated.
    pub(super) async fn call(&self, device: &Device, judged: &Judged) -> Result<(), Failed> {
        let inner = self.engine.inner();
        let message = judged.message.id;
        if judged.push.kind == PushKind::Alert {
            // Before the call: what is read while it runs has to be cleared, too.
            inner.pushes.shown.alerted(&device.user_id, &judged.message);
        }
        match send(self.notifier.as_ref(), device, &judged.push).await {
            Notified::Sent => inner.counters.push_sent(),
            Notified::Dead => {
                inner.counters.push_device_dead();
                let gone = inner.store.unregister_device(&device.user_id, &device.token);
                if let Err(error) = gone.await {
                    tracing::warn!(%error, "a dead device could not be removed; the next push says so again");
                }
            }
            Notified::Refused { reason } => {
                inner.counters.push_given_up_refused();
                tracing::error!(%message, reason, "the provider refused a push for good");
            }
            Notified::Retry { reason, after } => {
                inner.counters.push_failed();
                tracing::warn!(%message, reason, "a push failed");
                return Err(Failed { reason, after });
            }
        }
        Ok(())
    }

    /// An entry for one device that failed before, or waits behind one that did.
    pub(super) async fn one_device(&self, to: &OneDevice, key: &str) -> Carried {
        let devices = match self.engine.live_devices(std::slice::from_ref(&to.user)).await {
            Ok(devices) => devices,
            Err(error) => return super::again(&error, self.attempts),
        };
        // Gone, or another user's by now.
        let Some(device) = devices.iter().find(|device| device_key(&device.token) == key) else {
            return Carried::Done;
        };
        let tried = to.tried.saturating_add(self.attempts);
        let failed = match self.judge(&to.user).await {
            Ok(None) => return Carried::Done,
            Ok(Some(judged)) => self.call(device, &judged).await,
            Err(error) => Err(Failed {
                reason: error.to_string(),
                after: None,
            }),
        };
        match failed {
            Ok(()) => Carried::Done,
            Err(_) if tried.saturating_add(1) >= ATTEMPTS => {
                self.give_up();
                Carried::Done
            }
            Err(Failed { reason, after }) => Carried::Again { reason, after, tried },
        }
    }

    /// A push to one device was tried often enough.
    pub(super) fn give_up(&self) {
        self.engine.inner().counters.push_given_up_attempts();
        tracing::error!(message = %self.row.message_id, "a push was tried {ATTEMPTS} times and is given up");
    }
}

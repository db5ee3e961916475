//! A provider of pushes that plays a script for each device, and takes everything after it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::ChatEngineBuilder;
use chat_core::command::RegisterDevice;
use chat_core::config::{ChatConfig, Rate};
use chat_core::id::UserId;
use chat_core::model::{Device, Platform, Provider};
use chat_core::port::{Notified, Notifier, Push, PushKind};
use tokio::sync::Notify;

use crate::world::{World, settle};

/// What the provider does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Fail(Option<Duration>),
    Dead,
    Refuse,
    /// Takes it when it is let.
    Wait,
    Panic,
}

#[derive(Debug, Default)]
pub(crate) struct Phones {
    script: Mutex<HashMap<String, Vec<Act>>>,
    /// Every call, by token.
    called: Mutex<Vec<(String, Push)>>,
    /// What was taken, by token.
    taken: Mutex<Vec<(String, Push)>>,
    /// While set, every call fails.
    down: Mutex<bool>,
    go: Notify,
}

#[async_trait]
impl Notifier for Phones {
    async fn notify(&self, device: &Device, push: &Push) -> Notified {
        let call = (device.token.clone(), push.clone());
        self.called.lock().unwrap().push(call.clone());
        let act = self
            .script
            .lock()
            .unwrap()
            .get_mut(&device.token)
            .and_then(Vec::pop);
        let failed = |after| Notified::Retry {
            reason: "503".to_owned(),
            after,
        };
        if *self.down.lock().unwrap() {
            return failed(None);
        }
        match act {
            Some(Act::Fail(after)) => return failed(after),
            Some(Act::Dead) => return Notified::Dead,
            Some(Act::Refuse) => {
                return Notified::Refused {
                    reason: "400".to_owned(),
                };
            }
            Some(Act::Wait) => self.go.notified().await,
            Some(Act::Panic) => panic!("a bug of the host"),
            None => {}
        }
        self.taken.lock().unwrap().push(call);
        Notified::Sent
    }
}

impl Phones {
    pub(crate) fn play(&self, token: &str, acts: &[Act]) {
        let mut acts = acts.to_vec();
        acts.reverse();
        self.script.lock().unwrap().insert(token.to_owned(), acts);
    }

    pub(crate) fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    /// Lets calls that wait go on, one after the other, until none is left.
    pub(crate) async fn let_go(&self) {
        for _ in 0..5 {
            self.go.notify_one();
            settle().await;
        }
    }

    /// What was taken since the last question, of all devices.
    pub(crate) fn taken(&self) -> Vec<Push> {
        let taken = std::mem::take(&mut *self.taken.lock().unwrap());
        taken.into_iter().map(|(_, push)| push).collect()
    }

    /// Texts of the alerts that one device took so far.
    pub(crate) fn bodies(&self, token: &str) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let his = taken
            .iter()
            .filter(|(to, push)| to == token && push.kind == PushKind::Alert);
        his.map(|(_, push)| push.body.clone()).collect()
    }

    /// What the device was told, by kind and seq.
    pub(crate) fn told(&self, token: &str) -> Vec<(&'static str, u64)> {
        let taken = self.taken.lock().unwrap();
        let his = taken.iter().filter(|(to, _)| to == token);
        his.map(|(_, push)| (push.kind.as_str(), push.seq)).collect()
    }

    /// How often the provider was called for a device.
    pub(crate) fn calls(&self, token: &str) -> usize {
        self.called
            .lock()
            .unwrap()
            .iter()
            .filter(|(to, _)| to == token)
            .count()
    }
}

pub(crate) fn world() -> (World, Arc<Phones>) {
    world_with(|_| {})
}

pub(crate) fn world_with(edit: impl FnOnce(&mut ChatConfig)) -> (World, Arc<Phones>) {
    let phones = Arc::new(Phones::default());
    let config = |config: &mut ChatConfig| {
        config.limits.commands = Rate::new(1_000_000, 1_000);
        edit(config);
    };
    (World::wired(config, with(&phones)), phones)
}

/// Wires the provider.
pub(crate) fn with(phones: &Arc<Phones>) -> impl FnOnce(ChatEngineBuilder) -> ChatEngineBuilder + use<> {
    let notifier = Arc::clone(phones) as Arc<dyn Notifier>;
    move |builder| builder.with_notifier(notifier)
}

pub(crate) async fn register(world: &World, user: &UserId, token: &str) {
    let device = RegisterDevice {
        token: token.to_owned(),
        platform: Platform::Android,
        provider: Provider::Fcm,
    };
    world.on(user).register_device(device).await.unwrap();
}

/// Lets both clocks go on, in small steps, so that what falls due is worked off on the way.
pub(crate) async fn later(world: &World, by: Duration) {
    const STEPS: u32 = 4;
    for _ in 0..STEPS {
        world.clock.advance(by / STEPS);
        // The worker looks for what is due once a second.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

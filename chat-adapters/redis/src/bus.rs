//! Hints over publish and subscribe.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::{BackendError, BackendErrorKind, BackendResult};
use chat_core::port::{Bus, BusSignal, Hint};
use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use crate::config::RedisConfig;
use crate::error::{OpenError, unavailable};
use crate::wire::{Said, What};

/// Hints that this node has heard and not yet followed; beyond them it hears of a gap.
const HEARD: usize = 4_096;
/// Between two attempts to subscribe.
const AGAIN: Duration = Duration::from_millis(500);
/// Pulses without hearing oneself until a subscription counts as broken.
const MISSED_PULSES: u32 = 3;

/// A [`Bus`] over a channel in Redis.
///
/// A connection that breaks is made anew, for ever, and each time [`BusSignal::Gap`] is told, since what was said
/// meanwhile is lost. A subscription that looks whole and delivers nothing (a server that hangs, a connection half open)
/// is found out by the pulse: each node says now and then that it is there, and expects to hear that itself.
pub struct RedisBus {
    node: Uuid,
    channel: String,
    publisher: ConnectionManager,
    /// Something could not be said, and the others do not know that yet.
    owes_gap: Arc<AtomicBool>,
    heard: Mutex<mpsc::Receiver<BusSignal>>,
    tasks: [JoinHandle<()>; 2],
}

impl RedisBus {
    /// A node on the bus of the server that this URL names (`redis://[user:password@]host:port[/db]`). The server need
    /// not be there yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError::Url`].
    pub fn new(url: &str, config: &RedisConfig) -> Result<Self, OpenError> {
        let client = Client::open(url).map_err(OpenError::Url)?;
        let publisher = connection(&client, config)?;
        let node = Uuid::new_v4();
        let channel = config.key("hints");
        let owes_gap = Arc::new(AtomicBool::new(false));
        let (signals, heard) = mpsc::channel(HEARD);
        let ear = Ear {
            client,
            node,
            channel: channel.clone(),
            silence: config.pulse * MISSED_PULSES,
            connect: config.command_timeout,
            signals,
            missed: false,
        };
        let pulse = Pulse {
            node,
            channel: channel.clone(),
            publisher: publisher.clone(),
            every: config.pulse,
            owes_gap: Arc::clone(&owes_gap),
        };
        Ok(Self {
            node,
            channel,
            publisher,
            owes_gap,
            heard: Mutex::new(heard),
            tasks: [tokio::spawn(ear.listen()), tokio::spawn(pulse.beat())],
        })
    }
}

/// A connection that comes back by itself, and does not wait for a server that is away.
pub(crate) fn connection(client: &Client, config: &RedisConfig) -> Result<ConnectionManager, OpenError> {
    let settings = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_max_delay(AGAIN)
        .set_connection_timeout(Some(config.command_timeout))
        .set_response_timeout(Some(config.command_timeout));
    ConnectionManager::new_lazy_with_config(client.clone(), settings).map_err(OpenError::Url)
}

async fn say(publisher: &ConnectionManager, channel: &str, said: &Said) -> BackendResult<()> {
    let bytes = said
        .to_bytes()
        .map_err(|error| BackendError::new(BackendErrorKind::Other, "redis", "publish").with_source(error))?;
    let mut publisher = publisher.clone();
    let told: RedisResult<()> = redis::cmd("PUBLISH")
        .arg(channel)
        .arg(bytes)
        .query_async(&mut publisher)
        .await;
    told.map_err(|error| unavailable(error, "publish"))
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, hint: Hint) -> BackendResult<()> {
        let said = Said {
            node: self.node,
            what: What::Hint(hint),
        };
        let told = say(&self.publisher, &self.channel, &said).await;
        if told.is_err() {
            self.owes_gap.store(true, Ordering::Release);
        }
        told
    }

    async fn next(&self) -> BusSignal {
        match self.heard.lock().await.recv().await {
            Some(signal) => signal,
            // The listener ends with this handle only.
            None => std::future::pending().await,
        }
    }
}

/// Says again and again that the node is there, and, once it can, that it could not say something.
struct Pulse {
    node: Uuid,
    channel: String,
    publisher: ConnectionManager,
    every: Duration,
    owes_gap: Arc<AtomicBool>,
}

impl Pulse {
    async fn beat(self) {
        loop {
            let owed = self.owes_gap.swap(false, Ordering::AcqRel);
            let what = if owed { What::Gap } else { What::Pulse };
            let said = Said {
                node: self.node,
                what,
            };
            if let Err(error) = say(&self.publisher, &self.channel, &said).await {
                tracing::debug!(%error, "the other nodes cannot be reached just now");
                if owed {
                    self.owes_gap.store(true, Ordering::Release);
                }
            }
            sleep(self.every).await;
        }
    }
}

/// Listens to the channel, for ever.
struct Ear {
    client: Client,
    node: Uuid,
    channel: String,
    /// How long it may be silent.
    silence: Duration,
    /// How long making a subscription may take.
    connect: Duration,
    signals: mpsc::Sender<BusSignal>,
    /// Something was heard for which there was no room.
    missed: bool,
}

impl Ear {
    async fn listen(mut self) {
        loop {
            match timeout(self.connect, self.subscribe()).await {
                Ok(Ok(mut subscription)) => {
                    // What was said before is lost.
                    self.tell(BusSignal::Gap);
                    self.follow(&mut subscription).await;
                    tracing::warn!("the subscription to the other nodes' hints broke; it is made anew");
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, "there is no subscription to the other nodes' hints")
                }
                Err(_) => tracing::debug!(
                    "Redis does not answer; there is no subscription to the other nodes' hints"
                ),
            }
            sleep(AGAIN).await;
        }
    }

    async fn subscribe(&self) -> RedisResult<redis::aio::PubSubStream> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(&self.channel).await?;
        Ok(subscription.into_on_message())
    }

    /// Until the subscription ends, or this node does not hear itself any more.
    async fn follow(&mut self, subscription: &mut redis::aio::PubSubStream) {
        let mut quiet_until = Instant::now() + self.silence;
        loop {
            let Ok(Some(message)) = timeout_at(quiet_until, subscription.next()).await else {
                return;
            };
            let Some(said) = Said::from_bytes(message.get_payload_bytes()) else {
                tracing::debug!("something on the channel of hints is none");
                continue;
            };
            if said.node == self.node {
                quiet_until = Instant::now() + self.silence;
                continue;
            }
            match said.what {
                What::Hint(hint) => self.tell(BusSignal::Hint(hint)),
                What::Gap => self.tell(BusSignal::Gap),
                What::Pulse if self.missed => self.tell(BusSignal::Gap),
                What::Pulse => {}
            }
        }
    }

    /// Never waits: a node that follows too slowly hears of a gap once it has caught up.
    fn tell(&mut self, signal: BusSignal) {
        let signal = if self.missed { BusSignal::Gap } else { signal };
        self.missed = self.signals.try_send(signal).is_err();
    }
}

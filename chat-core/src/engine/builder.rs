use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::audience::Rosters;
use super::cluster::Alive;
use super::commit::Committer;
use super::dispatch::Dispatcher;
use super::outcomes::Outcomes;
use super::pairs::PairCache;
use super::push::Pushes;
use super::relay::Relays;
use super::stats::Counters;
use super::typists::Typists;
use super::{ChatEngine, Inner};
use crate::config::ChatConfig;
use crate::id::{IdGenerator, SystemIds};
use crate::live::LiveSessions;
use crate::port::{
    Bus, CustomContentValidator, Hook, LocalPresence, LocalRateLimiter, MediaStore, Notifier, Presence,
    PushWords, RateLimiter, Relay, StoreDirectory, Transport, UserData, UserDirectory,
};
use crate::seal::Sealer;
use crate::store::Store;
use crate::time::{Clock, SystemClock};

/// Wires an engine. Only the store is required; everything else has a default that needs nothing installed.
pub struct ChatEngineBuilder {
    store: Arc<dyn Store>,
    config: ChatConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    media: Option<Arc<dyn MediaStore>>,
    directory: Arc<dyn UserDirectory>,
    presence: Arc<dyn Presence>,
    limiter: Option<Arc<dyn RateLimiter>>,
    notifier: Option<Arc<dyn Notifier>>,
    push_words: Option<Arc<dyn PushWords>>,
    bus: Option<Arc<dyn Bus>>,
    hooks: Vec<Arc<dyn Hook>>,
    relays: Vec<Arc<dyn Relay>>,
    user_data: Vec<Arc<dyn UserData>>,
    custom: Option<Arc<dyn CustomContentValidator>>,
    transports: Vec<Arc<dyn Transport>>,
    secret: Option<Vec<u8>>,
    media_url: String,
}

impl ChatEngineBuilder {
    /// An engine on this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            config: ChatConfig::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            media: None,
            directory: StoreDirectory::shared(),
            presence: Arc::new(LocalPresence::default()),
            limiter: None,
            notifier: None,
            push_words: None,
            bus: None,
            hooks: Vec::new(),
            relays: Vec::new(),
            user_data: Vec::new(),
            custom: None,
            transports: Vec::new(),
            secret: None,
            media_url: "/api/attachments".to_owned(),
        }
    }

    /// Limits and policies.
    #[must_use]
    pub fn with_config(mut self, config: ChatConfig) -> Self {
        self.config = config;
        self
    }

    /// Where the time comes from. Give the store the same clock when it takes one.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where ids come from.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }

    /// Where bytes of uploads are kept. Without it uploads are refused.
    #[must_use]
    pub fn with_media(mut self, media: Arc<dyn MediaStore>) -> Self {
        self.media = Some(media);
        self
    }

    /// Where attachments are served, for the `url` of attachment objects: the mounted API's `/attachments`.
    #[must_use]
    pub fn with_media_url(mut self, base: impl Into<String>) -> Self {
        self.media_url = base.into();
        self
    }

    /// The host's own users.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<dyn UserDirectory>) -> Self {
        self.directory = directory;
        self
    }

    /// Presence over several nodes.
    #[must_use]
    pub fn with_presence(mut self, presence: Arc<dyn Presence>) -> Self {
        self.presence = presence;
        self
    }

    /// Rate limits over several nodes.
    #[must_use]
    pub fn with_rate_limiter(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// The way to other nodes on the same store. Without it there are none. Sessions of other nodes are told to sync
    /// when something changes here (`lagged`), and the other way round. What a node did not tell, because it died or
    /// the bus lost it, the others find in the store within 5 s.
    #[must_use]
    pub fn with_bus(mut self, bus: Arc<dyn Bus>) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Who carries pushes to devices. Without it there are none.
    #[must_use]
    pub fn with_notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// The host's own words for alerts. Without it they are in English: the sender, the group, the text.
    #[must_use]
    pub fn with_push_words(mut self, words: Arc<dyn PushWords>) -> Self {
        self.push_words = Some(words);
        self
    }

    /// One more hook; they run in the order they were added.
    #[must_use]
    pub fn with_hook(mut self, hook: Arc<dyn Hook>) -> Self {
        self.hooks.push(hook);
        self
    }

    /// The judge of `custom` content. Without it every content of that kind is taken.
    #[must_use]
    pub fn with_custom_validator(mut self, validator: Arc<dyn CustomContentValidator>) -> Self {
        self.custom = Some(validator);
        self
    }

    /// One more way out of the system for events, at least once and in order per conversation: the outbox. Events from
    /// before it was added are not told.
    #[must_use]
    pub fn with_relay(mut self, relay: Arc<dyn Relay>) -> Self {
        self.relays.push(relay);
        self
    }

    /// One more place where something of users is kept; asked when a user is exported or erased.
    #[must_use]
    pub fn with_user_data(mut self, part: Arc<dyn UserData>) -> Self {
        self.user_data.push(part);
        self
    }

    /// One more transport beside the live sessions of this process.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transports.push(transport);
        self
    }

    /// The key of cursors and sync tokens; the same on all nodes and over restarts, or tokens of before are refused.
    /// Without it a random one is made.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Starts the engine's own tasks and hands it out. Must be called inside a Tokio runtime.
    #[must_use]
    pub fn build(self) -> ChatEngine {
        let live = Arc::new(LiveSessions::default());
        let mut transports: Vec<Arc<dyn Transport>> = vec![Arc::clone(&live) as Arc<dyn Transport>];
        transports.extend(self.transports);
        let limiter = self
            .limiter
            .unwrap_or_else(|| Arc::new(LocalRateLimiter::new(&self.config.limits)) as Arc<dyn RateLimiter>);
        let secret = self.secret.unwrap_or_else(|| {
            [
                uuid::Uuid::new_v4().into_bytes(),
                uuid::Uuid::new_v4().into_bytes(),
            ]
            .concat()
        });
        let (committer, commits) = Committer::new(self.config.limits.queued_sends);
        let (dispatcher, lanes) = Dispatcher::new();
        let (doubts, doubtful) = super::doubt::Doubts::new();
        let (outcomes, outcome_lanes) = Outcomes::new();
        let counters = Arc::new(Counters::default());
        let pushes = Pushes::new(self.notifier, self.push_words);
        let (alive, listening) = Alive::new();
        let (events, _) = broadcast::channel(4096);
        let inner = Arc::new(Inner {
            config: self.config,
            clock: self.clock,
            ids: self.ids,
            store: self.store,
            media: self.media,
            directory: self.directory,
            presence: self.presence,
            limiter,
            hooks: self.hooks,
            user_data: self.user_data,
            outcomes,
            custom: self.custom,
            live,
            transports,
            sealer: Sealer::new(&secret),
            media_url: self.media_url,
            in_flight: Arc::default(),
            pairs: PairCache::default(),
            rosters: Rosters::default(),
            typing: Typists::default(),
            lapses: super::status::Lapses::default(),
            committer,
            dispatcher,
            doubts,
            tail: self.bus.as_ref().map(|_| super::tail::Tail::default()),
            hints: self.bus.clone().map(super::hints::Hints::start),
            _alive: alive,
            events,
            relays: Arc::new(Relays::new(self.relays, pushes.has_notifier())),
            pushes,
            counters,
        });
        commits.start(&inner);
        lanes.start(&inner);
        doubtful.start(&inner);
        outcome_lanes.start(&inner);
        inner.relays.start(&inner);
        if let Some(bus) = self.bus {
            super::cluster::start(&inner, bus, listening);
        }
        super::maintenance::start(&inner);
        ChatEngine { inner }
    }
}

impl fmt::Debug for ChatEngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatEngineBuilder")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl ChatEngine {
    /// Starts to wire an engine on a store.
    #[must_use]
    pub fn builder(store: Arc<dyn Store>) -> ChatEngineBuilder {
        ChatEngineBuilder::new(store)
    }
}

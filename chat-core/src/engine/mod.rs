//! The engine: commands in, committed changes and events out.
//!
//! ```text
//! REST route   ─┐                                                     ┌─> Transport   live connections
//! socket event ─┴─> payload ─> Actor method ─> Store::commit ─> event ┤
//!                                 rules decide inside the commit      └─> Hook, events()   the host
//! ```

mod actor;
mod attachments;
mod audience;
mod audit;
mod avatar;
mod blocking;
mod builder;
mod capabilities;
mod changeset;
mod cluster;
pub(crate) mod commit;
mod committed;
mod content;
mod conversations;
mod deletion;
mod delta;
mod devices;
mod directs;
mod dispatch;
mod doubt;
mod drain;
mod due;
mod editing;
mod edits;
mod erasure;
mod expiry;
pub mod explain;
mod export;
mod files;
mod forwarding;
mod groups;
mod hints;
mod history;
mod hooks;
mod inbox;
mod keeping;
mod leaving;
mod limits;
mod maintenance;
mod marks;
mod meetings;
mod member_mutes;
mod members;
mod mentions;
mod moderation;
mod muting;
mod occasion;
mod outcomes;
mod paging;
mod pairs;
mod pins;
mod presence;
mod profile;
mod push;
mod reactions;
mod receipts;
mod relay;
mod render;
mod reports;
mod retention;
mod scheduling;
mod search;
mod sending;
mod sessions;
mod settings;
mod stars;
mod stats;
mod status;
mod subject;
mod sync;
mod tail;
mod typing;
mod typists;
mod validate;

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;

pub use actor::Actor;
pub use attachments::{NewUpload, Upload};
pub use builder::ChatEngineBuilder;
pub(crate) use commit::Decision;
pub use dispatch::EventItem;
pub use relay::RelayStats;
pub use stats::{CommandCount, EngineStats};

use crate::config::ChatConfig;
use crate::id::IdGenerator;
use crate::live::LiveSessions;
use crate::port::{
    CustomContentValidator, Hook, MediaStore, Presence, RateLimiter, Transport, UserData, UserDirectory,
};
use crate::seal::Sealer;
use crate::store::Store;
use crate::time::{Clock, Timestamp};

/// The chat engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct ChatEngine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: ChatConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) media: Option<Arc<dyn MediaStore>>,
    pub(crate) directory: Arc<dyn UserDirectory>,
    pub(crate) presence: Arc<dyn Presence>,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) user_data: Vec<Arc<dyn UserData>>,
    pub(crate) outcomes: outcomes::Outcomes,
    pub(crate) custom: Option<Arc<dyn CustomContentValidator>>,
    pub(crate) live: Arc<LiveSessions>,
    pub(crate) transports: Vec<Arc<dyn Transport>>,
    pub(crate) sealer: Sealer,
    pub(crate) media_url: String,
    pub(crate) in_flight: Arc<drain::InFlight>,
    pub(crate) pairs: pairs::PairCache,
    pub(crate) rosters: audience::Rosters,
    pub(crate) typing: typists::Typists,
    pub(crate) lapses: status::Lapses,
    pub(crate) committer: commit::Committer,
    pub(crate) dispatcher: dispatch::Dispatcher,
    pub(crate) doubts: doubt::Doubts,
    /// Hints to other nodes, where there are any.
    pub(crate) hints: Option<hints::Hints>,
    /// What they may not tell.
    pub(crate) tail: Option<tail::Tail>,
    pub(crate) _alive: cluster::Alive,
    pub(crate) pushes: push::Pushes,
    pub(crate) events: broadcast::Sender<EventItem>,
    pub(crate) relays: Arc<relay::Relays>,
    pub(crate) counters: Arc<stats::Counters>,
}

impl ChatEngine {
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &ChatConfig {
        &self.inner.config
    }

    /// Live connections of this process, for gateways.
    #[must_use]
    pub fn live(&self) -> &Arc<LiveSessions> {
        &self.inner.live
    }

    /// The store behind the engine.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

impl fmt::Debug for ChatEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatEngine")
            .field("store", &self.inner.store)
            .finish_non_exhaustive()
    }
}

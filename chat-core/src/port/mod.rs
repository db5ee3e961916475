//! The ports beside the store: everything the engine asks of the world, each small enough to implement in an evening.

mod auth;
mod bus;
mod custom;
mod directory;
mod hooks;
mod log_notifier;
mod media;
mod notifier;
mod presence;
mod push_words;
mod rate;
mod relay;
mod transport;
mod user_data;

pub use auth::{Authenticator, Credentials, Identity};
pub use bus::{Bus, BusSignal, Hint, LocalBus};
pub use custom::{CustomContentValidator, CustomTypes};
pub(crate) use directory::known_users;
pub use directory::{StoreDirectory, UserDirectory};
pub use hooks::{CommandContext, Draft, EditDraft, Hook, Rejection, Via};
pub use log_notifier::LogNotifier;
pub use media::{MediaStore, MediaStream};
pub use notifier::{Notified, Notifier, Push, PushKind};
pub use presence::{Edge, Lapsed, LocalPresence, Presence};
pub use push_words::{PushAbout, PushText, PushWords};
pub use rate::{Allowance, LocalRateLimiter, RateLimiter, RateScope};
pub use relay::{Relay, RelayFailure, RelayPolicy};
pub use transport::{Delivery, Recipient, Transport, WireEvent};
pub use user_data::UserData;

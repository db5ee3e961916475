//! The whole chat engine in one program, wired by environment variables.
//!
//! Run with `cargo run -p chat-server`, then open <http://127.0.0.1:3000>.
//!
//! [`Settings`] is what the environment says, [`Wired`] the engine with its adapters, [`app`] the routes, and
//! [`serve`] the listener with its graceful stop. Tests use the same parts. [`upkeep`] works on a store while no server
//! does.

mod config;
mod cors;
mod health;
mod metrics;
mod pushes;
mod secret;
mod serve;
mod shutdown;
mod storage;
mod upkeep;
mod web;
mod wire;

pub use config::{CommandLine, Environment, SettingError, Settings, StoreSetting, Task};
pub use metrics::Metrics;
pub use pushes::Pushing;
pub use serve::{StartError, serve};
pub use shutdown::stop_signal;
pub use upkeep::upkeep;
pub use wire::{Wired, app};

#![doc = include_str!("../README.md")]

mod bus;
mod config;
mod error;
mod presence;
mod wire;

pub use bus::RedisBus;
pub use config::RedisConfig;
pub use error::OpenError;
pub use presence::RedisPresence;

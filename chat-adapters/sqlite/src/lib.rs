#![doc = include_str!("../README.md")]

mod config;
mod connect;
mod error;
mod names;
mod schema;
mod statement;
mod store;
mod transaction;
mod writer;

pub use config::SqliteConfig;
pub use error::OpenError;
pub use store::{SqliteStats, SqliteStore};

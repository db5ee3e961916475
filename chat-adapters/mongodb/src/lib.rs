#![doc = include_str!("../README.md")]

mod codec;
mod collection;
mod config;
mod database;
mod error;
mod names;
mod plan;
mod row;
mod schema;
mod slot;
mod store;
mod writer;

pub use config::MongoConfig;
pub use error::OpenError;
pub use store::{MongoStats, MongoStore};

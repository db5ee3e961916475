#![doc = include_str!("../README.md")]

mod config;
mod error;
mod names;
mod schema;
mod schema_name;
mod session;
mod statement;
mod store;
mod transaction;

pub use config::PostgresConfig;
pub use error::OpenError;
pub use schema::schema_sql;
pub use schema_name::SchemaName;
pub use store::{PostgresStats, PostgresStore};

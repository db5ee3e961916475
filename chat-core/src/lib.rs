//! placeholder
pub mod access;
pub mod config;
pub mod error;
pub mod id;
#[cfg(feature = "memory")]
pub mod memory;
pub mod model;
pub mod store;
pub mod text;
pub mod time;

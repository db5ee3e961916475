//! placeholder
pub mod access;
pub mod command;
pub mod config;
pub mod decode;
pub mod engine;
pub mod error;
pub mod event;
pub mod id;
pub mod live;
#[cfg(feature = "memory")]
pub mod memory;
pub mod model;
pub mod origin;
pub mod port;
mod seal;
pub mod store;
pub mod text;
pub mod time;
pub mod view;

pub use engine::{Actor, ChatEngine, ChatEngineBuilder};

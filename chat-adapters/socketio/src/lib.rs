#![doc = include_str!("../README.md")]

mod auth;
mod chat;
mod commands;
mod config;
mod error;
mod gateway;
#[doc(hidden)]
pub mod protocol;

pub use config::SocketIoConfig;
pub use gateway::SocketIoGateway;

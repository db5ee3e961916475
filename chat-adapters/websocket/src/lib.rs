#![doc = include_str!("../README.md")]

mod close;
mod config;
mod connection;
mod error;
mod frame;
mod gateway;
mod origin;
mod writer;

pub use config::WebSocketConfig;
pub use gateway::WebSocketGateway;

#![doc = include_str!("../README.md")]

mod close;
mod config;
mod connection;
mod frame;
mod gateway;
mod writer;

pub use config::WebSocketConfig;
pub use gateway::WebSocketGateway;

#![doc = include_str!("../README.md")]

mod auth;
mod commands;
mod config;
mod connection;
mod error;
mod gateway;
mod handler;
mod packet;
mod pump;
mod upgrade;

pub use config::SocketIoConfig;
pub use gateway::SocketIoGateway;

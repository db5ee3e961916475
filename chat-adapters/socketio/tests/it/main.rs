//! The gateway over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod burst;
mod client;
mod commands;
mod connect;
mod delivery;
mod echo;
mod http;
mod limits;
mod origin;
mod polling;
mod protocol;
mod server;

//! The gateway over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod auth;
mod client;
mod commands;
mod delivery;
mod limits;
mod origin;
mod server;

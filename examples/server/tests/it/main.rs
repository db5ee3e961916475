//! The program from outside: started as a process, talked to over the wire, stopped by signals.
// Clippy's leave for tests does not reach the functions that tests share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod config;
mod crash;
mod pages;
mod process;
mod push;
mod stop;
mod upkeep;
mod wire;

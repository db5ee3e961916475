//! The adapter on a real Redis: what the contracts of the ports say, and servers that are killed, emptied, stopped and
//! hung.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod bus;
mod engine;
mod presence;
mod server;

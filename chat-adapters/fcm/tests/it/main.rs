//! Pushes to a server that checks what it gets and does as it is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod answers;
mod engine;
mod fixture;
mod messages;
mod tokens;

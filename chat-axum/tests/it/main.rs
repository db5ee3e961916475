//! The REST API as clients see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod accounts;
mod attachments;
mod chat;
mod document;
mod hooks;
mod mounting;
mod personal;
mod problems;
mod requests;
mod support;
mod tokens;

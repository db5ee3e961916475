//! The store against the conformance suite, on a real server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod common;

use common::open;

chat_conformance::store!(open, "postgres");
chat_conformance::accounts!(open, "postgres");
chat_conformance::archive!(open, "postgres");

//! The store on a real server, named by `CHAT_TEST_MONGODB_URL`; `cargo xtask test` starts one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests: a failed expectation is a panic"
)]

mod changes;
mod conformance;
mod costs;
mod crash;
mod injection;
mod opening;
mod recovery;
mod server;
mod space;

/// What a case needs, or the end of a case without it.
macro_rules! there_or_return {
    ($what:expr, $case:literal) => {
        match chat_conformance::opened($what, "mongodb", $case) {
            Some(there) => there,
            None => return,
        }
    };
}
pub(crate) use there_or_return;

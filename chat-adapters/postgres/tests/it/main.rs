//! The store on a real server, which `CHAT_TEST_DATABASE_URL` names: the conformance suite, and what it leaves to each
//! adapter.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "helpers of tests: a failed expectation is a panic"
)]

/// The store of a case, or the end of a case without a server.
macro_rules! store_or_return {
    ($case:literal) => {
        match chat_conformance::opened(crate::space::open().await, "postgres", $case) {
            Some((guard, store)) => (guard, store),
            None => return,
        }
    };
}

/// The address of the server, or the end of a case without one.
macro_rules! url_or_return {
    ($case:literal) => {
        match chat_conformance::opened(crate::space::url(), "postgres", $case) {
            Some(url) => url,
            None => return,
        }
    };
}

mod changes;
mod conformance;
mod contention;
mod costs;
#[cfg(unix)]
mod crash;
mod partitions;
mod pooler;
mod positions;
mod schema;
#[cfg(unix)]
mod server;
mod space;
mod statements;

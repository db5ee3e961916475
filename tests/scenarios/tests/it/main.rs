//! Scenarios: what two or more people do, through the public API, on every store that is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test says what went wrong by failing"
)]

#[macro_use]
mod world;

mod archive;
mod authz;
mod bad_input;
mod blocking;
mod crash;
mod deletion;
mod direct;
mod disappearing;
mod documents;
mod edit_history;
mod explain;
mod forwarding;
mod groups;
mod groups_in_full;
mod inbox;
mod large;
mod limits;
mod lists;
mod member_mutes;
mod model;
mod moderation;
mod mongodb;
mod multi_device;
mod offline;
mod personal;
mod pins;
mod policies;
mod postgres;
mod reports;
mod retention;
mod scheduled;
mod slow_mode;
mod stars;

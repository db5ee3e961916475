//! What the engine promises while its ports fail.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

mod bus_and_notifier;
mod crash_points;
mod lost_hints;
mod push;
mod stage;

//! What the engine's commands do, through its public API, on the memory store.
#![cfg(feature = "memory")]
// Clippy's leave for tests does not reach the functions that tests share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod blocking;
mod groups;
mod leaving;
mod members;
mod presence;
mod profile;
mod settings;
mod typing;
mod world;

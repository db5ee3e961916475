//! What the engine's commands do, through its public API, on the memory store.
#![cfg(feature = "memory")]
#![allow(missing_docs)]
// Clippy's leave for tests does not reach the functions that tests share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod attachments;
mod blocking;
mod cluster;
mod deletion;
mod delivery;
mod devices;
mod editing;
mod groups;
mod history;
mod hooks;
mod host;
mod leaving;
mod marks;
mod meetings;
mod members;
mod muting;
mod phones;
mod ports;
mod presence;
mod privacy;
mod profile;
mod push;
mod push_delivery;
mod push_screen;
mod push_words;
mod reactions;
mod receipts;
mod relay;
mod search;
mod sending;
mod settings;
mod status;
mod sync;
mod talk;
mod typing;
mod world;

//! The targets. See `README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)]

mod campaign;
mod commands;
mod mutate;
mod protocol;
mod requests;
mod rng;
mod searches;
mod tokens;
mod uploads;
mod world;

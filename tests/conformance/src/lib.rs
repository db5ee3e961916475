#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "cases are tests: a failed expectation is a panic, and that is what a test reports"
)]

mod cases;
pub mod faults;
pub mod fixtures;
pub mod growth;
mod run;
pub mod store;

#[doc(hidden)]
pub use run::opened;

/// The tutorial's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/store-tutorial.md")]
mod tutorial {}

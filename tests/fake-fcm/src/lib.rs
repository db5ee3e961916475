//! An FCM server on loopback for tests. It gives access tokens for assertions that are signed as they should be, takes
//! messages that the published schema of HTTP v1 allows, and plays a script for each device. The key in this folder is
//! for it alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failed expectation is a panic"
)]

mod assertion;
mod schema;
mod script;
mod server;

pub use schema::faults_of;
pub use script::Act;
pub use server::FakeFcm;

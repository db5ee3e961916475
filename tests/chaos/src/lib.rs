#![doc = include_str!("../README.md")]

pub mod checker;
pub mod history;
pub mod play;
pub mod soak;

/// What went wrong, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#![doc = include_str!("../README.md")]

mod error;
mod partial;
mod store;

pub use store::FsMediaStore;

//! What the engine's commands do, through its public API, on the memory store.
#![cfg(feature = "memory")]
#![allow(missing_docs)]

mod blocking;
mod groups;
mod leaving;
mod members;
mod presence;
mod profile;
mod settings;
mod typing;
mod world;

//! The run itself: a server that is killed again and again, and clients that write down what they see.

mod client;
mod conductor;
mod connection;
mod crowd;
mod database;
mod deeds;
mod faults;
mod person;
mod recorder;
mod replica;
mod rest;
mod server;
mod token;
mod truth;
mod world;

use std::path::PathBuf;

use serde_json::Value;

/// Sets a field of an object; of anything else nothing.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// The program `chat-server`, for tests: the one that `CHAT_SERVER_BIN` names, or the one beside the running test.
#[must_use]
pub fn server_program() -> Option<PathBuf> {
    let named = std::env::var_os("CHAT_SERVER_BIN").map(PathBuf::from);
    let beside = || {
        let test = std::env::current_exe().ok()?;
        Some(test.parent()?.parent()?.join("chat-server"))
    };
    named.or_else(beside).filter(|program| program.is_file())
}

pub use conductor::{Plan, StoreKind, run};
pub(crate) use crowd::Crowd;
pub use database::OwnDatabase;
pub(crate) use person::Person;

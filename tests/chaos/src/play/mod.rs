//! The run itself: a server that is killed again and again, and clients that write down what they see.

mod client;
mod conductor;
mod connection;
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

use serde_json::Value;

/// Sets a field of an object; of anything else nothing.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

pub use conductor::{Plan, StoreKind, run};
pub use database::OwnDatabase;

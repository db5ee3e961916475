use chat_core::error::ChatError;
use chat_gateway::view;
use serde_json::{Value, json};

/// A packet that could not be handed to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undeliverable {
    /// The connection is closed.
    Gone,
    /// The client took nothing for too long.
    Stalled,
}

/// The ack of a command.
pub(crate) fn ack(result: Result<Value, ChatError>, request_id: impl FnOnce() -> String) -> Value {
    match result {
        Ok(data) => json!({ "ok": true, "data": data }),
        Err(error) => json!({ "ok": false, "error": view(&error, request_id()) }),
    }
}

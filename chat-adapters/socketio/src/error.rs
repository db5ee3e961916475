use chat_core::error::ChatError;
use chat_gateway::view;
use serde_json::{Value, json};

use crate::protocol::Arguments;

/// The ack of a command.
pub(crate) fn ack(result: Result<Value, ChatError>, request_id: impl FnOnce() -> String) -> Arguments {
    let answer = match result {
        Ok(data) => json!({ "ok": true, "data": data }),
        Err(error) => json!({ "ok": false, "error": view(&error, request_id()) }),
    };
    Arguments::text(format!("[{answer}]"))
}

/// The body of a `CONNECT_ERROR`.
pub(crate) fn refusal(message: &str, error: &ChatError, request_id: String) -> Value {
    json!({ "message": message, "data": view(error, request_id) })
}

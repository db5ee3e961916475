//! A command of a client, from its event to its answer.

use std::panic::AssertUnwindSafe;

use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::live::Session;
use futures::FutureExt;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::protocol::Event;

/// Carries out what an event asks for.
pub(crate) async fn execute(session: &Session, event: &Event) -> ChatResult<Value> {
    AssertUnwindSafe(run(session, event))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(ChatError::new(ErrorCode::Internal, "an internal error")))
}

async fn run(session: &Session, event: &Event) -> ChatResult<Value> {
    let arguments = &event.arguments;
    match read(arguments.text.as_str(), !arguments.binary.is_empty()) {
        Ok((name, payload)) => session.execute(&name, payload).await,
        Err(refusal) => {
            // What cannot be read is asked as a command that nobody knows, so that junk costs what commands cost.
            match session.execute("", Value::Null).await {
                Err(error) if error.code() != ErrorCode::InvalidArgument => Err(error),
                _ => Err(refusal),
            }
        }
    }
}

/// Name and first argument of `["name", args…]`; further arguments are ignored, a missing one is `null`.
fn read(text: &str, binary: bool) -> ChatResult<(String, Value)> {
    let arguments: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| ChatError::invalid("body", "not an event"))?;
    let mut arguments = arguments.into_iter();
    let name = arguments
        .next()
        .and_then(|name| serde_json::from_str::<String>(name.get()).ok())
        .ok_or_else(|| ChatError::invalid("op", "no such command"))?;
    if binary {
        return Err(ChatError::invalid("body", "binary data is not taken here"));
    }
    let payload = match arguments.next() {
        None => Value::Null,
        Some(payload) => serde_json::from_str(payload.get())
            .map_err(|_| ChatError::invalid("body", "not well-formed, or nested too deep"))?,
    };
    Ok((name, payload))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_name_and_its_first_argument() {
        let ok = |text| read(text, false).unwrap();
        assert_eq!(
            ok(r#"["sync",{"a":1},{"b":2},3]"#),
            ("sync".into(), json!({"a": 1}))
        );
        assert_eq!(ok(r#"["sync"]"#), ("sync".into(), Value::Null));
        assert_eq!(ok(r#"["a\"b",[]]"#), ("a\"b".into(), json!([])));
    }

    #[test]
    fn what_cannot_be_read_names_what_is_wrong() {
        let field = |text: &str, binary| read(text, binary).unwrap_err().field().map(str::to_owned);
        let deep = format!("[\"sync\",{}{}]", "[".repeat(3000), "]".repeat(3000));
        assert_eq!(field(&deep, false).as_deref(), Some("body"));
        assert_eq!(
            field(r#"["sync",{"a":"\ud800"}]"#, false).as_deref(),
            Some("body")
        );
        assert_eq!(field("{}", false).as_deref(), Some("body"));
        assert_eq!(field("[", false).as_deref(), Some("body"));
        assert_eq!(field("[]", false).as_deref(), Some("op"));
        assert_eq!(field("[7]", false).as_deref(), Some("op"));
        assert_eq!(field(r#"["sync",{}]"#, true).as_deref(), Some("body"));
    }
}

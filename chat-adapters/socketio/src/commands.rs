//! One connection's commands, one after the other.

use std::panic::AssertUnwindSafe;

use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::live::Session;
use engineioxide::DisconnectReason;
use futures::FutureExt;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::connection::{Client, Inbound};
use crate::error::{Undeliverable, ack};
use crate::gateway::Shared;
use crate::{packet, pump};

/// Works off what the client asks, in its order, until the connection takes no more; then the session is over.
pub(crate) async fn work(
    shared: std::sync::Arc<Shared>,
    session: Session,
    client: Client,
    mut waiting: mpsc::Receiver<Inbound>,
) {
    let mut number = 0_u64;
    while let Some(inbound) = waiting.recv().await {
        client.data.dequeued(&inbound);
        number += 1;
        let result = AssertUnwindSafe(execute(&session, &inbound))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(ChatError::new(ErrorCode::Internal, "an internal error")));
        let answer = ack(result, || format!("{}-{number}", session.id()));
        let Some(id) = inbound.ack else { continue };
        // Commands that were taken are carried out even when nobody is there to hear of it.
        match pump::send(&client, packet::ack(id, &answer), shared.config.write_timeout).await {
            Ok(()) | Err(Undeliverable::Gone) => {}
            Err(Undeliverable::Stalled) => client.close(DisconnectReason::TransportError),
        }
    }
}

async fn execute(session: &Session, inbound: &Inbound) -> ChatResult<Value> {
    match read(&inbound.text, inbound.binary) {
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

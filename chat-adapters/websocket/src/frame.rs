//! Text frames: `{"id","op","data"}` in, `{"id","ok",…}` and `{"event","data"}` out.

use std::collections::BTreeMap;

use chat_core::error::{ChatError, ChatResult};
use chat_core::port::WireEvent;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The longest `id` a client may give a command, in bytes.
const MAX_ID_BYTES: usize = 256;

/// A command, as far as it could be read.
#[derive(Debug)]
pub(crate) struct Request {
    /// What the answer is to carry.
    pub(crate) id: Option<String>,
    /// The command and its payload, or what is wrong with the frame.
    pub(crate) command: ChatResult<(String, Value)>,
}

/// The members stay text at first, so that the id of a frame is known whatever else is in it.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a frame. A missing `data` is `null`.
pub(crate) fn parse(text: &str) -> Request {
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        return Request {
            id: None,
            command: Err(ChatError::invalid(
                "body",
                "expected one JSON object with id, op and data",
            )),
        };
    };
    let id = text_of(&members, "id").filter(|id| id.len() <= MAX_ID_BYTES);
    let command = match &id {
        None => Err(ChatError::invalid("id", "required: a text of at most 256 bytes")),
        Some(_) => command(&members),
    };
    Request { id, command }
}

fn command(members: &Members<'_>) -> ChatResult<(String, Value)> {
    if let Some(unknown) = (members.keys()).find(|name| !["id", "op", "data"].contains(&name.as_str())) {
        return Err(ChatError::invalid(unknown.clone(), "unknown field"));
    }
    let op =
        text_of(members, "op").ok_or_else(|| ChatError::invalid("op", "required: the name of a command"))?;
    let payload = match members.get("data") {
        None => Value::Null,
        Some(data) => serde_json::from_str(data.get())
            .map_err(|_| ChatError::invalid("body", "not well-formed, or nested too deep"))?,
    };
    Ok((op, payload))
}

fn text_of(members: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// The positive answer to a command.
pub(crate) fn answer(id: Option<&str>, data: &Value) -> String {
    json!({ "id": id, "ok": true, "data": data }).to_string()
}

/// The refusal of a command; without an id when it could not be read.
pub(crate) fn refusal(id: Option<&str>, error: &Value) -> String {
    match id {
        Some(id) => json!({ "id": id, "ok": false, "error": error }),
        None => json!({ "ok": false, "error": error }),
    }
    .to_string()
}

/// An event. Its payload was serialised once for all connections.
pub(crate) fn event(event: &WireEvent) -> String {
    // Event names are the engine's own: letters and underscores.
    format!(
        "{{\"event\":\"{}\",\"data\":{}}}",
        event.name,
        event.payload.get()
    )
}

/// An event of the gateway itself.
pub(crate) fn own_event(name: &str, data: &Value) -> String {
    json!({ "event": name, "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn fault(text: &str) -> (Option<String>, String) {
        let request = parse(text);
        let error = request.command.unwrap_err();
        (request.id, error.field().unwrap().to_owned())
    }

    #[test]
    fn a_frame_has_id_op_and_data() {
        let request = parse(r#" {"id":"ü","op":"sync","data":{"a":1}}"#);
        assert_eq!(request.id.as_deref(), Some("ü"));
        assert_eq!(request.command.unwrap(), ("sync".to_owned(), json!({"a": 1})));
        let request = parse(r#"{"op":"sync","id":""}"#);
        assert_eq!(request.id.as_deref(), Some(""));
        assert_eq!(request.command.unwrap(), ("sync".to_owned(), Value::Null));
        let longest = "x".repeat(256);
        assert_eq!(
            parse(&json!({"id": longest, "op": "sync"}).to_string()).id,
            Some(longest)
        );
    }

    #[test]
    fn the_fault_is_named_and_the_id_kept() {
        for text in [
            "junk",
            "",
            "[]",
            "7",
            "null",
            "[null,null,null]",
            "{",
            "{}{}",
            "\u{0}",
        ] {
            assert_eq!(fault(text), (None, "body".to_owned()), "{text}");
        }
        assert_eq!(
            fault(r#"{"id":"9","op":"sync","more":1}"#),
            (Some("9".into()), "more".into())
        );
        assert_eq!(fault(r#"{"op":"sync","data":{}}"#), (None, "id".into()));
        assert_eq!(fault(r#"{"id":9,"op":"sync"}"#), (None, "id".into()));
        assert_eq!(fault(r#"{"id":"\ud800","op":"sync"}"#), (None, "id".into()));
        assert_eq!(
            fault(&json!({"id": "x".repeat(257), "op": "sync"}).to_string()),
            (None, "id".into())
        );
        assert_eq!(fault(r#"{"id":"9"}"#), (Some("9".into()), "op".into()));
        assert_eq!(fault(r#"{"id":"9","op":7}"#), (Some("9".into()), "op".into()));
        let deep = format!(
            r#"{{"id":"9","op":"sync","data":{}{}}}"#,
            "[".repeat(3000),
            "]".repeat(3000)
        );
        assert_eq!(fault(&deep), (Some("9".into()), "body".into()));
        let surrogate = r#"{"id":"9","op":"send_message","data":{"text":"\ud800"}}"#;
        assert_eq!(fault(surrogate), (Some("9".into()), "body".into()));
    }

    #[test]
    fn answers_have_their_form() {
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        assert_eq!(
            read(answer(Some("1"), &json!({}))),
            json!({"id": "1", "ok": true, "data": {}})
        );
        assert_eq!(
            read(refusal(Some("1"), &json!({}))),
            json!({"id": "1", "ok": false, "error": {}})
        );
        assert_eq!(read(refusal(None, &json!({}))), json!({"ok": false, "error": {}}));
        let payload = Arc::from(serde_json::value::to_raw_value(&json!({"a": 1})).unwrap());
        let wire = WireEvent {
            name: "ready",
            payload,
        };
        assert_eq!(event(&wire), r#"{"event":"ready","data":{"a":1}}"#);
        assert_eq!(
            read(own_event("e", &json!({}))),
            json!({"event": "e", "data": {}})
        );
    }
}

//! What the gateway sends, as Socket.IO v5 packets of the namespace `/`.
//!
//! Decoding is left to socketioxide's parser; encoding is written out, because its `CONNECT_ERROR` has no room for `data`.

use std::borrow::Cow;

use chat_core::port::WireEvent;
use serde_json::{Value, json};

/// `CONNECT`.
pub(crate) fn connected(id: impl std::fmt::Display) -> String {
    format!("0{}", json!({ "sid": id.to_string() }))
}

/// `CONNECT_ERROR`, in the namespace that was asked for.
pub(crate) fn refused(namespace: &str, message: &str, data: &Value) -> String {
    let prefix = match namespace {
        "/" => Cow::Borrowed(""),
        other => Cow::Owned(format!("{other},")),
    };
    format!("4{prefix}{}", json!({ "message": message, "data": data }))
}

/// `DISCONNECT`: the official client does not come back by itself after it.
pub(crate) const DISCONNECT: &str = "1";

/// `EVENT`. The payload was serialised once for all connections.
pub(crate) fn event(event: &WireEvent) -> String {
    // Event names are the engine's own: letters and underscores.
    format!("2[\"{}\",{}]", event.name, event.payload.get())
}

/// `EVENT` of the gateway itself.
pub(crate) fn own_event(name: &str, payload: &Value) -> String {
    format!("2{}", json!([name, payload]))
}

/// `ACK`.
pub(crate) fn ack(id: i64, answer: &Value) -> String {
    format!("3{id}[{answer}]")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn packets_have_their_protocol_form() {
        assert_eq!(connected("s"), r#"0{"sid":"s"}"#);
        let data = json!({"code": "c"});
        // The order of an object's fields says nothing, and depends on what else is built in.
        let body = json!({"message": "m", "data": {"code": "c"}});
        for (namespace, prefix) in [("/", "4"), ("/admin", "4/admin,")] {
            let packet = refused(namespace, "m", &data);
            let found: Value = serde_json::from_str(packet.strip_prefix(prefix).unwrap()).unwrap();
            assert_eq!(found, body);
        }
        let payload = Arc::from(serde_json::value::to_raw_value(&json!({"a": 1})).unwrap());
        let wire = WireEvent {
            name: "ready",
            payload,
        };
        assert_eq!(event(&wire), r#"2["ready",{"a":1}]"#);
        assert_eq!(own_event("e", &json!({})), r#"2["e",{}]"#);
        assert_eq!(ack(7, &json!({"ok": true})), r#"37[{"ok":true}]"#);
    }
}

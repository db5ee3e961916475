//! What is sent, as Socket.IO v5 packets.
//!
//! Decoding is left to socketioxide's parser; encoding is written out, because its `CONNECT_ERROR` has no room for `data`.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::service::Arguments;

/// One packet: its text, and the binary data that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) text: String,
    pub(crate) binary: Vec<Bytes>,
}

impl Packet {
    fn new(kind: char, namespace: &str, rest: &str) -> Self {
        let namespace = prefix(namespace);
        Self {
            text: format!("{kind}{namespace}{rest}"),
            binary: Vec::new(),
        }
    }

    /// `CONNECT`.
    pub(crate) fn connected(namespace: &str, id: &str) -> Self {
        Self::new('0', namespace, &json!({ "sid": id }).to_string())
    }

    /// `CONNECT_ERROR`, in the namespace that was asked for.
    pub(crate) fn refused(namespace: &str, body: &Value) -> Self {
        Self::new('4', namespace, &body.to_string())
    }

    /// `DISCONNECT`: the official client does not come back by itself after it.
    pub(crate) fn disconnect(namespace: &str) -> Self {
        Self::new('1', namespace, "")
    }

    /// `EVENT` or `BINARY_EVENT`.
    pub(crate) fn event(namespace: &str, arguments: Arguments) -> Self {
        Self::with_arguments(['2', '5'], namespace, None, arguments)
    }

    /// `ACK` or `BINARY_ACK`.
    pub(crate) fn ack(namespace: &str, id: i64, arguments: Arguments) -> Self {
        Self::with_arguments(['3', '6'], namespace, Some(id), arguments)
    }

    fn with_arguments(
        [plain, with_binary]: [char; 2],
        namespace: &str,
        id: Option<i64>,
        arguments: Arguments,
    ) -> Self {
        let Arguments { text, binary } = arguments;
        let head = match binary.len() {
            0 => plain.to_string(),
            count => format!("{with_binary}{count}-"),
        };
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        Self {
            text: format!("{head}{}{id}{}", prefix(namespace), text.as_str()),
            binary,
        }
    }
}

/// The namespace, unless it is the one that is meant when none is named.
fn prefix(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        other => format!("{other},"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_have_their_protocol_form() {
        assert_eq!(Packet::connected("/", "s").text, r#"0{"sid":"s"}"#);
        assert_eq!(Packet::connected("/a", "s").text, r#"0/a,{"sid":"s"}"#);
        let body = json!({"message": "m"});
        assert_eq!(Packet::refused("/", &body).text, r#"4{"message":"m"}"#);
        assert_eq!(
            Packet::refused("/admin", &body).text,
            r#"4/admin,{"message":"m"}"#
        );
        assert_eq!(Packet::disconnect("/").text, "1");
        let plain = || Arguments::text(r#"["ready",{"a":1}]"#.to_owned());
        assert_eq!(Packet::event("/", plain()).text, r#"2["ready",{"a":1}]"#);
        assert_eq!(Packet::event("/a", plain()).text, r#"2/a,["ready",{"a":1}]"#);
        let answer = Arguments::text(r#"[{"ok":true}]"#.to_owned());
        assert_eq!(Packet::ack("/", 7, answer.clone()).text, r#"37[{"ok":true}]"#);
        assert_eq!(Packet::ack("/a", 7, answer).text, r#"3/a,7[{"ok":true}]"#);
    }

    #[test]
    fn binary_data_is_counted_in_front() {
        let arguments = || Arguments {
            text: "[]".into(),
            binary: vec![Bytes::from_static(&[1]), Bytes::from_static(&[2])],
        };
        assert_eq!(Packet::event("/", arguments()).text, "52-[]");
        assert_eq!(Packet::ack("/a", 7, arguments()).text, "62-/a,7[]");
        assert_eq!(Packet::ack("/", 7, arguments()).binary, arguments().binary);
    }
}

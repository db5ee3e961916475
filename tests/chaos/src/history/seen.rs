use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message as somebody saw it, short.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Its conversation.
    pub c: String,
    /// Its place there.
    pub s: u64,
    /// The rev of this state of it; 0 where nobody told.
    pub r: u64,
    /// Its id.
    pub id: String,
    /// Its sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The mark in its text that no other text has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its version.
    #[serde(default)]
    pub ver: u64,
    /// Whether this is a tombstone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub del: bool,
    /// Whether it says that the message is no more for this viewer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// Reactions: how many, and whether one is the viewer's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub re: BTreeMap<String, (u64, bool)>,
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pin: bool,
}

impl Seen {
    /// The message in an object of the wire, if it is one.
    #[must_use]
    pub fn of(object: &Value) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| object.get(name).and_then(Value::as_u64);
        let gone = object.get("gone").and_then(Value::as_bool).unwrap_or(false);
        if !gone && object.get("sender").is_none() {
            return None;
        }
        let reactions = object.get("reactions").and_then(Value::as_array);
        let reaction = |one: &Value| {
            let emoji = one.get("emoji")?.as_str()?.to_owned();
            Some((emoji, (one.get("count")?.as_u64()?, one.get("mine")?.as_bool()?)))
        };
        Some(Self {
            c: text("conversation_id")?,
            s: number("seq")?,
            r: number("rev")?,
            id: text("id")?,
            by: object
                .pointer("/sender/id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            body: text("text").and_then(|text| token_in(&text).map(str::to_owned)),
            ver: number("version").unwrap_or(0),
            del: object.get("deleted").is_some(),
            gone,
            re: reactions.into_iter().flatten().filter_map(reaction).collect(),
            pin: object.get("pinned").is_some(),
        })
    }
}

/// The first mark in a text: what stands between two tildes, with them.
#[must_use]
pub fn token_in(text: &str) -> Option<&str> {
    tokens_in(text).next()
}

/// All marks in a text.
pub fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let from = rest.find('~')?;
            let after = rest.get(from + 1..)?;
            let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            let length = after.find(|c| !is_inside(c))?;
            let end = from + 1 + length;
            let closed = length > 0 && rest.get(end..)?.starts_with('~');
            let found = rest.get(from..=end);
            rest = rest.get(if closed { end + 1 } else { end }..)?;
            if closed {
                return found;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        let text = r#"{"a":"~c1.2~ x","b":"no ~ here ~~","c":"~c3.4-e1~"}"#;
        assert_eq!(tokens_in(text).collect::<Vec<_>>(), ["~c1.2~", "~c3.4-e1~"]);
    }

    #[test]
    fn a_reply_preview_is_no_message() {
        let object = serde_json::json!({ "message_id": "m", "seq": 1, "preview": {} });
        assert_eq!(Seen::of(&object), None);
    }
}

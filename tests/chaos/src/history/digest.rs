use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Seen, tokens_in};

/// What a history keeps of an answer or an event: the messages in it, marks of texts that stand elsewhere (previews,
/// quotes), and some fields as they are.
#[must_use]
pub fn digest(value: &Value, raw: &str) -> Value {
    let mut seen = Vec::new();
    collect(value, &mut seen);
    let bodies: BTreeSet<&str> = seen.iter().filter_map(|seen| seen.body.as_deref()).collect();
    let tokens: BTreeSet<&str> = tokens_in(raw).filter(|token| !bodies.contains(token)).collect();
    let mut kept = Map::new();
    for name in [
        "replayed",
        "range",
        "marks",
        "rev",
        "seq",
        "conversation_id",
        "user_id",
        "read_seq",
        "delivered_seq",
        "unread_count",
        "reason",
        "created",
        "added",
        "skipped",
        "removed",
    ] {
        if let Some(field) = value.get(name)
            && !field.get(0).is_some_and(Value::is_object)
        {
            kept.insert(name.to_owned(), field.clone());
        }
    }
    if let Some(marks) = value.get("marks") {
        kept.insert("marks".to_owned(), marks.clone());
    }
    if !seen.is_empty() {
        kept.insert("seen".to_owned(), json!(seen));
    }
    if !tokens.is_empty() {
        kept.insert("tok".to_owned(), json!(tokens));
    }
    Value::Object(kept)
}

fn collect(value: &Value, seen: &mut Vec<Seen>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        Value::Object(fields) => {
            if let Some(found) = Seen::of(value) {
                seen.push(found);
            } else {
                fields.values().for_each(|item| collect(item, seen));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_marks_are_found_at_any_depth() {
        let message = json!({ "id": "m1", "conversation_id": "c", "seq": 3, "rev": 4, "sender": { "id": "u1" },
                              "text": "~a.1~ hello", "version": 1 });
        let answer = json!({ "conversations": [{ "messages": [message], "conversation": { "last_message":
                             { "seq": 2, "preview": "~b.2~" } } }] });
        let kept = digest(&answer, &answer.to_string());
        assert_eq!(kept.pointer("/seen/0/body"), Some(&json!("~a.1~")));
        assert_eq!(kept.get("tok"), Some(&json!(["~b.2~"])));
    }
}

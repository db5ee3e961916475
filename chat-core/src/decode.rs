//! From JSON to payloads, the same way on every inbound path: limits first, then the payload's own type, and every
//! refusal names the field at fault.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::Limits;
use crate::error::{ChatError, ChatResult, ErrorCode};

/// Reads a JSON text and checks it against the limits on depth, keys and U+0000.
///
/// # Errors
/// `invalid_argument` with field `body` when it is not one JSON value, or breaks a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> ChatResult<Value> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|_| ChatError::invalid("body", "not one well-formed JSON value"))?;
    check(&value, limits)?;
    Ok(value)
}

/// The same for the payload of `sync`, whose map of known conversations has a bound of its own.
///
/// # Errors
/// As [`parse`].
pub fn parse_sync(bytes: &[u8], limits: &Limits) -> ChatResult<Value> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|_| ChatError::invalid("body", "not one well-formed JSON value"))?;
    check_sync(&value, limits)?;
    Ok(value)
}

/// Checks a JSON value against the limits on depth, keys and U+0000.
///
/// # Errors
/// `invalid_argument` with the top-level field at fault, or `body`.
pub fn check(value: &Value, limits: &Limits) -> ChatResult<()> {
    check_but(value, limits, None)
}

/// The same for the payload of `sync`, whose map of known conversations has a bound of its own.
///
/// # Errors
/// As [`check`].
pub fn check_sync(value: &Value, limits: &Limits) -> ChatResult<()> {
    check_but(value, limits, Some("conversations"))
}

/// `wide`: the field whose keys are bounded by [`Limits::sync_known`] and do not count with the others.
fn check_but(value: &Value, limits: &Limits, wide: Option<&str>) -> ChatResult<()> {
    let mut keys = 0;
    let fault = match value {
        Value::Object(map) => {
            keys = map.len();
            map.iter().find_map(|(name, inner)| {
                if let (Value::Object(known), true) = (inner, wide == Some(name.as_str())) {
                    if known.len() > limits.sync_known {
                        return Some((name.clone(), "too many entries"));
                    }
                    let problem = known.iter().find_map(|(key, inner)| {
                        if key.contains('\0') {
                            return Some("holds U+0000");
                        }
                        walk(inner, 3, limits, &mut keys)
                    });
                    return problem.map(|problem| (name.clone(), problem));
                }
                walk(inner, 2, limits, &mut keys).map(|problem| (name.clone(), problem))
            })
        }
        other => walk(other, 1, limits, &mut keys).map(|problem| ("body".to_owned(), problem)),
    };
    match fault {
        Some((field, problem)) => Err(ChatError::invalid(field, problem)),
        None if keys > limits.json_keys => Err(ChatError::invalid("body", "too many keys")),
        None => Ok(()),
    }
}

fn walk(value: &Value, depth: usize, limits: &Limits, keys: &mut usize) -> Option<&'static str> {
    match value {
        Value::String(text) => text.contains('\0').then_some("holds U+0000"),
        Value::Array(items) => {
            if depth > limits.json_depth {
                return Some("nested too deep");
            }
            items.iter().find_map(|item| walk(item, depth + 1, limits, keys))
        }
        Value::Object(map) => {
            if depth > limits.json_depth {
                return Some("nested too deep");
            }
            *keys += map.len();
            if *keys > limits.json_keys {
                return Some("too many keys");
            }
            map.iter().find_map(|(name, inner)| {
                if name.contains('\0') {
                    Some("holds U+0000")
                } else {
                    walk(inner, depth + 1, limits, keys)
                }
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Turns a checked JSON value into a payload.
///
/// # Errors
/// `invalid_argument` naming the missing, unknown or ill-typed field.
pub fn payload<T: DeserializeOwned>(value: Value) -> ChatResult<T> {
    if !value.is_object() {
        return Err(ChatError::invalid("body", "expected a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        refusal(&path, &message)
    })
}

/// serde names unknown and missing fields only in its message, between back quotes.
fn refusal(path: &str, message: &str) -> ChatError {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let inside = |field: &str| {
        if path == "." || path.is_empty() || path == field || path.ends_with(&format!(".{field}")) {
            if path == "." || path.is_empty() {
                field.to_owned()
            } else {
                path.to_owned()
            }
        } else {
            format!("{path}.{field}")
        }
    };
    let (field, problem) = if message.starts_with("unknown field") {
        (inside(quoted), "unknown field")
    } else if message.starts_with("missing field") {
        (inside(quoted), "required")
    } else if message.starts_with("unknown variant") {
        (path.to_owned(), "not one of the known values")
    } else if message.starts_with("duplicate field") {
        (inside(quoted), "given twice")
    } else {
        (path.to_owned(), "of the wrong type or form")
    };
    let field = if field == "." || field.is_empty() {
        "body".to_owned()
    } else {
        field
    };
    ChatError::new(ErrorCode::InvalidArgument, problem).with_field(field)
}

/// For `PATCH` payloads: tells an absent field (`None`) from `null` (`Some(None)`).
pub(crate) fn nullable<'de, T, D>(d: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(d).map(Some)
}

/// For `PATCH` payloads: an absent field is `None`, and `null` is refused where there is nothing to clear.
pub(crate) fn present<'de, T, D>(d: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)]
        seq: u64,
        #[serde(default)]
        #[allow(dead_code)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        latitude: f64,
    }

    fn field(value: Value) -> String {
        payload::<Sample>(value).unwrap_err().field().unwrap().to_owned()
    }

    #[test]
    fn every_refusal_names_its_field() {
        assert_eq!(field(json!({"seq": 1, "zzz": 1})), "zzz");
        assert_eq!(field(json!({})), "seq");
        assert_eq!(field(json!({"seq": 1.5})), "seq");
        assert_eq!(field(json!({"seq": "1"})), "seq");
        assert_eq!(field(json!({"seq": -1})), "seq");
        assert_eq!(
            field(json!({"seq": 1, "inner": {"latitude": "x"}})),
            "inner.latitude"
        );
        assert_eq!(field(json!({"seq": 1, "inner": {}})), "inner.latitude");
        assert_eq!(field(json!([1])), "body");
    }

    #[test]
    fn limits_hold_at_the_edge() {
        let limits = Limits::default();
        let nested = |depth: usize| {
            let mut value = json!(1);
            for _ in 0..depth {
                value = json!({ "a": value });
            }
            value
        };
        assert!(check(&nested(16), &limits).is_ok());
        assert!(check(&nested(17), &limits).is_err());
        let keys = |n: usize| Value::Object((0..n).map(|i| (i.to_string(), json!(1))).collect());
        assert!(check(&keys(256), &limits).is_ok());
        assert!(check(&keys(257), &limits).is_err());
        assert_eq!(
            check(&json!({"text": "a\0b"}), &limits).unwrap_err().field(),
            Some("text")
        );
        assert!(parse(b"{\"text\":\"\\ud800\"}", &limits).is_err());
        assert!(parse(b"{}{}", &limits).is_err());
        // Only sync names many conversations, and only there.
        let known = |name: &str, n: usize| json!({ name: keys(n) });
        assert!(check_sync(&known("conversations", 1_000), &limits).is_ok());
        let over = check_sync(&known("conversations", 1_001), &limits).unwrap_err();
        assert_eq!(over.field(), Some("conversations"));
        assert!(check_sync(&known("custom", 300), &limits).is_err());
        assert!(check(&known("conversations", 300), &limits).is_err());
        let nested = json!({"conversations": {"a": keys(300)}});
        assert!(check_sync(&nested, &limits).is_err());
    }
}

//! Texts and data that users and groups carry, checked the same way for hosts that call the engine directly and for
//! what came in as JSON.

use std::time::Duration;

use serde_json::json;

use super::content::check_chars;
use crate::config::Limits;
use crate::decode;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::model::JsonObject;
use crate::text::is_blank;

/// Checks the name of a user or group. It is kept as it was typed.
///
/// # Errors
/// `invalid_argument` (`name`) when it shows nothing, is longer than the limit or holds U+0000.
pub(super) fn name(name: &str, limits: &Limits) -> ChatResult<()> {
    if is_blank(name) {
        return Err(ChatError::invalid("name", "must not be blank"));
    }
    check_chars("name".to_owned(), name, limits.name_chars)
}

/// Checks the description of a group; one that shows nothing is none.
///
/// # Errors
/// `invalid_argument` (`description`) when it is longer than the limit or holds U+0000.
pub(super) fn description(description: Option<String>, limits: &Limits) -> ChatResult<Option<String>> {
    let Some(description) = description else {
        return Ok(None);
    };
    check_chars("description".to_owned(), &description, limits.description_chars)?;
    Ok((!is_blank(&description)).then_some(description))
}

/// Checks after what time messages disappear.
///
/// # Errors
/// `invalid_argument` (`message_ttl_ms`) outside the limits.
pub(super) fn message_ttl(ms: u64, limits: &Limits) -> ChatResult<()> {
    let ttl = Duration::from_millis(ms);
    if (limits.message_ttl_min..=limits.message_ttl_max).contains(&ttl) {
        return Ok(());
    }
    Err(ChatError::invalid(
        "message_ttl_ms",
        format!(
            "between {} and {}",
            limits.message_ttl_min.as_millis(),
            limits.message_ttl_max.as_millis()
        ),
    ))
}

/// Checks the host's own data of a user or group.
///
/// # Errors
/// `payload_too_large` (`custom`) over the limit in bytes; `invalid_argument` (`custom`) when it is nested too deep,
/// has too many keys or holds U+0000.
pub(super) fn custom(custom: &JsonObject, limits: &Limits) -> ChatResult<()> {
    if custom.json_bytes() > limits.custom_bytes {
        return Err(ChatError::new(
            ErrorCode::PayloadTooLarge,
            format!("at most {} bytes", limits.custom_bytes),
        )
        .with_field("custom"));
    }
    // As part of a request, because that is what the limits on depth and keys speak of.
    decode::check(&json!({ "custom": custom }), limits)
        .map_err(|refusal| ChatError::invalid("custom", refusal.detail().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(result: ChatResult<T>) -> (ErrorCode, Option<String>) {
        let error = result.err().unwrap();
        (error.code(), error.field().map(ToOwned::to_owned))
    }

    #[test]
    fn names_have_1_to_120_characters_that_show() {
        let limits = Limits::default();
        assert!(name(&"ü".repeat(120), &limits).is_ok());
        assert!(name(" a ", &limits).is_ok());
        for bad in ["", " \n", "\u{200b}", "a\0b", &"x".repeat(121)] {
            assert_eq!(
                refused(name(bad, &limits)),
                (ErrorCode::InvalidArgument, Some("name".to_owned()))
            );
        }
    }

    #[test]
    fn a_blank_description_is_none() {
        let limits = Limits::default();
        assert_eq!(description(Some("  ".to_owned()), &limits).unwrap(), None);
        assert!(description(Some("x".repeat(500)), &limits).unwrap().is_some());
        assert!(description(Some("x".repeat(501)), &limits).is_err());
    }

    #[test]
    fn custom_data_is_bounded_in_bytes_and_depth() {
        let limits = Limits::default();
        let of = |value: serde_json::Value| match value {
            serde_json::Value::Object(map) => JsonObject(map),
            _ => JsonObject::default(),
        };
        let exact = "x".repeat(limits.custom_bytes - "{\"a\":\"\"}".len());
        assert!(custom(&of(json!({ "a": exact })), &limits).is_ok());
        assert_eq!(
            refused(custom(&of(json!({ "a": format!("{exact}x") })), &limits)),
            (ErrorCode::PayloadTooLarge, Some("custom".to_owned()))
        );
        let mut deep = json!(1);
        for _ in 0..16 {
            deep = json!({ "a": deep });
        }
        assert_eq!(
            refused(custom(&of(deep), &limits)),
            (ErrorCode::InvalidArgument, Some("custom".to_owned()))
        );
        assert_eq!(
            refused(custom(&of(json!({ "a": "b\0" })), &limits)),
            (ErrorCode::InvalidArgument, Some("custom".to_owned()))
        );
    }
}

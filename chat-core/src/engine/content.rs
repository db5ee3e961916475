//! What a message may consist of: the payload on its own, before anybody asks who sends it where to.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command::{MeetingDraft, SendMessage};
use crate::config::Limits;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::UserId;
use crate::model::{Content, CustomContent, Location, Meeting, MeetingStatus, MessageKind};
use crate::text;
use crate::time::Timestamp;

/// The mention that means every member.
pub(crate) const MENTION_ALL: &str = "@all";

/// Checks the text of a message: what may be blank is the caller's question.
///
/// # Errors
/// `message_too_long`, `invalid_argument` for U+0000.
pub(crate) fn check_text(text: &str, limits: &Limits) -> ChatResult<()> {
    if text.contains('\0') {
        return Err(ChatError::invalid("text", "holds U+0000"));
    }
    if text.len() > limits.text_bytes || text.chars().count() > limits.text_chars {
        return Err(ChatError::new(
            ErrorCode::MessageTooLong,
            format!(
                "at most {} characters and {} bytes",
                limits.text_chars, limits.text_bytes
            ),
        )
        .with_field("text"));
    }
    Ok(())
}

/// Checks a payload and puts its structured content together. What time makes wrong is not looked at: that is
/// [`check_times`], which a repetition of a send must not meet.
///
/// # Errors
/// `empty_message`, `message_too_long`, `too_many_attachments`, `payload_too_large` (custom data),
/// `invalid_argument` with the field that is missing, out of range or does not belong to the kind.
pub(crate) fn check(message: &SendMessage, sender: &UserId, limits: &Limits) -> ChatResult<Content> {
    let text = message.text.as_deref().unwrap_or_default();
    check_text(text, limits)?;
    if message.attachment_ids.len() > limits.attachments {
        return Err(ChatError::new(
            ErrorCode::TooManyAttachments,
            format!("at most {}", limits.attachments),
        )
        .with_field("attachment_ids"));
    }
    let distinct: std::collections::HashSet<_> = message.attachment_ids.iter().collect();
    if distinct.len() != message.attachment_ids.len() {
        return Err(ChatError::invalid("attachment_ids", "one of them twice"));
    }
    if message.mentions.len() > limits.mentions {
        return Err(ChatError::invalid(
            "mentions",
            format!("at most {}", limits.mentions),
        ));
    }
    check_kind(message, text)?;
    let location = message
        .location
        .as_ref()
        .map(|l| check_location("location", l, limits))
        .transpose()?;
    let meeting = message
        .meeting
        .as_ref()
        .map(|m| check_meeting(m, sender, limits))
        .transpose()?;
    let custom = message
        .custom
        .as_ref()
        .map(|c| check_custom(c, limits))
        .transpose()?;
    Ok(Content {
        attachments: message.attachment_ids.clone(),
        location,
        meeting,
        custom,
        system: None,
        forwarded: None,
    })
}

/// Checks what lies ahead at the time of the send: the date of a meeting, the end of a live location.
///
/// # Errors
/// `invalid_argument` (`meeting.scheduled_at`, `location.live_until`, `meeting.location.live_until`).
pub(crate) fn check_times(content: &Content, now: Timestamp, limits: &Limits) -> ChatResult<()> {
    if let Some(location) = &content.location {
        check_live("location", location, now, limits)?;
    }
    if let Some(meeting) = &content.meeting {
        if meeting.scheduled_at <= now {
            return Err(ChatError::invalid("meeting.scheduled_at", "in the future"));
        }
        if let Some(location) = &meeting.location {
            check_live("meeting.location", location, now, limits)?;
        }
    }
    Ok(())
}

fn check_live(field: &str, location: &Location, now: Timestamp, limits: &Limits) -> ChatResult<()> {
    match location.live_until {
        Some(until) if until <= now || until > now.after(limits.live_location) => Err(ChatError::invalid(
            format!("{field}.live_until"),
            format!(
                "in the future, at most {} s ahead",
                limits.live_location.as_secs()
            ),
        )),
        _ => Ok(()),
    }
}

fn check_kind(message: &SendMessage, text: &str) -> ChatResult<()> {
    let kind = message.kind;
    let belongs = |present: bool, owner: MessageKind, field: &'static str| {
        if present && kind != owner {
            Err(ChatError::invalid(field, "does not belong to this kind"))
        } else if !present && kind == owner {
            Err(ChatError::invalid(field, "required for this kind"))
        } else {
            Ok(())
        }
    };
    belongs(message.location.is_some(), MessageKind::Location, "location")?;
    belongs(message.meeting.is_some(), MessageKind::Meeting, "meeting")?;
    belongs(message.custom.is_some(), MessageKind::Custom, "custom")?;
    let files = !message.attachment_ids.is_empty();
    match kind {
        MessageKind::System => Err(ChatError::invalid("kind", "written by the engine only")),
        MessageKind::Text if text::is_blank(text) && !files => Err(ChatError::new(
            ErrorCode::EmptyMessage,
            "a message needs something to show",
        )),
        MessageKind::Image | MessageKind::Video | MessageKind::Audio | MessageKind::File if !files => {
            Err(ChatError::invalid("attachment_ids", "required for this kind"))
        }
        MessageKind::Location | MessageKind::Meeting if files => Err(ChatError::invalid(
            "attachment_ids",
            "does not belong to this kind",
        )),
        _ => Ok(()),
    }
}

/// Whether a place is on earth.
pub(crate) fn check_position(field: &str, latitude: f64, longitude: f64) -> ChatResult<()> {
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(ChatError::invalid(
            format!("{field}latitude"),
            "between -90 and 90",
        ));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(ChatError::invalid(
            format!("{field}longitude"),
            "between -180 and 180",
        ));
    }
    Ok(())
}

fn check_location(field: &str, location: &Location, limits: &Limits) -> ChatResult<Location> {
    check_position(&format!("{field}."), location.latitude, location.longitude)?;
    if let Some(label) = &location.label {
        check_chars(format!("{field}.label"), label, limits.label_chars)?;
    }
    Ok(location.clone())
}

fn check_meeting(draft: &MeetingDraft, sender: &UserId, limits: &Limits) -> ChatResult<Meeting> {
    if let Some(place) = &draft.place {
        check_chars("meeting.place".to_owned(), place, limits.place_chars)?;
    }
    if let Some(note) = &draft.note {
        check_chars("meeting.note".to_owned(), note, limits.place_chars)?;
    }
    let location = draft
        .location
        .as_ref()
        .map(|l| check_location("meeting.location", l, limits))
        .transpose()?;
    Ok(Meeting {
        place: draft.place.clone(),
        location,
        scheduled_at: draft.scheduled_at,
        note: draft.note.clone(),
        status: MeetingStatus::Pending,
        proposed_by: sender.clone(),
        version: 1,
    })
}

fn check_custom(custom: &CustomContent, limits: &Limits) -> ChatResult<CustomContent> {
    if custom.kind.is_empty() || custom.kind.len() > 64 || custom.kind.contains('\0') {
        return Err(ChatError::invalid("custom.type", "1 to 64 bytes"));
    }
    if serde_json::to_string(custom).map_or(usize::MAX, |json| json.len()) > limits.custom_bytes {
        return Err(ChatError::new(
            ErrorCode::PayloadTooLarge,
            format!("at most {} bytes", limits.custom_bytes),
        )
        .with_field("custom"));
    }
    Ok(custom.clone())
}

/// Checks a short text.
///
/// # Errors
/// `invalid_argument` when it has too many characters or holds U+0000.
pub(crate) fn check_chars(field: String, text: &str, max: usize) -> ChatResult<()> {
    if text.contains('\0') {
        return Err(ChatError::invalid(field, "holds U+0000"));
    }
    if text.chars().count() > max {
        return Err(ChatError::invalid(field, format!("at most {max} characters")));
    }
    Ok(())
}

/// SHA-256 (hex) of what makes two sends the same: all defaults filled in, without address, key and client time.
pub(crate) fn payload_hash(message: &SendMessage) -> String {
    let canonical = json!({
        "kind": message.kind,
        "text": message.text.as_deref().unwrap_or_default(),
        "format": message.format,
        "attachment_ids": message.attachment_ids,
        "location": message.location,
        "meeting": message.meeting,
        "custom": message.custom,
        "reply_to": message.reply_to,
        "mentions": message.mentions,
        "silent": message.silent,
    });
    hash_json(&canonical)
}

/// SHA-256 (hex) of a JSON value, whatever the order of its keys.
pub(crate) fn hash_json(value: &Value) -> String {
    let mut hasher = Sha256::new();
    hash_value(value, &mut hasher);
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Feeds a JSON value with its keys in order: the order on the wire does not make another payload.
fn hash_value(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            hasher.update(b"{");
            for key in keys {
                hasher.update(key.len().to_be_bytes());
                hasher.update(key.as_bytes());
                hash_value(map.get(key).unwrap_or(&Value::Null), hasher);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| hash_value(item, hasher));
            hasher.update(b"]");
        }
        Value::String(text) => {
            hasher.update(b"\"");
            hasher.update(text.len().to_be_bytes());
            hasher.update(text.as_bytes());
        }
        other => hasher.update(other.to_string().as_bytes()),
    }
}

/// What a list shows of a message without text.
pub(crate) const fn kind_word(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "Message",
        MessageKind::Image => "Photo",
        MessageKind::Video => "Video",
        MessageKind::Audio => "Audio",
        MessageKind::File => "File",
        MessageKind::Location => "Location",
        MessageKind::Meeting => "Meeting",
        MessageKind::System => "Update",
        MessageKind::Custom => "Message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TextFormat;

    fn sender() -> UserId {
        UserId::new("u").unwrap()
    }

    fn check_at(message: &SendMessage) -> Result<Content, (ErrorCode, Option<String>)> {
        check(message, &sender(), &Limits::default()).map_err(|e| (e.code(), e.field().map(str::to_owned)))
    }

    fn of_text(text: &str) -> SendMessage {
        SendMessage {
            text: Some(text.to_owned()),
            ..SendMessage::default()
        }
    }

    #[test]
    fn text_limits_hold_at_the_edge_in_characters_and_bytes() {
        assert!(check_at(&of_text(&"x".repeat(10_000))).is_ok());
        assert_eq!(
            check_at(&of_text(&"x".repeat(10_001))).unwrap_err().0,
            ErrorCode::MessageTooLong
        );
        assert!(check_at(&of_text(&"😀".repeat(4_096))).is_ok());
        assert_eq!(
            check_at(&of_text(&"😀".repeat(4_097))).unwrap_err().0,
            ErrorCode::MessageTooLong
        );
        assert_eq!(
            check_at(&of_text("\u{200b}")).unwrap_err().0,
            ErrorCode::EmptyMessage
        );
    }

    #[test]
    fn content_has_to_fit_its_kind() {
        let missing = SendMessage {
            kind: MessageKind::Location,
            ..SendMessage::default()
        };
        assert_eq!(check_at(&missing).unwrap_err().1.as_deref(), Some("location"));
        let system = SendMessage {
            kind: MessageKind::System,
            ..of_text("x")
        };
        assert_eq!(check_at(&system).unwrap_err().1.as_deref(), Some("kind"));
        let place = Location {
            latitude: 91.0,
            longitude: 0.0,
            label: None,
            live_until: None,
        };
        let outside = SendMessage {
            kind: MessageKind::Location,
            location: Some(place.clone()),
            ..SendMessage::default()
        };
        assert_eq!(
            check_at(&outside).unwrap_err().1.as_deref(),
            Some("location.latitude")
        );
        let stray = SendMessage {
            location: Some(place),
            ..of_text("x")
        };
        assert_eq!(check_at(&stray).unwrap_err().1.as_deref(), Some("location"));
    }

    #[test]
    fn the_hash_ignores_key_order_client_time_and_explicit_defaults() {
        let a: SendMessage =
            serde_json::from_str(r#"{"text":"x","custom":{"type":"t","data":{"a":1,"b":2}}}"#).unwrap();
        let b: SendMessage = serde_json::from_str(
            r#"{"custom":{"data":{"b":2,"a":1},"type":"t"},"kind":"text","text":"x","client_time":"2026-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!(payload_hash(&a), payload_hash(&b));
        let c = SendMessage {
            format: TextFormat::Markdown,
            ..a.clone()
        };
        assert_ne!(payload_hash(&a), payload_hash(&c));
    }
}

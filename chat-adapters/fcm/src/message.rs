//! A push as a message of FCM HTTP v1.

use chat_core::model::{Device, Platform};
use chat_core::port::{Push, PushKind};
use serde_json::{Map, Value, json};

/// What FCM takes of one message, in bytes; the token does not count.
const BUDGET: usize = 4_096;

/// The body of a request. A text too long for the budget is cut, and then the title.
pub(crate) fn body(device: &Device, push: &Push, now: u64) -> String {
    let mut push = push.clone();
    loop {
        let body = json!({ "message": message(device, &push, now) }).to_string();
        let over = body.len().saturating_sub(BUDGET + device.token.len());
        if over == 0 || (push.body.is_empty() && push.title.is_empty()) {
            return body;
        }
        let longer = if push.body.is_empty() {
            &mut push.title
        } else {
            &mut push.body
        };
        cut(longer, over);
    }
}

/// Takes at least so many bytes off the end, and says so with a mark where something is left.
fn cut(text: &mut String, bytes: usize) {
    const MARK: &str = "…";
    let left = text.len().saturating_sub(bytes.max(1) + MARK.len());
    text.truncate(text.floor_char_boundary(left));
    if !text.is_empty() {
        text.push_str(MARK);
    }
}

/// An object of the fields that are there.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let there = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

fn message(device: &Device, push: &Push, now: u64) -> Value {
    let shows = push.kind == PushKind::Alert && !push.title.is_empty();
    let life = push.life.as_secs().min(28 * 86_400);
    let is = |platform| device.platform == platform;
    object([
        ("token", Some(json!(device.token))),
        ("data", Some(data(push))),
        (
            "notification",
            shows.then(|| json!({ "title": push.title, "body": push.body })),
        ),
        (
            "android",
            is(Platform::Android).then(|| android(push, shows, life)),
        ),
        (
            "apns",
            is(Platform::Ios).then(|| apns(push, shows, now.saturating_add(life))),
        ),
        ("webpush", is(Platform::Web).then(|| webpush(push, shows, life))),
    ])
}

/// For the application: all values are texts.
fn data(push: &Push) -> Value {
    let clear = push.kind == PushKind::Clear;
    let seq = json!(push.seq.to_string());
    object([
        ("kind", Some(json!(push.kind.as_str()))),
        ("conversation_id", Some(json!(push.conversation_id))),
        ("message_id", push.message_id.map(|id| json!(id))),
        ("seq", (!clear).then(|| seq.clone())),
        ("up_to_seq", clear.then_some(seq)),
        ("badge", Some(json!(push.badge.to_string()))),
    ])
}

/// By which a later push replaces an earlier one. A retraction replaces nothing, and what is not shown never replaces
/// an alert.
fn collapse(push: &Push) -> Option<Value> {
    let conversation = push.conversation_id;
    match push.kind {
        PushKind::Alert => Some(json!(conversation)),
        PushKind::Retract => None,
        kind => Some(json!(format!("{conversation}:{}", kind.as_str()))),
    }
}

fn android(push: &Push, shows: bool, life: u64) -> Value {
    let urgent = push.kind == PushKind::Alert;
    let count = i32::try_from(push.badge).unwrap_or(i32::MAX);
    object([
        ("priority", Some(json!(if urgent { "HIGH" } else { "NORMAL" }))),
        ("ttl", Some(json!(format!("{life}s")))),
        ("collapse_key", collapse(push)),
        (
            "notification",
            shows.then(|| json!({ "tag": push.conversation_id, "notification_count": count })),
        ),
    ])
}

fn apns(push: &Push, shows: bool, expires: u64) -> Value {
    let headers = object([
        (
            "apns-push-type",
            Some(json!(if shows { "alert" } else { "background" })),
        ),
        ("apns-priority", Some(json!(if shows { "10" } else { "5" }))),
        ("apns-expiration", Some(json!(expires.to_string()))),
        ("apns-collapse-id", collapse(push)),
    ]);
    let aps = object([
        ("badge", Some(json!(push.badge))),
        ("thread-id", shows.then(|| json!(push.conversation_id))),
        ("sound", shows.then(|| json!("default"))),
        ("mutable-content", shows.then(|| json!(1))),
        ("content-available", (!shows).then(|| json!(1))),
    ]);
    json!({ "headers": headers, "payload": { "aps": aps } })
}

fn webpush(push: &Push, shows: bool, life: u64) -> Value {
    let urgent = push.kind == PushKind::Alert;
    // At most 32 letters.
    let topic = push.conversation_id.to_string().replace('-', "");
    let headers = object([
        ("TTL", Some(json!(life.to_string()))),
        ("Urgency", Some(json!(if urgent { "high" } else { "low" }))),
        ("Topic", urgent.then(|| json!(topic))),
    ]);
    let shown = json!({ "tag": push.conversation_id, "renotify": true });
    object([
        ("headers", Some(headers)),
        ("notification", shows.then_some(shown)),
    ])
}

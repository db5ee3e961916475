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

fn message(device: &Device, push: &Push, now: u64) -> Value {
    let conversation = push.conversation_id.to_string();
    let shows = push.kind == PushKind::Alert && !push.title.is_empty();
    let life = push.life.as_secs().min(28 * 86_400);
    let mut message = Map::new();
    message.insert("token".to_owned(), json!(device.token));
    message.insert("data".to_owned(), data(push));
    if shows {
        message.insert(
            "notification".to_owned(),
            json!({ "title": push.title, "body": push.body }),
        );
    }
    let (name, part) = match device.platform {
        Platform::Android => ("android", android(push, shows, life)),
        Platform::Ios => ("apns", apns(push, shows, now, life)),
        Platform::Web => ("webpush", webpush(push, shows, &conversation, life)),
    };
    message.insert(name.to_owned(), part);
    Value::Object(message)
}

/// For the application: all values are texts.
fn data(push: &Push) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: String| data.insert(name.to_owned(), json!(value));
    put("kind", push.kind.as_str().to_owned());
    put("conversation_id", push.conversation_id.to_string());
    if let Some(id) = push.message_id {
        put("message_id", id.to_string());
    }
    let seq = if push.kind == PushKind::Clear {
        "up_to_seq"
    } else {
        "seq"
    };
    put(seq, push.seq.to_string());
    put("badge", push.badge.to_string());
    Value::Object(data)
}

/// By which a later push replaces an earlier one. A retraction replaces nothing, and what is not shown never replaces
/// an alert.
fn collapse(push: &Push) -> Option<String> {
    let conversation = push.conversation_id.to_string();
    match push.kind {
        PushKind::Alert => Some(conversation),
        PushKind::Retract => None,
        kind => Some(format!("{conversation}:{}", kind.as_str())),
    }
}

fn android(push: &Push, shows: bool, life: u64) -> Value {
    let urgent = push.kind == PushKind::Alert;
    let mut part = json!({
        "priority": if urgent { "HIGH" } else { "NORMAL" },
        "ttl": format!("{life}s"),
    });
    if let Some(key) = collapse(push) {
        part["collapse_key"] = json!(key);
    }
    if shows {
        let count = i32::try_from(push.badge).unwrap_or(i32::MAX);
        part["notification"] = json!({
            "tag": push.conversation_id.to_string(),
            "notification_count": count,
        });
    }
    part
}

fn apns(push: &Push, shows: bool, now: u64, life: u64) -> Value {
    let expires = now.saturating_add(life);
    let mut headers = json!({
        "apns-push-type": if shows { "alert" } else { "background" },
        "apns-priority": if shows { "10" } else { "5" },
        "apns-expiration": expires.to_string(),
    });
    if let Some(key) = collapse(push) {
        headers["apns-collapse-id"] = json!(key);
    }
    let mut aps = json!({ "badge": push.badge });
    if shows {
        aps["thread-id"] = json!(push.conversation_id.to_string());
        aps["sound"] = json!("default");
        aps["mutable-content"] = json!(1);
    } else {
        aps["content-available"] = json!(1);
    }
    json!({ "headers": headers, "payload": { "aps": aps } })
}

fn webpush(push: &Push, shows: bool, conversation: &str, life: u64) -> Value {
    let urgent = push.kind == PushKind::Alert;
    let mut headers = json!({
        "TTL": life.to_string(),
        "Urgency": if urgent { "high" } else { "low" },
    });
    if urgent {
        // At most 32 letters.
        headers["Topic"] = json!(conversation.replace('-', ""));
    }
    let mut part = json!({ "headers": headers });
    if shows {
        part["notification"] = json!({ "tag": conversation, "renotify": true });
    }
    part
}

//! What an event looks like outside: the host's view, with content as it is stored and without any viewer's state.

use serde_json::{Map, Value, json};

use crate::event::ChatEvent;
use crate::model::{Message, MessageKind};
use crate::time::Timestamp;

/// The event as JSON text: `type`, `timestamp`, `data`. `None` for what is not persistent.
pub(super) fn body(event: &ChatEvent, at: Timestamp) -> Option<String> {
    let (kind, data) = match event {
        ChatEvent::MessageCreated { message }
        | ChatEvent::MessageUpdated { message }
        | ChatEvent::MessageDeleted { message } => (event.name(), json!({ "message": message_of(message) })),
        // The one name that differs from the live event's: outside, both would look the same.
        ChatEvent::MessageHidden { hide } => (
            "message_hidden",
            json!({
                "conversation_id": hide.conversation_id,
                "message_id": hide.message_id,
                "seq": hide.seq,
                "user_id": hide.user_id,
                "rev": hide.rev,
            }),
        ),
        ChatEvent::ReceiptUpdated {
            conversation_id,
            rev,
            user_id,
            delivered_seq,
            read_seq,
            ..
        } => (
            event.name(),
            json!({
                "conversation_id": conversation_id,
                "rev": rev,
                "user_id": user_id,
                "delivered_seq": delivered_seq,
                "read_seq": read_seq,
            }),
        ),
        ChatEvent::ConversationCreated {
            conversation_id,
            rev,
            users,
        } => (
            event.name(),
            json!({ "conversation_id": conversation_id, "rev": rev, "user_ids": users }),
        ),
        ChatEvent::ConversationUpdated {
            conversation_id,
            rev,
            changed,
        } => (
            event.name(),
            json!({ "conversation_id": conversation_id, "rev": rev, "changed": changed }),
        ),
        ChatEvent::ConversationRemoved {
            conversation_id,
            rev,
            reason,
            users,
        } => (
            event.name(),
            json!({ "conversation_id": conversation_id, "rev": rev, "reason": reason, "user_ids": users }),
        ),
        ChatEvent::MembersChanged {
            conversation_id,
            rev,
            added,
            removed,
            roles,
        } => (
            event.name(),
            json!({
                "conversation_id": conversation_id,
                "rev": rev,
                "added": added,
                "removed": removed,
                "roles": roles,
            }),
        ),
        ChatEvent::InboxUpdated {
            user_id,
            conversation_id,
            user_rev,
        } => (
            event.name(),
            json!({ "user_id": user_id, "conversation_id": conversation_id, "user_rev": user_rev }),
        ),
        ChatEvent::TypingChanged { .. }
        | ChatEvent::PresenceChanged { .. }
        | ChatEvent::BlockChanged { .. } => return None,
    };
    Some(json!({ "type": kind, "timestamp": at, "data": data }).to_string())
}

/// A message as it is stored. Attachments are named by id; their bytes are the host's to fetch.
fn message_of(message: &Message) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("id", json!(message.id));
    put("conversation_id", json!(message.conversation_id));
    put("seq", json!(message.seq));
    put("rev", json!(message.rev));
    put("version", json!(message.version));
    put("sender_id", json!(message.sender_id));
    put("client_id", json!(message.client_id));
    put("kind", json!(message.kind));
    put("created_at", json!(message.created_at));
    put("edited_at", json!(message.edited_at));
    put("expires_at", json!(message.expires_at));
    if let Some(deleted) = &message.deleted {
        put("deleted", json!(deleted));
        return Value::Object(fields);
    }
    if message.kind != MessageKind::System {
        put("text", json!(message.text));
        put("format", json!(message.format));
    }
    let content = &message.content;
    if !content.attachments.is_empty() {
        put("attachment_ids", json!(content.attachments));
    }
    put("location", json!(content.location));
    put("meeting", json!(content.meeting));
    put("custom", json!(content.custom));
    put("system", json!(content.system));
    put(
        "reply_to",
        json!(message.reply_to.map(|target| target.message_id)),
    );
    if !message.mentions.is_empty() {
        put("mentions", json!(message.mentions));
    }
    if message.mentions_all {
        put("mentions_all", json!(true));
    }
    put("silent", json!(message.silent));
    put("client_time", json!(message.client_time));
    Value::Object(fields)
}

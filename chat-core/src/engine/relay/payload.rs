//! What an event looks like outside: the host's view, with content as it is stored and without any viewer's state.

use serde::Serialize;
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
        // Two names that differ from the live event's: outside, they would look like a deletion for everyone.
        ChatEvent::MessageExpired { message } => {
            ("message_expired", json!({ "message": identity_of(message) }))
        }
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
            muted,
        } => (
            event.name(),
            json!({
                "conversation_id": conversation_id,
                "rev": rev,
                "added": added,
                "removed": removed,
                "roles": roles,
                "muted": muted,
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
        | ChatEvent::BlockChanged { .. }
        | ChatEvent::MuteChanged { .. }
        | ChatEvent::StarChanged { .. }
        | ChatEvent::ScheduledChanged { .. } => return None,
    };
    Some(json!({ "type": kind, "timestamp": at, "data": data }).to_string())
}

/// A message without what it says.
fn identity_of(message: &Message) -> Fields {
    let mut fields = Fields::default();
    fields.put("id", json!(message.id));
    fields.put("conversation_id", json!(message.conversation_id));
    fields.put("seq", json!(message.seq));
    fields.put("rev", json!(message.rev));
    fields.put("version", json!(message.version));
    fields.put("sender_id", json!(message.sender_id));
    fields.put("client_id", json!(message.client_id));
    fields.put("kind", json!(message.kind));
    fields.put("created_at", json!(message.created_at));
    fields.put("edited_at", json!(message.edited_at));
    fields.put("expires_at", json!(message.expires_at));
    fields.put("deleted", json!(message.deleted));
    fields
}

/// A message as it is stored. Attachments are named by id; their bytes are the host's to fetch.
fn message_of(message: &Message) -> Fields {
    let mut fields = identity_of(message);
    if message.is_deleted() {
        return fields;
    }
    if message.kind != MessageKind::System {
        fields.put("text", json!(message.text));
        fields.put("format", json!(message.format));
    }
    let content = &message.content;
    if !content.attachments.is_empty() {
        fields.put("attachment_ids", json!(content.attachments));
    }
    fields.put("location", json!(content.location));
    fields.put("meeting", json!(content.meeting));
    fields.put("custom", json!(content.custom));
    fields.put("system", json!(content.system));
    fields.put("forwarded", json!(content.forwarded));
    if let Some(kept) = &message.kept {
        fields.put("kept", json!({ "by": kept.by, "at": kept.at }));
    }
    fields.put(
        "reply_to",
        json!(message.reply_to.map(|target| target.message_id)),
    );
    if !message.mentions.is_empty() {
        fields.put("mentions", json!(message.mentions));
    }
    if message.mentions_all {
        fields.put("mentions_all", json!(true));
    }
    fields.put("pinned", json!(message.pinned));
    fields.put("silent", json!(message.silent));
    fields.put("client_time", json!(message.client_time));
    fields
}

/// The fields of an object, without the absent ones.
#[derive(Default, Serialize)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: Value) {
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
    }
}

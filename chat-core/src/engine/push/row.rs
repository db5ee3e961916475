//! What of a push waits in the outbox: whom and what it is about, never what it says.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event::ChatEvent;
use crate::id::{ConversationId, IdGenerator, MessageId, UserId};
use crate::model::{Message, MessageKind};
use crate::store::{Facts, OutboxEntry};
use crate::time::Timestamp;

/// The topic of pushes in the outbox.
pub(crate) const TOPIC: &str = "push";

/// An entry of the outbox about one message: for all whom it may concern, or for one device that has to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) about: About,
    pub(super) conversation_id: ConversationId,
    pub(super) message_id: MessageId,
    /// When it was caused.
    pub(super) at: Timestamp,
    /// Only these users; all members otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) users: Option<Vec<UserId>>,
    /// Everybody up to this user has been looked after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<UserId>,
    /// Only this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<OneDevice>,
}

/// Why devices may have to hear of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum About {
    /// It is new.
    New,
    /// An edit mentions users it did not mention before.
    Mentioned,
    /// It was deleted for everyone.
    Retracted,
}

/// One device: the key of its entry tells which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OneDevice {
    pub(super) user: UserId,
    /// How often it was tried before this entry came to be.
    pub(super) tried: u32,
}

impl Row {
    fn of(about: About, message: &Message, at: Timestamp) -> Self {
        Self {
            about,
            conversation_id: message.conversation_id,
            message_id: message.id,
            at,
            users: None,
            after: None,
            to: None,
        }
    }

    /// As JSON. Ids and numbers are always written.
    pub(super) fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The entry of a message; one conversation is worked off in order.
    fn entry(&self, ids: &dyn IdGenerator) -> OutboxEntry {
        self.entry_of(ids.next(), self.conversation_id.to_string(), self.at)
    }

    /// The entry for one device; one device is worked off in order.
    pub(super) fn for_device(
        &self,
        id: Uuid,
        user: UserId,
        key: &str,
        tried: u32,
        due: Timestamp,
    ) -> OutboxEntry {
        let to = Some(OneDevice { user, tried });
        let row = Self {
            users: None,
            after: None,
            to,
            ..self.clone()
        };
        row.entry_of(id, key.to_owned(), due)
    }

    fn entry_of(&self, id: Uuid, key: String, created_at: Timestamp) -> OutboxEntry {
        OutboxEntry {
            id,
            topic: TOPIC.to_owned(),
            key,
            payload: self.payload(),
            created_at,
        }
    }
}

/// What tells one device in the outbox, where no token stands.
pub(super) fn device_key(token: &str) -> String {
    Sha256::digest(token.as_bytes())
        .iter()
        .take(20)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// One entry for each event that devices may have to hear of, however many members there are.
pub(crate) fn entries(
    events: &[ChatEvent],
    facts: &Facts,
    now: Timestamp,
    ids: &dyn IdGenerator,
) -> Vec<OutboxEntry> {
    let rows = events.iter().filter_map(|event| row_of(event, facts, now));
    rows.map(|row| row.entry(ids)).collect()
}

fn row_of(event: &ChatEvent, facts: &Facts, now: Timestamp) -> Option<Row> {
    match event {
        ChatEvent::MessageCreated { message } if message.kind != MessageKind::System && !message.silent => {
            Some(Row::of(About::New, message, now))
        }
        ChatEvent::MessageUpdated { message } => {
            let before = facts.messages.get(&message.id)?;
            let all = message.mentions_all && !before.mentions_all;
            let new = message.mentions.iter();
            let new: Vec<UserId> = new
                .filter(|user| !before.mentions.contains(user))
                .cloned()
                .collect();
            if !all && new.is_empty() {
                return None;
            }
            Some(Row {
                users: (!all).then_some(new),
                ..Row::of(About::Mentioned, message, now)
            })
        }
        ChatEvent::MessageDeleted { message } => Some(Row::of(About::Retracted, message, now)),
        _ => None,
    }
}

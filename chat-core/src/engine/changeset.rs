//! Builds what a decision writes: each step takes the next rev, so every persistent event has one of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::commit::Decision;
use crate::config::Policies;
use crate::event::ChatEvent;
use crate::id::{AttachmentId, MessageId, UserId};
use crate::model::{
    Content, Conversation, JsonObject, Member, Message, MessageKind, Rev, SystemContent, TextFormat,
};
use crate::store::{Facts, Writes};
use crate::time::Timestamp;

/// A change of one conversation in the making.
#[derive(Debug)]
pub(crate) struct ChangeSet {
    /// The conversation as it will be.
    pub(crate) conversation: Conversation,
    /// The time of the change: the store's, but never before the last change.
    pub(crate) at: Timestamp,
    /// What else will be written.
    pub(crate) writes: Writes,
    events: Vec<ChatEvent>,
    user_revs: HashMap<UserId, u64>,
    /// How many messages that show a file go with this change.
    pub(super) going_uses: HashMap<AttachmentId, u64>,
}

impl ChangeSet {
    pub(crate) fn of(conversation: &Conversation, facts: &Facts) -> Self {
        let at = facts.now.max(conversation.changed_at);
        let mut conversation = conversation.clone();
        conversation.changed_at = at;
        Self {
            conversation,
            at,
            writes: Writes::none(),
            events: Vec::new(),
            user_revs: facts.user_revs.clone(),
            going_uses: HashMap::new(),
        }
    }

    /// Takes the next rev.
    pub(crate) fn next_rev(&mut self) -> Rev {
        self.conversation.rev += 1;
        self.conversation.rev
    }

    /// Adds what happened. Events go out in the order of these calls, which must be the order of their revs.
    pub(crate) fn event(&mut self, event: ChatEvent) {
        self.events.push(event);
    }

    /// Writes a member; a second write of the same member replaces the first.
    pub(crate) fn put_member(&mut self, member: Member) {
        match self
            .writes
            .members
            .iter_mut()
            .find(|other| other.user_id == member.user_id)
        {
            Some(slot) => *slot = member,
            None => self.writes.members.push(member),
        }
    }

    /// Moves a user's `user_rev` (once per change) and returns the new value. The user must be among
    /// [`Needs::user_revs`](crate::store::Needs::user_revs).
    pub(crate) fn next_user_rev(&mut self, user: &UserId) -> u64 {
        if let Some((_, rev)) = self.writes.user_revs.iter().find(|(other, _)| other == user) {
            return *rev;
        }
        let rev = self.user_revs.get(user).copied().unwrap_or_default() + 1;
        self.writes.user_revs.push((user.clone(), rev));
        rev
    }

    /// Appends a message: gives it the next seq and rev, stamps when it disappears, and moves what follows from it.
    pub(crate) fn append(&mut self, mut message: Message) -> Arc<Message> {
        let rev = self.next_rev();
        self.conversation.last_seq += 1;
        message.seq = self.conversation.last_seq;
        message.rev = rev;
        message.created_at = self.at;
        message.conversation_id = self.conversation.id;
        self.conversation.horizon.oldest_at.get_or_insert(self.at);
        if message.kind != MessageKind::System {
            message.expires_at =
                (self.conversation.message_ttl_ms).map(|ttl| self.at.after(Duration::from_millis(ttl)));
        }
        if message.countable {
            self.conversation
                .note_countable(message.seq, &message.sender_id, self.at);
        }
        self.writes.messages.push(message.clone());
        let message = Arc::new(message);
        self.event(ChatEvent::MessageCreated {
            message: Arc::clone(&message),
        });
        message
    }

    /// Appends a line written by the engine; in a large group only the one that tells of the beginning, which also
    /// keeps what the group was made from.
    pub(crate) fn append_system(
        &mut self,
        id: MessageId,
        sender: &UserId,
        code: &str,
        params: Map<String, Value>,
        policies: &Policies,
    ) {
        let small = usize::try_from(self.conversation.member_count)
            .is_ok_and(|count| count <= policies.large_group_threshold);
        if !small && code != "conversation_created" {
            return;
        }
        let content = Content {
            system: Some(SystemContent {
                code: code.to_owned(),
                params: JsonObject(params),
            }),
            ..Content::default()
        };
        let line = Message {
            id,
            conversation_id: self.conversation.id,
            seq: 0,
            rev: 0,
            sender_id: sender.clone(),
            client_id: None,
            payload_hash: None,
            kind: MessageKind::System,
            text: String::new(),
            format: TextFormat::Plain,
            content,
            reply_to: None,
            mentions: Vec::new(),
            mentions_all: false,
            silent: false,
            // A pin is told to everybody and is news to nobody.
            countable: policies.system_countable && code != "message_pinned",
            client_time: None,
            created_at: self.at,
            edited_at: None,
            version: 1,
            deleted: None,
            expires_at: None,
            kept: None,
            pinned: None,
        };
        self.append(line);
    }

    /// Rewrites a message under the next rev.
    pub(crate) fn update_message(&mut self, mut message: Message) -> Arc<Message> {
        message.rev = self.next_rev();
        self.writes.messages.push(message.clone());
        Arc::new(message)
    }

    /// The decision these steps come to.
    pub(crate) fn done<T>(mut self, answer: T) -> Decision<T> {
        self.writes.conversation = Some(self.conversation);
        Decision {
            writes: self.writes,
            events: self.events,
            answer,
        }
    }
    /// The decision of a change that only the user whose member row it is can see: the conversation stays as it is,
    /// so nobody else hears that something happened.
    pub(crate) fn done_private<T>(self, answer: T) -> Decision<T> {
        Decision {
            writes: self.writes,
            events: self.events,
            answer,
        }
    }
}

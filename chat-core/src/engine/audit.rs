//! Entries of the audit log: who used his power over others for what. They are written in the same step as the act.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Actor;
use super::changeset::ChangeSet;
use crate::id::{AuditId, ConversationId, UserId};
use crate::model::{AuditAction, AuditEntry, AuditTarget, JsonObject};
use crate::time::Timestamp;

/// Who is to stand in the log.
#[derive(Debug, Clone)]
pub(crate) struct Auditor {
    /// The id of the first entry; further ones of the same act follow.
    first: Uuid,
    actor: Option<UserId>,
    /// `host` or `moderator`, where he does not act by his own rank.
    capacity: Option<&'static str>,
}

/// What an entry is about.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) action: AuditAction,
    pub(crate) target: AuditTarget,
    pub(crate) target_id: String,
    pub(crate) details: Map<String, Value>,
}

impl Act {
    pub(crate) fn new(action: AuditAction, target: AuditTarget, id: impl ToString) -> Self {
        Self {
            action,
            target,
            target_id: id.to_string(),
            details: Map::new(),
        }
    }

    /// Adds a detail, where there is one.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Option<Value>>) -> Self {
        if let Some(value) = value.into() {
            self.details.insert(name.to_owned(), value);
        }
        self
    }
}

impl Auditor {
    /// The host itself, under nobody's name.
    pub(crate) fn host(first: Uuid) -> Self {
        Self {
            first,
            actor: None,
            capacity: Some("host"),
        }
    }

    /// The `nth` entry of an act.
    pub(crate) fn entry(
        &self,
        nth: usize,
        at: Timestamp,
        conversation_id: Option<ConversationId>,
        mut act: Act,
    ) -> AuditEntry {
        if let Some(capacity) = self.capacity {
            act.details.insert("as".to_owned(), Value::from(capacity));
        }
        let id = self.first.as_u128().wrapping_add(nth as u128);
        AuditEntry {
            id: AuditId::from_uuid(Uuid::from_u128(id)),
            at,
            actor: self.actor.clone(),
            action: act.action,
            target: act.target,
            target_id: act.target_id,
            conversation_id,
            details: JsonObject(act.details),
        }
    }
}

impl Actor {
    /// This actor as the log names him, for one act.
    pub(crate) fn auditor(&self) -> Auditor {
        Auditor {
            first: self.inner().ids.next(),
            actor: Some(self.user_id().clone()),
            capacity: match (self.is_moderator(), self.is_host()) {
                (_, false) => None,
                (true, true) => Some("moderator"),
                (false, true) => Some("host"),
            },
        }
    }
}

impl ChangeSet {
    /// Adds an entry to the log, written with the rest of the change.
    pub(crate) fn audit(&mut self, by: &Auditor, act: Act) {
        let entry = by.entry(self.writes.audit.len(), self.at, Some(self.conversation.id), act);
        self.writes.audit.push(entry);
    }
}

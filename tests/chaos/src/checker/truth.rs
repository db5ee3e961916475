//! What was in the store at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::Failure;
use crate::history::Line;

/// A conversation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Conversation {
    pub(super) c: String,
    pub(super) group: bool,
    pub(super) last_seq: u64,
    pub(super) rev: u64,
    pub(super) members: u64,
    pub(super) pair: Option<(String, String)>,
}

/// A membership.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    pub(super) c: String,
    pub(super) u: String,
    pub(super) role: String,
    pub(super) active: bool,
    pub(super) intervals: Vec<(u64, Option<u64>)>,
    pub(super) read: u64,
    pub(super) delivered: u64,
    pub(super) floor: u64,
    pub(super) from: u64,
    pub(super) unread_from: Option<u64>,
    pub(super) pinned: bool,
    pub(super) muted: bool,
    pub(super) archived: Option<u64>,
    pub(super) hidden: Option<u64>,
}

impl Member {
    /// Whether his memberships, past ones too, cover a seq.
    pub(super) fn covers(&self, seq: u64) -> bool {
        self.intervals
            .iter()
            .any(|(from, to)| seq >= *from && to.is_none_or(|to| seq <= to))
    }

    /// Whether his present membership covers a seq.
    pub(super) fn covers_now(&self, seq: u64) -> bool {
        self.active
            && self
                .intervals
                .iter()
                .any(|(from, to)| to.is_none() && seq >= *from)
    }
}

/// A message.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Message {
    pub(super) c: String,
    pub(super) s: u64,
    pub(super) r: u64,
    pub(super) id: String,
    pub(super) by: String,
    pub(super) key: Option<String>,
    pub(super) body: Option<String>,
    pub(super) ver: u64,
    pub(super) del: bool,
    pub(super) sys: bool,
    pub(super) silent: bool,
    pub(super) begin: bool,
    pub(super) mentions: Vec<String>,
    pub(super) pin: bool,
}

impl Message {
    /// Whether it makes conversations unread; a tombstone did before it was one.
    pub(super) const fn countable(&self) -> bool {
        !self.sys && !self.silent
    }
}

#[derive(Deserialize)]
struct Pair {
    m: String,
    u: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    on: bool,
}

#[derive(Deserialize)]
struct Block {
    by: String,
    of: String,
    on: bool,
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) conversations: BTreeMap<String, Conversation>,
    /// By conversation, then user.
    pub(super) members: BTreeMap<String, BTreeMap<String, Member>>,
    /// By conversation, in order of rows.
    pub(super) messages: BTreeMap<String, Vec<Message>>,
    /// Conversation and place in `messages` by id.
    pub(super) by_id: BTreeMap<String, Message>,
    /// Who reacted with what, by message.
    pub(super) reactions: BTreeMap<String, BTreeSet<(String, String)>>,
    /// User and message.
    pub(super) hides: BTreeSet<(String, String)>,
    /// User and message.
    pub(super) stars: BTreeSet<(String, String)>,
    /// Who blocks whom.
    pub(super) blocks: BTreeSet<(String, String)>,
}

impl Truth {
    pub(super) fn take(&mut self, line: &Line) -> Result<(), Failure> {
        let v = line.v.clone();
        match line.op.as_str() {
            "conversation" => {
                let row: Conversation = serde_json::from_value(v)?;
                self.conversations.insert(row.c.clone(), row);
            }
            "member" => {
                let row: Member = serde_json::from_value(v)?;
                self.members
                    .entry(row.c.clone())
                    .or_default()
                    .insert(row.u.clone(), row);
            }
            "message" => {
                let row: Message = serde_json::from_value(v)?;
                self.by_id.insert(row.id.clone(), row.clone());
                self.messages.entry(row.c.clone()).or_default().push(row);
            }
            "reaction" => {
                let row: Pair = serde_json::from_value(v)?;
                self.reactions.entry(row.m).or_default().insert((row.u, row.e));
            }
            "hide" => {
                let row: Pair = serde_json::from_value(v)?;
                self.hides.insert((row.u, row.m));
            }
            "star" => {
                let row: Pair = serde_json::from_value(v)?;
                if row.on {
                    self.stars.insert((row.u, row.m));
                }
            }
            "block" => {
                let row: Block = serde_json::from_value(v)?;
                if row.on {
                    self.blocks.insert((row.by, row.of));
                }
            }
            other => return Err(format!("rows of {other} are not known").into()),
        }
        Ok(())
    }

    pub(super) fn member(&self, conversation: &str, user: &str) -> Option<&Member> {
        self.members.get(conversation)?.get(user)
    }

    pub(super) fn messages_of(&self, conversation: &str) -> &[Message] {
        self.messages.get(conversation).map_or(&[], Vec::as_slice)
    }

    /// Whether either blocks the other.
    pub(super) fn block_between(&self, one: &str, other: &str) -> bool {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        self.blocks.contains(&pair(one, other)) || self.blocks.contains(&pair(other, one))
    }
}

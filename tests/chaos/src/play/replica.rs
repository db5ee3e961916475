//! What one client has of the chat: kept by sync and live events as the documents tell clients to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::set;
use crate::history::Seen;

/// One conversation as the client has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    /// As sync told it, and live events changed it.
    pub(crate) view: Value,
    /// Everything up to this rev was heard of.
    rev: u64,
    pub(crate) messages: BTreeMap<u64, Seen>,
}

impl Room {
    fn text(&self, path: &str) -> Option<&str> {
        self.view.pointer(path).and_then(Value::as_str)
    }

    pub(crate) fn is_group(&self) -> bool {
        self.text("/kind") == Some("group")
    }

    /// One's own rank.
    pub(crate) fn role(&self) -> &str {
        self.text("/my/role").unwrap_or("member")
    }

    pub(crate) fn peer(&self) -> Option<&str> {
        self.text("/peer/id")
    }

    pub(crate) fn last_seq(&self) -> u64 {
        let told = self.view.get("last_seq").and_then(Value::as_u64).unwrap_or(0);
        let newest = self.messages.keys().next_back().copied().unwrap_or(0);
        told.max(newest)
    }

    /// Members with their ranks.
    pub(crate) fn members(&self) -> BTreeMap<String, String> {
        let members = self.view.get("members").and_then(Value::as_array);
        let pair = |member: &Value| {
            Some((
                member.pointer("/user/id")?.as_str()?.to_owned(),
                member.get("role")?.as_str()?.to_owned(),
            ))
        };
        members.into_iter().flatten().filter_map(pair).collect()
    }

    fn store(&mut self, seen: Seen) {
        // 0 is a state nobody told the rev of.
        if self.messages.get(&seen.s).is_some_and(|known| known.r > seen.r) {
            return;
        }
        if seen.gone {
            self.messages.remove(&seen.s);
        } else {
            self.messages.insert(seen.s, seen);
        }
    }

    fn drop_below(&mut self, seq: u64) {
        self.messages.retain(|known, _| *known >= seq);
    }
}

/// What the client has to do after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Nothing,
    /// Sync: the event does not tell all.
    Sync,
}

/// What a client has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replica {
    pub(crate) rooms: BTreeMap<String, Room>,
    pub(crate) blocked: BTreeSet<String>,
    stars: BTreeSet<String>,
    badge: Value,
    pub(crate) token: Option<String>,
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl Replica {
    /// Takes an answer of sync; the conversations whose history has to be read now.
    pub(crate) fn synced(&mut self, answer: &Value) -> Vec<String> {
        let mut limited = Vec::new();
        for removed in items(answer.get("removed")) {
            if let Some(id) = text(removed, "conversation_id") {
                self.rooms.remove(&id);
            }
        }
        for changed in items(answer.get("conversations")) {
            let Some(view) = changed.get("conversation") else {
                continue;
            };
            let Some(id) = text(view, "id") else { continue };
            let room = self.rooms.entry(id.clone()).or_default();
            room.rev = view.get("rev").and_then(Value::as_u64).unwrap_or(0);
            room.view = view.clone();
            for seen in items(changed.get("messages")).filter_map(Seen::of) {
                room.store(seen);
            }
            room.drop_below(view.get("first_seq").and_then(Value::as_u64).unwrap_or(1));
            if changed.get("limited") == Some(&Value::Bool(true)) {
                limited.push(id);
            }
        }
        self.blocked
            .extend(strings(answer.pointer("/blocks/added")).map(str::to_owned));
        for user in strings(answer.pointer("/blocks/removed")) {
            self.blocked.remove(user);
        }
        self.stars
            .extend(items(answer.pointer("/stars/added")).filter_map(|star| text(star, "message_id")));
        for star in items(answer.pointer("/stars/removed")) {
            if let Some(id) = text(star, "message_id") {
                self.stars.remove(&id);
            }
        }
        self.badge = answer.get("badge").cloned().unwrap_or_default();
        self.token = text(answer, "token");
        limited
    }

    /// Takes a whole history in the place of what was known.
    pub(crate) fn read(&mut self, conversation: &str, messages: Vec<Seen>) {
        if let Some(room) = self.rooms.get_mut(conversation) {
            room.messages = messages.into_iter().map(|seen| (seen.s, seen)).collect();
        }
    }

    /// Takes a message from the answer to one's own command, which gets no event.
    pub(crate) fn take(&mut self, seen: Seen) -> Next {
        let Some(room) = self.rooms.get_mut(&seen.c) else {
            return Next::Sync;
        };
        room.store(seen);
        Next::Nothing
    }

    /// Whether it has that message.
    pub(crate) fn has(&self, seen: &Seen) -> bool {
        (self.rooms.get(&seen.c)).is_some_and(|room| room.messages.contains_key(&seen.s))
    }

    /// A message one has deleted over this very connection; the answer tells no rev.
    pub(crate) fn deleted(&mut self, conversation: &str, seq: u64, for_everyone: bool) {
        let Some(room) = self.rooms.get_mut(conversation) else {
            return;
        };
        if !for_everyone {
            room.messages.remove(&seq);
        } else if let Some(known) = room.messages.get_mut(&seq) {
            known.del = true;
            known.r = 0;
            known.body = None;
            known.re.clear();
            known.pin = false;
        }
    }

    /// Takes a live event.
    pub(crate) fn event(&mut self, name: &str, data: &Value) -> Next {
        match name {
            "lagged" | "conversation_created" => return Next::Sync,
            "block_changed" => {
                if let Some(user) = text(data, "user_id") {
                    if data.get("blocked") == Some(&Value::Bool(true)) {
                        self.blocked.insert(user);
                    } else {
                        self.blocked.remove(&user);
                    }
                }
                return Next::Nothing;
            }
            "star_changed" => {
                if let Some(id) = text(data, "message_id") {
                    if data.get("starred") == Some(&Value::Bool(true)) {
                        self.stars.insert(id);
                    } else {
                        self.stars.remove(&id);
                    }
                }
                return Next::Nothing;
            }
            _ => {}
        }
        let Some(id) = text(data, "conversation_id") else {
            return Next::Nothing;
        };
        let Some(room) = self.rooms.get_mut(&id) else {
            let is_news = data.get("rev").is_some() && name != "conversation_removed";
            return if is_news { Next::Sync } else { Next::Nothing };
        };
        if let Some(rev) = data.get("rev").and_then(Value::as_u64) {
            if rev <= room.rev {
                return Next::Nothing;
            }
            room.rev = rev;
        }
        match name {
            "message_created" | "message_updated" | "message_deleted" => {
                if let Some(seen) = data.get("message").and_then(Seen::of) {
                    room.store(seen);
                }
            }
            "conversation_removed" => {
                self.rooms.remove(&id);
            }
            "members_changed" => change_members(room, data),
            "inbox_updated" => {
                if data.get("hidden") == Some(&Value::Bool(true)) {
                    self.rooms.remove(&id);
                    return Next::Nothing;
                }
                for name in ["pinned_at", "muted_until", "visible_from_seq"] {
                    if let (Some(value), Some(my)) = (data.get(name), room.view.get_mut("my")) {
                        set(my, name, value.clone());
                    }
                }
                room.drop_below(data.get("visible_from_seq").and_then(Value::as_u64).unwrap_or(1));
            }
            _ => {}
        }
        Next::Nothing
    }

    /// What the client has, to be compared with what it should have.
    pub(crate) fn show(&self) -> Value {
        let rooms: serde_json::Map<String, Value> = self
            .rooms
            .iter()
            .map(|(id, room)| {
                let view = &room.view;
                let shown = json!({
                    "last_seq": view.get("last_seq"), "rev": view.get("rev"), "members": room.members(),
                    "my": view.get("my"), "last": view.pointer("/last_message/seq"),
                    "messages": room.messages.values().collect::<Vec<_>>(),
                });
                (id.clone(), shown)
            })
            .collect();
        json!({ "conversations": rooms, "blocks": self.blocked, "stars": self.stars, "badge": self.badge })
    }
}

fn change_members(room: &mut Room, data: &Value) {
    let Some(members) = room.view.get_mut("members").and_then(Value::as_array_mut) else {
        return;
    };
    let id = |member: &Value| {
        member
            .pointer("/user/id")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let added: Vec<Value> = items(data.get("added")).cloned().collect();
    let mut gone: BTreeSet<String> = strings(data.get("removed")).map(str::to_owned).collect();
    gone.extend(added.iter().filter_map(id));
    members.retain(|member| id(member).is_none_or(|id| !gone.contains(&id)));
    members.extend(added);
    for member in members {
        if let Some(role) = id(member).and_then(|id| data.get("roles")?.get(id)) {
            set(member, "role", role.clone());
        }
    }
}

//! What a user should see, worked out from the rows by the naive reading of the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::truth::{Conversation, Member, Message, Truth};

/// A message as a user should have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) id: String,
    pub(super) r: u64,
    pub(super) ver: u64,
    pub(super) del: bool,
    pub(super) body: Option<String>,
    pub(super) re: BTreeMap<String, (u64, bool)>,
    pub(super) pin: bool,
}

/// A conversation as a user should have it.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) members: BTreeMap<String, String>,
    pub(super) messages: BTreeMap<u64, State>,
    pub(super) role: String,
    pub(super) read: u64,
    pub(super) delivered: u64,
    pub(super) visible_from: u64,
    pub(super) pinned: bool,
    pub(super) muted: bool,
    pub(super) archived: bool,
    pub(super) marked_unread: bool,
    pub(super) unread: u64,
    pub(super) mentions: u64,
    pub(super) last_seq: u64,
    pub(super) rev: u64,
    /// The seq of the line in the list.
    pub(super) last: Option<u64>,
}

/// What one user should have.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) blocks: BTreeSet<String>,
}

impl Expected {
    /// (unread messages, unread conversations, mentions): what is muted, archived or hidden does not count.
    pub(super) fn badge(&self) -> (u64, u64, u64) {
        let mut badge = (0, 0, 0);
        for room in self.rooms.values().filter(|room| !room.muted && !room.archived) {
            badge.0 += room.unread;
            badge.1 += u64::from(room.unread > 0 || room.marked_unread);
            badge.2 += room.mentions;
        }
        badge
    }
}

/// What a user should see of everything.
pub(super) fn expected(truth: &Truth, user: &str) -> Expected {
    let mine = |c: &&Conversation| truth.member(&c.c, user).is_some_and(|member| member.active);
    let rooms = truth
        .conversations
        .values()
        .filter(mine)
        .filter_map(|conversation| {
            let member = truth.member(&conversation.c, user)?;
            let rows = truth.messages_of(&conversation.c);
            (!is_hidden(member, rows))
                .then(|| (conversation.c.clone(), room(truth, conversation, member, rows)))
        })
        .collect();
    let blocks = truth.blocks.iter().filter(|(by, _)| by == user);
    Expected {
        rooms,
        blocks: blocks.map(|(_, of)| of.clone()).collect(),
    }
}

/// A hidden conversation comes back with the next message that counts.
fn is_hidden(member: &Member, rows: &[Message]) -> bool {
    member
        .hidden
        .is_some_and(|seq| !rows.iter().any(|row| row.countable() && row.s > seq))
}

/// An archived one comes back with the next message that counts and is somebody else's, unless it is muted.
fn is_archived(member: &Member, rows: &[Message]) -> bool {
    member.archived.is_some_and(|seq| {
        member.muted
            || !rows
                .iter()
                .any(|row| row.countable() && row.by != member.u && row.s > seq)
    })
}

fn room(truth: &Truth, conversation: &Conversation, member: &Member, rows: &[Message]) -> Room {
    let hidden = |row: &Message| truth.hides.contains(&(member.u.clone(), row.id.clone()));
    let visible: Vec<&Message> = rows
        .iter()
        .filter(|row| member.covers(row.s) && row.s >= member.from && !hidden(row))
        .collect();
    let blocked =
        |who: &str| conversation.group && truth.blocks.contains(&(member.u.clone(), who.to_owned()));
    let after = match member.unread_from {
        Some(from) => from.max(member.from).saturating_sub(1),
        None => member.read.max(member.floor).max(member.from.saturating_sub(1)),
    };
    let counts = |row: &&&Message| {
        row.s > after && !row.del && row.countable() && row.by != member.u && !blocked(&row.by)
    };
    let unread: Vec<&&Message> = visible.iter().filter(counts).collect();
    let shows = |row: &&&Message| !row.del && (!row.sys || row.begin);
    Room {
        members: truth
            .members
            .get(&conversation.c)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|member| member.active)
            .map(|member| (member.u.clone(), member.role.clone()))
            .collect(),
        last: visible.iter().rev().find(shows).map(|row| row.s),
        unread: unread.len() as u64,
        mentions: unread
            .iter()
            .filter(|row| row.mentions.contains(&member.u))
            .count() as u64,
        messages: visible
            .into_iter()
            .map(|row| (row.s, state(truth, member, row)))
            .collect(),
        role: member.role.clone(),
        read: member.read,
        delivered: member.delivered,
        visible_from: sees_from(member),
        pinned: member.pinned,
        muted: member.muted,
        archived: is_archived(member, rows),
        marked_unread: member.unread_from.is_some(),
        last_seq: conversation.last_seq,
        rev: conversation.rev,
    }
}

/// Where what he may see begins.
fn sees_from(member: &Member) -> u64 {
    let first = member
        .intervals
        .iter()
        .find(|(_, to)| to.is_none_or(|to| to >= member.from));
    first.map_or(member.from, |(from, _)| (*from).max(member.from))
}

fn state(truth: &Truth, member: &Member, row: &Message) -> State {
    let mut re: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    if !row.del {
        for (user, emoji) in truth.reactions.get(&row.id).into_iter().flatten() {
            let entry = re.entry(emoji.clone()).or_default();
            entry.0 += 1;
            entry.1 |= *user == member.u;
        }
    }
    State {
        id: row.id.clone(),
        r: row.r,
        ver: row.ver,
        del: row.del,
        body: row.body.clone().filter(|_| !row.del),
        re,
        pin: row.pin,
    }
}

//! Through whose eyes messages are read: the rules are asked about each message that the indexes propose, so no query
//! repeats them.

use std::collections::HashSet;

use chat_core::access::Sight;
use chat_core::config::BlockedInGroup;
use chat_core::id::{MessageId, UserId};
use chat_core::model::{Member, Message};
use chat_core::store::Viewer;
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use crate::codec::key;
use crate::collection::Collection;
use crate::database::{Database, Find};
use crate::error::Error;
use crate::row::{Row, int, uuid};

/// Whose eyes, when, and under which policy.
#[derive(Clone)]
pub(super) struct Looker {
    pub(super) user: UserId,
    pub(super) now: Timestamp,
    pub(super) blocked_in_group: BlockedInGroup,
}

impl From<&Viewer> for Looker {
    fn from(viewer: &Viewer) -> Self {
        Self {
            user: viewer.member.user_id.clone(),
            now: viewer.now,
            blocked_in_group: viewer.blocked_in_group,
        }
    }
}

/// What is known of some messages for one user: which he hid, and whose senders he blocked.
pub(super) struct Eyes {
    looker: Looker,
    hidden: HashSet<MessageId>,
    blocked: HashSet<String>,
}

impl Eyes {
    pub(super) async fn on(
        database: &Database,
        looker: &Looker,
        messages: &[Message],
    ) -> Result<Self, Error> {
        let hides: Vec<String> = messages
            .iter()
            .map(|m| key::of_message(&looker.user, m.id))
            .collect();
        let senders: HashSet<&str> = messages.iter().map(|m| m.sender_id.as_str()).collect();
        let senders: Vec<&str> = senders.into_iter().collect();
        let (hidden, blocked) = if messages.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let hides = Find::all(doc! { "_id": { "$in": hides }, "gone": null }).only(&["message_id"]);
            let blocks =
                doc! { "blocker": looker.user.as_str(), "blocked": { "$in": senders }, "active": true };
            futures::try_join!(
                database.list(Collection::Hides, hides, |hide| Row(hide).message("message_id")),
                database.list(
                    Collection::Blocks,
                    Find::all(blocks).only(&["blocked"]),
                    |block| { Row(block).text("blocked") }
                ),
            )?
        };
        Ok(Self {
            looker: looker.clone(),
            hidden: hidden.into_iter().collect(),
            blocked: blocked.into_iter().collect(),
        })
    }

    pub(super) fn sight<'a>(&self, member: &'a Member, group: bool, message: &Message) -> Sight<'a> {
        Sight {
            member,
            now: self.looker.now,
            hidden: self.hidden.contains(&message.id),
            sender_blocked: self.blocked.contains(message.sender_id.as_str()),
            group,
            blocked_in_group: self.looker.blocked_in_group,
        }
    }
}

/// The seqs between `from` and `to` that a member's intervals cover and he has not cleared, as disjoint ranges.
pub(super) fn ranges(member: &Member, from: u64, to: u64) -> Vec<(u64, u64)> {
    if !member.is_active() {
        return Vec::new();
    }
    let from = from.max(member.visible_from);
    let mut ranges: Vec<(u64, u64)> = member
        .intervals
        .iter()
        .map(|i| (i.from.max(from), i.to.unwrap_or(u64::MAX).min(to)))
        .filter(|(low, high)| low <= high)
        .collect();
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    merged
}

/// Messages of the member's conversation in these ranges; `None` when there are none.
pub(super) fn within(member: &Member, ranges: &[(u64, u64)]) -> Option<Document> {
    let between = |(low, high): &(u64, u64)| doc! { "$gte": int(*low), "$lte": int(*high) };
    let conversation = uuid(member.conversation_id.as_uuid());
    match ranges {
        [] => None,
        [one] => Some(doc! { "conversation_id": conversation, "seq": between(one) }),
        several => {
            let each: Vec<Document> = several
                .iter()
                .map(|range| doc! { "seq": between(range) })
                .collect();
            Some(doc! { "conversation_id": conversation, "$or": each })
        }
    }
}

/// A message that has not expired.
pub(super) fn unexpired(now: Timestamp) -> Document {
    doc! { "$not": { "$lte": now.as_millis() } }
}

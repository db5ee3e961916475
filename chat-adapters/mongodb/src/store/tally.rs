//! How many messages are unread: counted by the server, one query for many conversations.
//!
//! This is the one place where `chat_core::access::counts_as_unread` is written as a query; the conformance suite
//! compares the two.

use std::collections::HashMap;

use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, Member, Seq};
use mongodb::bson::{Bson, Document, doc};

use super::MongoStore;
use super::eyes::{Looker, ranges, unexpired, within};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, int, texts, uuids};

/// Conversations counted by one query.
const CHUNK: usize = 100;

/// Unread messages of one conversation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) unread: u64,
    pub(super) mentions: u64,
    pub(super) first: Option<Seq>,
}

/// Whether there may be anything unread: told by the conversation alone.
pub(super) fn has_news(conversation: &Conversation, member: &Member) -> bool {
    conversation.last_countable.not_by(&member.user_id) > member.unread_after()
}

impl MongoStore {
    /// Whom a user has blocked.
    pub(super) async fn blocked_by(&self, user: &UserId) -> Result<Vec<UserId>, Error> {
        let find = Find::all(doc! { "blocker": user.as_str(), "active": true })
            .sorted(doc! { "blocked": 1 })
            .only(&["blocked"]);
        self.database()
            .list(Collection::Blocks, find, |block| Row(block).user("blocked"))
            .await
    }

    /// Counts of the conversations in which anything is unread.
    pub(super) async fn tallies(
        &self,
        looker: &Looker,
        of: &[(&Conversation, &Member)],
    ) -> Result<HashMap<ConversationId, Tally>, Error> {
        let of: Vec<_> = of.iter().filter(|(c, m)| has_news(c, m)).copied().collect();
        let mut tallies = HashMap::new();
        if of.is_empty() {
            return Ok(tallies);
        }
        let user = looker.user.as_str();
        let ids = uuids(of.iter().map(|(c, _)| c.id.as_uuid()));
        let hides = Find::all(doc! { "user_id": user, "conversation_id": { "$in": ids } })
            .only(&["conversation_id", "seq"]);
        let read = |hide: &Document| Ok((Row(hide).conversation("conversation_id")?, Row(hide).uint("seq")?));
        let (hides, blocked) = futures::try_join!(
            self.database().list(Collection::Hides, hides, read),
            self.blocked_by(&looker.user),
        )?;
        let mut hidden: HashMap<ConversationId, Vec<Seq>> = HashMap::new();
        for (conversation, seq) in hides {
            hidden.entry(conversation).or_default().push(seq);
        }
        // The user as a literal: his id may look like the name of a field.
        let named =
            doc! { "$in": [{ "$literal": user }, { "$ifNull": ["$mentions", Bson::Array(Vec::new())] }] };
        let group = doc! {
            "_id": "$conversation_id",
            "unread": { "$sum": 1_i64 },
            "mentions": { "$sum": { "$cond": [{ "$or": ["$mentions_all", named] }, 1_i64, 0_i64] } },
            "first": { "$min": "$seq" },
        };
        for chunk in of.chunks(CHUNK) {
            let each: Vec<Document> = chunk
                .iter()
                .filter_map(|(conversation, member)| {
                    let hidden = hidden.get(&conversation.id).map_or(&[][..], Vec::as_slice);
                    unread(looker, conversation, member, hidden, &blocked)
                })
                .collect();
            if each.is_empty() {
                continue;
            }
            let pipeline = vec![
                doc! { "$match": { "$or": each } },
                doc! { "$group": group.clone() },
            ];
            let read = |found: &Document| {
                let row = Row(found);
                let tally = Tally {
                    unread: row.uint("unread")?,
                    mentions: row.uint("mentions")?,
                    first: row.opt_uint("first")?,
                };
                Ok((row.conversation("_id")?, tally))
            };
            tallies.extend(
                self.database()
                    .aggregate(Collection::Messages, pipeline, read)
                    .await?,
            );
        }
        Ok(tallies)
    }
}

/// The unread messages of one conversation; `None` when his memberships cover none.
fn unread(
    looker: &Looker,
    conversation: &Conversation,
    member: &Member,
    hidden: &[Seq],
    blocked: &[UserId],
) -> Option<Document> {
    let from = member.unread_after().saturating_add(1);
    let mut filter = within(member, &ranges(member, from, Seq::MAX))?;
    filter.insert("countable", true);
    filter.insert("deleted_at", Bson::Null);
    filter.insert("expires_at", unexpired(looker.now));
    let mut senders = vec![looker.user.as_str()];
    if conversation.pair.is_none() && looker.blocked_in_group != BlockedInGroup::Show {
        senders.extend(texts(blocked));
    }
    filter.insert("sender_id", doc! { "$nin": senders });
    let hidden: Vec<i64> = hidden
        .iter()
        .filter(|seq| **seq >= from)
        .map(|seq| int(*seq))
        .collect();
    if !hidden.is_empty() {
        filter.insert("$and", vec![doc! { "seq": { "$nin": hidden } }]);
    }
    Some(filter)
}

//! How many messages are unread: counted by the server, where there are few by one query for many conversations.
//!
//! This is the one place where `chat_core::access::counts_as_unread` is written as a query; the conformance suite
//! compares the two.

use std::collections::HashMap;

use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, Member, Seq};
use futures::future::try_join_all;
use mongodb::bson::{Bson, Document, doc};

use super::MongoStore;
use super::eyes::{Looker, ranges, unexpired, within};
use crate::codec::key;
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, int, texts, uuids};

/// So many places of a conversation are asked for one by one, by `_id`, together with those of other conversations; of
/// more, the whole range, with a command of its own. Seqs are dense, so places are known without asking.
const FEW: u64 = 200;
/// Places in one command.
const CHUNK: usize = 500;

/// Unread messages of one conversation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) unread: u64,
    pub(super) mentions: u64,
    pub(super) first: Option<Seq>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.unread += other.unread;
        self.mentions += other.mentions;
        self.first = [self.first, other.first].into_iter().flatten().min();
    }
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
        let mut few: HashMap<Vec<&str>, Vec<String>> = HashMap::new();
        let mut pipelines = Vec::new();
        for (conversation, member) in of {
            let mut senders = vec![user];
            if conversation.pair.is_none() && looker.blocked_in_group != BlockedInGroup::Show {
                senders.extend(texts(&blocked));
            }
            let hidden = hidden.get(&conversation.id).map_or(&[][..], Vec::as_slice);
            let unread = member.unread_after().saturating_add(1);
            let unread = ranges(member, unread, conversation.last_seq);
            let places: u64 = unread.iter().map(|(from, to)| to - from + 1).sum();
            if places <= FEW {
                let seqs = unread.into_iter().flat_map(|(from, to)| from..=to);
                let shown = seqs.filter(|seq| !hidden.contains(seq));
                let keys = shown.map(|seq| key::message(conversation.id, seq));
                few.entry(senders).or_default().extend(keys);
            } else if let Some(inside) = within(member, &unread) {
                let hidden: Vec<i64> = hidden.iter().map(|seq| int(*seq)).collect();
                let mut counts = counting(looker, &senders);
                counts.insert("seq", doc! { "$nin": hidden });
                // In two steps, so that the first is a range of an index and nothing else.
                pipelines.push(vec![doc! { "$match": inside }, doc! { "$match": counts }]);
            }
        }
        for (senders, keys) in few {
            for chunk in keys.chunks(CHUNK) {
                let mut filter = doc! { "_id": { "$in": chunk } };
                filter.extend(counting(looker, &senders));
                pipelines.push(vec![doc! { "$match": filter }]);
            }
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
        let read = |found: &Document| {
            let row = Row(found);
            let tally = Tally {
                unread: row.uint("unread")?,
                mentions: row.uint("mentions")?,
                first: row.opt_uint("first")?,
            };
            Ok((row.conversation("_id")?, tally))
        };
        let counted = pipelines.into_iter().map(|mut pipeline| {
            pipeline.push(doc! { "$group": group.clone() });
            self.database().aggregate(Collection::Messages, pipeline, read)
        });
        for (id, tally) in try_join_all(counted).await?.into_iter().flatten() {
            // Those of one conversation may lie in two chunks.
            tallies.entry(id).or_insert_with(Tally::default).add(tally);
        }
        Ok(tallies)
    }
}

/// Which messages count, unless one of these wrote them: himself, and in groups whom he has blocked.
fn counting(looker: &Looker, senders: &[&str]) -> Document {
    doc! {
        "countable": true,
        "deleted_at": Bson::Null,
        "expires_at": unexpired(looker.now),
        "sender_id": { "$nin": senders },
    }
}

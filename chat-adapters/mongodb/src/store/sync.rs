//! What changed since a client last asked.
//!
//! A position is the number of a settled commit. It is read before anything else, so what is committed meanwhile has a
//! higher number and is told for it again: nothing is passed over.

use std::collections::{BTreeSet, HashMap};

use chat_core::access::{Visibility, has_expired, visible};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{MemberState, Message};
use chat_core::store::{ChangedConversations, ChangedFor, ChangedMessages, ChangesQuery, SyncPosition};
use mongodb::bson::{Document, doc};

use super::MongoStore;
use super::eyes::{Eyes, Looker, ranges, within};
use crate::codec::{message, receipt};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, int, uuid, uuids};

/// Changed messages looked at in one go.
const CHUNK: usize = 200;

fn position(number: i64) -> SyncPosition {
    SyncPosition(u64::try_from(number).unwrap_or(0))
}

impl MongoStore {
    pub(super) async fn newest_position(&self) -> Result<SyncPosition, Error> {
        self.settled().await.map(position)
    }

    pub(super) async fn conversations_since(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> Result<ChangedConversations, Error> {
        let newest = self.settled().await?;
        let number = int(since.0);
        let his = Find::all(doc! { "user_id": user.as_str() }).only(&["conversation_id", "state", "no"]);
        let memberships = self
            .database()
            .list(Collection::Members, his, |member| {
                let row = Row(member);
                let is_active = row.name::<MemberState>("state")? == MemberState::Active;
                Ok((row.conversation("conversation_id")?, is_active, row.int("no")?))
            })
            .await?;
        // What happens after he left is none of his business, so only his own row counts then.
        let active = memberships.iter().filter(|(_, is_active, _)| *is_active);
        let ids = uuids(active.map(|(id, ..)| id.as_uuid()));
        let news = Find::all(doc! { "_id": { "$in": ids }, "no": { "$gt": number } }).only(&["no"]);
        let mut changed: Vec<(i64, ConversationId)> = self
            .database()
            .list(Collection::Conversations, news, |found| {
                Ok((Row(found).int("no")?, Row(found).conversation("_id")?))
            })
            .await?;
        for (id, _, own) in memberships {
            match changed.iter_mut().find(|(_, other)| *other == id) {
                Some((theirs, _)) => *theirs = own.max(*theirs),
                None if own > number => changed.push((own, id)),
                None => {}
            }
        }
        changed.sort_unstable();
        let has_more = changed.len() > limit;
        changed.truncate(limit);
        let reached = match changed.last() {
            _ if !has_more => position(newest),
            // What a commit under way has touched already is told again with the rest of it.
            Some((last, _)) => position(newest.min(*last)),
            None => since,
        };
        Ok(ChangedConversations {
            ids: changed.into_iter().map(|(_, id)| id).collect(),
            reached,
            has_more,
        })
    }

    pub(super) async fn changed_since_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> Result<Vec<ChangedFor>, Error> {
        self.settled().await?;
        let number = int(since.0);
        let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let theirs = Find::all(doc! { "user_id": { "$in": users } });
        let theirs = theirs.only(&["user_id", "conversation_id", "state", "no"]);
        let memberships = self
            .database()
            .list(Collection::Members, theirs, |member| {
                let row = Row(member);
                let is_active = row.name::<MemberState>("state")? == MemberState::Active;
                let own = row.int("no")?;
                Ok((
                    row.user("user_id")?,
                    row.conversation("conversation_id")?,
                    is_active,
                    own,
                ))
            })
            .await?;
        // Of each conversation once, however many of them are in it. What happens after one left is none of his
        // business, so only his own row counts then.
        let ids = |wanted: &dyn Fn(bool, i64) -> bool| {
            let wanted = memberships
                .iter()
                .filter(|(_, _, is_active, own)| wanted(*is_active, *own));
            let ids: BTreeSet<ConversationId> = wanted.map(|(_, id, ..)| *id).collect();
            uuids(ids.iter().map(|id| id.as_uuid()))
        };
        let theirs = doc! { "_id": { "$in": ids(&|is_active, _| is_active) }, "no": { "$gt": number } };
        let own = doc! { "_id": { "$in": ids(&|_, own| own > number) } };
        let found = Find::all(doc! { "$or": [theirs, own] });
        let revs: HashMap<ConversationId, (i64, u64)> = self
            .database()
            .list(Collection::Conversations, found.only(&["no", "rev"]), |found| {
                let row = Row(found);
                Ok((row.conversation("_id")?, (row.int("no")?, row.uint("rev")?)))
            })
            .await?
            .into_iter()
            .collect();
        let changed = memberships
            .into_iter()
            .filter_map(|(user, conversation, is_active, own)| {
                let (theirs, rev) = revs.get(&conversation).copied()?;
                let is_new = own > number || (is_active && theirs > number);
                is_new.then_some(ChangedFor {
                    user,
                    conversation,
                    rev,
                })
            });
        Ok(changed.take(limit).collect())
    }

    /// The newest rev that is certainly not after a position: within a conversation revs and numbers of commits rise
    /// together. Seen from the newest message down, so the cost is that of what changed since.
    async fn rev_at(&self, conversation: ConversationId, number: i64) -> Result<u64, Error> {
        let id = uuid(conversation.as_uuid());
        let read = |found: &Document| Ok((Row(found).int("no")?, Row(found).uint("rev")?));
        let database = self.database();
        let row = database
            .find(Collection::Conversations, doc! { "_id": id.clone() }, read)
            .await?;
        match row {
            Some((no, rev)) if no <= number => return Ok(rev),
            Some(_) => {}
            None => return Ok(0),
        }
        let find = Find::all(doc! { "conversation_id": id, "no": { "$lte": number } })
            .sorted(doc! { "rev": -1 })
            .limited(1)
            .only(&["rev"]);
        let newest = database
            .list(Collection::Messages, find, |found| Row(found).uint("rev"))
            .await?;
        Ok(newest.first().copied().unwrap_or(0))
    }

    pub(super) async fn messages_since(&self, query: &ChangesQuery) -> Result<ChangedMessages, Error> {
        self.settled().await?;
        let member = &query.viewer.member;
        // Below every number for those who ask by rev.
        let (since_rev, number) = match query.position {
            None => (query.since_rev, -1),
            Some(position) => {
                let number = int(position.0);
                (self.rev_at(member.conversation_id, number).await?, number)
            }
        };
        let (mut messages, mut expired) = self.changed(query, since_rev, number).await?;
        let hides = Find::all(doc! {
            "user_id": member.user_id.as_str(),
            "conversation_id": uuid(member.conversation_id.as_uuid()),
            "rev": { "$gt": int(since_rev) },
            "no": { "$gt": number },
        });
        let hides = hides
            .sorted(doc! { "rev": -1, "seq": -1 })
            .limited(query.limit.saturating_add(1));
        let mut hidden = self
            .database()
            .list(Collection::Hides, hides, receipt::hide_from_document)
            .await?;
        let limited = [messages.len(), expired.len(), hidden.len()]
            .iter()
            .any(|found| *found > query.limit);
        for found in [&mut messages, &mut expired] {
            found.truncate(query.limit);
            found.reverse();
        }
        hidden.truncate(query.limit);
        hidden.reverse();
        Ok(ChangedMessages {
            messages,
            hidden,
            expired,
            limited,
            since_rev,
        })
    }

    /// Changed messages that he sees, and those that he would see but for their time; the newest changes first, and of
    /// each at most one more than asked for.
    async fn changed(
        &self,
        query: &ChangesQuery,
        since_rev: u64,
        number: i64,
    ) -> Result<(Vec<Message>, Vec<Message>), Error> {
        let viewer = &query.viewer;
        let looker = Looker::from(viewer);
        let (mut seen, mut expired) = (Vec::new(), Vec::new());
        let mut below: Option<(i64, i64)> = None;
        loop {
            let Some(inside) = within(&viewer.member, &ranges(&viewer.member, 0, u64::MAX)) else {
                break;
            };
            let mut filters = vec![
                inside,
                doc! { "rev": { "$gt": int(since_rev) }, "no": { "$gt": number } },
            ];
            if let Some((rev, seq)) = below {
                let same = doc! { "rev": rev, "seq": { "$lt": seq } };
                filters.push(doc! { "$or": [{ "rev": { "$lt": rev } }, same] });
            }
            let find = Find::all(doc! { "$and": filters })
                .sorted(doc! { "rev": -1, "seq": -1 })
                .limited(CHUNK);
            let some = self
                .database()
                .list(Collection::Messages, find, message::from_document)
                .await?;
            let is_last = some.len() < CHUNK;
            below = some.last().map(|last| (int(last.rev), int(last.seq)));
            let eyes = Eyes::on(self.database(), &looker, &some).await?;
            for message in some {
                let sight = eyes.sight(&viewer.member, viewer.group, &message);
                if visible(&sight, &message) != Visibility::Gone {
                    seen.push(message);
                } else if has_expired(&sight, &message) {
                    expired.push(message);
                }
            }
            if is_last || (seen.len() > query.limit && expired.len() > query.limit) {
                break;
            }
        }
        Ok((seen, expired))
    }
}

//! Conversations as one member sees them: counts, preview, filters, order.
//!
//! A list loads the user's memberships and their conversations, and judges and orders them here, by the model's own
//! functions; counted and previewed is only what stands on the page.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chat_core::access::{Visibility, is_previewable, visible};
use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, Member, Message};
use chat_core::store::{Badge, InboxCounts, InboxEntry, InboxFilter, InboxList, InboxQuery};
use chat_core::text::fold;
use chat_core::time::Timestamp;
use futures::future::try_join_all;
use mongodb::bson::{Document, doc};

use super::MongoStore;
use super::eyes::{Eyes, Looker, ranges, unexpired, within};
use super::tally::Tally;
use crate::codec::{conversation, key, message};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::row::{Row, texts, uuids};

/// Messages looked at in one go for a preview, where the newest is not it.
const CHUNK: usize = 20;

struct Listed {
    conversation: Conversation,
    member: Member,
    archived: bool,
    hidden: bool,
}

type Place = (bool, Timestamp, ConversationId);

impl Listed {
    fn new(conversation: Conversation, member: Member) -> Self {
        Self {
            archived: member.is_archived(&conversation),
            hidden: member
                .hidden_seq
                .is_some_and(|seq| conversation.last_countable.seq <= seq),
            conversation,
            member,
        }
    }

    fn place(&self) -> Place {
        (
            self.member.pinned_at.is_some(),
            self.conversation.last_activity_at,
            self.conversation.id,
        )
    }

    fn is_muted(&self, now: Timestamp) -> bool {
        self.member.muted.is_some_and(|muted| muted.is_active(now))
    }

    fn is_unread(&self, tallies: &HashMap<ConversationId, Tally>) -> bool {
        let tally = tallies.get(&self.conversation.id);
        self.member.unread_from.is_some() || tally.is_some_and(|tally| tally.unread > 0)
    }

    fn passes(&self, filter: InboxFilter, now: Timestamp, tallies: &HashMap<ConversationId, Tally>) -> bool {
        let listed = !self.hidden && !self.archived;
        match filter {
            InboxFilter::Default => listed,
            InboxFilter::All => !self.hidden,
            InboxFilter::Unread => listed && self.is_unread(tallies),
            InboxFilter::Pinned => listed && self.member.pinned_at.is_some(),
            InboxFilter::Archived => !self.hidden && self.archived,
            InboxFilter::Muted => listed && self.is_muted(now),
            InboxFilter::Direct => listed && self.conversation.pair.is_some(),
            InboxFilter::Group => listed && self.conversation.pair.is_none(),
        }
    }
}

fn pairs<'a>(listed: impl IntoIterator<Item = &'a Listed>) -> Vec<(&'a Conversation, &'a Member)> {
    let rows = listed.into_iter();
    rows.map(|row| (&row.conversation, &row.member)).collect()
}

fn looker(query: &InboxQuery) -> Looker {
    Looker {
        user: query.user.clone(),
        now: query.now,
        blocked_in_group: query.blocked_in_group,
    }
}

impl MongoStore {
    pub(super) async fn inbox_entries(&self, query: &InboxQuery) -> Result<Vec<InboxEntry>, Error> {
        self.settled().await?;
        let looker = looker(query);
        let ids = query.list.is_none().then_some(query.ids.as_slice());
        let mut listed = self.listed(&query.user, ids).await?;
        let mut tallies = HashMap::new();
        if let Some(list) = &query.list {
            self.select(&query.user, list, &mut listed).await?;
            if list.filter == InboxFilter::Unread {
                listed.retain(|row| !row.hidden && !row.archived);
                tallies = self.tallies(&looker, &pairs(&listed)).await?;
            }
            let after = list
                .after
                .as_ref()
                .map(|key| (key.pinned, key.last_activity_at, key.id));
            listed.retain(|row| {
                row.passes(list.filter, query.now, &tallies) && after.is_none_or(|after| row.place() < after)
            });
        }
        listed.sort_by_key(|row| Reverse(row.place()));
        if let Some(list) = &query.list {
            listed.drain(..list.skip.min(listed.len()));
            listed.truncate(list.limit);
        }
        if tallies.is_empty() {
            tallies = self.tallies(&looker, &pairs(&listed)).await?;
        }
        let mut previews = self.previews(&looker, &listed).await?;
        let entries = listed.into_iter().map(|row| {
            let id = row.conversation.id;
            let tally = tallies.get(&id).copied().unwrap_or_default();
            InboxEntry {
                conversation: row.conversation,
                member: row.member,
                archived: row.archived,
                hidden: row.hidden,
                unread_count: tally.unread,
                mention_count: tally.mentions,
                first_unread_seq: tally.first,
                last_message: previews.remove(&id),
            }
        });
        Ok(entries.collect())
    }

    pub(super) async fn counted(&self, query: &InboxQuery) -> Result<InboxCounts, Error> {
        self.settled().await?;
        let mut listed = self.listed(&query.user, None).await?;
        if let Some(list) = &query.list {
            self.select(&query.user, list, &mut listed).await?;
        }
        listed.retain(|row| !row.hidden);
        let tallies = self.tallies(&looker(query), &pairs(&listed)).await?;
        let mut counts = InboxCounts::default();
        for row in &listed {
            let shows = |filter| u64::from(row.passes(filter, query.now, &tallies));
            counts.listed += shows(InboxFilter::Default);
            counts.all += shows(InboxFilter::All);
            counts.unread += shows(InboxFilter::Unread);
            counts.pinned += shows(InboxFilter::Pinned);
            counts.archived += shows(InboxFilter::Archived);
            counts.muted += shows(InboxFilter::Muted);
            counts.direct += shows(InboxFilter::Direct);
            counts.group += shows(InboxFilter::Group);
        }
        Ok(counts)
    }

    pub(super) async fn totals(
        &self,
        user: &UserId,
        now: Timestamp,
        blocked_in_group: BlockedInGroup,
    ) -> Result<Badge, Error> {
        self.settled().await?;
        let looker = Looker {
            user: user.clone(),
            now,
            blocked_in_group,
        };
        let mut listed = self.listed(user, None).await?;
        listed.retain(|row| !row.hidden && !row.archived && !row.is_muted(now));
        let tallies = self.tallies(&looker, &pairs(&listed)).await?;
        let mut badge = Badge::default();
        for row in &listed {
            let tally = tallies.get(&row.conversation.id).copied().unwrap_or_default();
            badge.unread_messages += tally.unread;
            badge.unread_conversations += u64::from(row.is_unread(&tallies));
            badge.mentions += tally.mentions;
        }
        Ok(badge)
    }

    /// The user's conversations, or those of them with these ids.
    async fn listed(&self, user: &UserId, ids: Option<&[ConversationId]>) -> Result<Vec<Listed>, Error> {
        let mut members = self.memberships_of(user, None).await?;
        if let Some(ids) = ids {
            let wanted: HashSet<_> = ids.iter().collect();
            members.retain(|id, _| wanted.contains(id));
        }
        let ids = uuids(members.keys().map(|id| id.as_uuid()));
        let find = Find::all(doc! { "_id": { "$in": ids } });
        let conversations = self
            .database()
            .list(Collection::Conversations, find, conversation::from_document)
            .await?;
        let rows = conversations
            .into_iter()
            .filter_map(|row| Some((members.remove(&row.id)?, row)));
        Ok(rows.map(|(member, row)| Listed::new(row, member)).collect())
    }

    /// Leaves those whose name and other member the list asks for.
    async fn select(&self, user: &UserId, list: &InboxList, listed: &mut Vec<Listed>) -> Result<(), Error> {
        if let Some(with) = &list.with {
            let keys: Vec<String> = listed
                .iter()
                .map(|row| key::member(row.conversation.id, with))
                .collect();
            let shared =
                Find::all(doc! { "_id": { "$in": keys }, "state": "active" }).only(&["conversation_id"]);
            let read = |member: &Document| Row(member).conversation("conversation_id");
            let shared = self.database().list(Collection::Members, shared, read).await?;
            let shared: HashSet<ConversationId> = shared.into_iter().collect();
            listed.retain(|row| shared.contains(&row.conversation.id));
        }
        if let Some(name) = &list.name {
            let peers = listed
                .iter()
                .filter_map(|row| row.conversation.pair.as_ref()?.other(user));
            let names = self.folded_names(peers).await?;
            listed.retain(|row| match &row.conversation.pair {
                Some(pair) => pair
                    .other(user)
                    .and_then(|peer| names.get(peer))
                    .is_some_and(|folded| folded.contains(name)),
                None => (row.conversation.name.as_ref()).is_some_and(|own| fold(own).contains(name)),
            });
        }
        Ok(())
    }

    /// Folded names of known users.
    pub(super) async fn folded_names(
        &self,
        users: impl IntoIterator<Item = &UserId>,
    ) -> Result<HashMap<UserId, String>, Error> {
        let find = Find::all(doc! { "_id": { "$in": texts(users) } }).only(&["folded_name"]);
        let read = |user: &Document| Ok((Row(user).user("_id")?, Row(user).text("folded_name")?));
        let names = self.database().list(Collection::Users, find, read).await?;
        Ok(names.into_iter().collect())
    }

    /// The message each conversation shows in the list: mostly its newest, and those are asked for together.
    async fn previews(
        &self,
        looker: &Looker,
        listed: &[Listed],
    ) -> Result<HashMap<ConversationId, Message>, Error> {
        let keys: Vec<String> = listed
            .iter()
            .map(|row| key::message(row.conversation.id, row.conversation.last_seq))
            .collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let find = Find::all(doc! { "_id": { "$in": keys }, "gone": null });
        let newest = self
            .database()
            .list(Collection::Messages, find, message::from_document)
            .await?;
        let eyes = Eyes::on(self.database(), looker, &newest).await?;
        let mut newest: HashMap<ConversationId, Message> =
            newest.into_iter().map(|m| (m.conversation_id, m)).collect();
        let mut previews = HashMap::new();
        let mut searched = Vec::new();
        for row in listed {
            let id = row.conversation.id;
            let group = row.conversation.pair.is_none();
            match newest.remove(&id) {
                Some(m) if shows(&eyes, &row.member, group, &m) => {
                    previews.insert(id, m);
                }
                // Without messages there is nothing to search.
                _ if row.conversation.last_seq == 0 => {}
                _ => searched.push(self.preview(looker, row)),
            }
        }
        let found = try_join_all(searched).await?;
        previews.extend(found.into_iter().flatten().map(|m| (m.conversation_id, m)));
        Ok(previews)
    }

    async fn preview(&self, looker: &Looker, row: &Listed) -> Result<Option<Message>, Error> {
        let mut to = row.conversation.last_seq;
        loop {
            let Some(mut filter) = within(&row.member, &ranges(&row.member, 0, to)) else {
                return Ok(None);
            };
            filter.insert("deleted_at", mongodb::bson::Bson::Null);
            filter.insert("expires_at", unexpired(looker.now));
            let find = Find::all(filter).sorted(doc! { "seq": -1 }).limited(CHUNK);
            let some = self
                .database()
                .list(Collection::Messages, find, message::from_document)
                .await?;
            let (is_last, next) = (
                some.len() < CHUNK,
                some.last().map_or(0, |m| m.seq.saturating_sub(1)),
            );
            let eyes = Eyes::on(self.database(), looker, &some).await?;
            let group = row.conversation.pair.is_none();
            let shown = some.into_iter().find(|m| shows(&eyes, &row.member, group, m));
            if shown.is_some() || is_last {
                return Ok(shown);
            }
            to = next;
        }
    }
}

fn shows(eyes: &Eyes, member: &Member, group: bool, message: &Message) -> bool {
    is_previewable(message) && visible(&eyes.sight(member, group, message), message) == Visibility::Visible
}

//! Messages over several conversations, newest first: by their text, and whatever else is asked of each.

use std::collections::HashMap;

use chat_core::access::{Sight, Visibility, visible};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{ConversationKind, Member, Message, MessageKind};
use chat_core::store::{SearchKey, SearchQuery};
use chat_core::text::fold;
use mongodb::bson::{Bson, Document, doc};

use super::MongoStore;
use super::eyes::{Eyes, Looker, unexpired};
use crate::codec::{member, message};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::names::Named;
use crate::row::{Row, literal, time, uuid, uuids};

/// Messages looked at in one go, beyond those that are wanted.
const SPARE: usize = 20;

impl MongoStore {
    pub(super) async fn search_messages(&self, query: &SearchQuery) -> Result<Vec<Message>, Error> {
        let mut filter = doc! { "kind": { "$ne": MessageKind::System.column() } };
        if !query.text.is_empty() {
            filter.insert("folded", literal(&query.text));
        }
        if let Some(sender) = &query.sender {
            filter.insert("sender_id", sender.as_str());
        }
        if let Some(kind) = query.kind {
            filter.insert("$and", vec![doc! { "kind": kind.column() }]);
        }
        let mut range = Document::new();
        if let Some(from) = query.from {
            range.insert("$gte", time(from));
        }
        if let Some(to) = query.to {
            range.insert("$lte", time(to));
        }
        if !range.is_empty() {
            filter.insert("created_at", range);
        }
        let walk = Walk {
            looker: Looker {
                user: query.user.clone(),
                now: query.now,
                blocked_in_group: query.blocked_in_group,
            },
            conversation: query.conversation,
            filter,
            after: query.after,
            limit: query.limit,
        };
        // The server only proposes; whether the text is contained, literally, is decided here.
        self.walk(walk, |sight, message| {
            visible(sight, message) == Visibility::Visible && fold(&message.text).contains(&query.text)
        })
        .await
    }

    /// Active memberships of a user, in all conversations or one.
    pub(super) async fn memberships_of(
        &self,
        user: &UserId,
        conversation: Option<ConversationId>,
    ) -> Result<HashMap<ConversationId, Member>, Error> {
        let mut filter = doc! { "user_id": user.as_str(), "state": "active" };
        if let Some(id) = conversation {
            filter.insert("conversation_id", uuid(id.as_uuid()));
        }
        let members = self
            .database()
            .list(Collection::Members, Find::all(filter), member::from_document)
            .await?;
        Ok(members.into_iter().map(|m| (m.conversation_id, m)).collect())
    }

    /// Which of these conversations are groups.
    pub(super) async fn groups_among(
        &self,
        ids: impl IntoIterator<Item = ConversationId>,
    ) -> Result<HashMap<ConversationId, bool>, Error> {
        let ids = uuids(ids.into_iter().map(|id| id.as_uuid()));
        let find = Find::all(doc! { "_id": { "$in": ids } }).only(&["kind"]);
        let read = |found: &Document| {
            let is_group = Row(found).name::<ConversationKind>("kind")? == ConversationKind::Group;
            Ok((Row(found).conversation("_id")?, is_group))
        };
        let kinds = self
            .database()
            .list(Collection::Conversations, find, read)
            .await?;
        Ok(kinds.into_iter().collect())
    }

    /// Messages in conversations of which the user is an active member, newest first.
    pub(super) async fn walk(
        &self,
        walk: Walk,
        accepts: impl Fn(&Sight<'_>, &Message) -> bool,
    ) -> Result<Vec<Message>, Error> {
        self.settled().await?;
        let members = self.memberships_of(&walk.looker.user, walk.conversation).await?;
        let mut found: Vec<Message> = Vec::new();
        let mut after = walk.after;
        if members.is_empty() || walk.limit == 0 {
            return Ok(found);
        }
        let ids = uuids(members.keys().map(|id| id.as_uuid()));
        let inside = doc! {
            "conversation_id": { "$in": ids },
            "deleted_at": null,
            "expires_at": unexpired(walk.looker.now),
        };
        loop {
            let mut filters = vec![inside.clone(), walk.filter.clone()];
            filters.extend(after.map(below));
            let chunk = walk.limit.saturating_add(SPARE);
            let find = Find::all(doc! { "$and": filters })
                .sorted(doc! { "created_at": -1, "id": -1 })
                .limited(chunk);
            let some = self
                .database()
                .list(Collection::Messages, find, message::from_document)
                .await?;
            let is_last = some.len() < chunk;
            after = some.last().map(|last| SearchKey {
                created_at: last.created_at,
                id: last.id,
            });
            let (eyes, groups) = futures::try_join!(
                Eyes::on(self.database(), &walk.looker, &some),
                self.groups_among(some.iter().map(|m| m.conversation_id)),
            )?;
            found.extend(some.into_iter().filter(|message| {
                let Some(member) = members.get(&message.conversation_id) else {
                    return false;
                };
                let group = groups.get(&message.conversation_id).copied().unwrap_or(false);
                accepts(&eyes.sight(member, group, message), message)
            }));
            if is_last || found.len() >= walk.limit {
                found.truncate(walk.limit);
                return Ok(found);
            }
        }
    }
}

/// What to walk through.
pub(super) struct Walk {
    pub(super) looker: Looker,
    pub(super) conversation: Option<ConversationId>,
    pub(super) filter: Document,
    pub(super) after: Option<SearchKey>,
    pub(super) limit: usize,
}

fn below(after: SearchKey) -> Document {
    let (at, id): (i64, Bson) = (time(after.created_at), uuid(after.id.as_uuid()));
    doc! { "$or": [{ "created_at": { "$lt": at } }, { "created_at": at, "id": { "$lt": id } }] }
}

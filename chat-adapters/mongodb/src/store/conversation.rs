use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::config::BlockedInGroup;
use chat_core::error::{BackendResult, ChatError};
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{Conversation, ConversationKind, DirectPair, Member};
use chat_core::store::{
    Badge, Change, ChangedConversations, ChangedFor, Contacts, ConversationStore, InboxCounts, InboxEntry,
    InboxQuery, MemberQuery, SyncPosition,
};
use chat_core::time::Timestamp;
use futures::future::try_join_all;
use mongodb::bson::{Document, doc};

use super::{MongoStore, Named};
use crate::codec::{conversation, key, member};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::names::Named as _;
use crate::row::{Row, int, uuid, uuids};
use crate::schema;

#[async_trait]
impl ConversationStore for MongoStore {
    async fn commit(&self, changes: &[Change]) -> BackendResult<Vec<Result<(), ChatError>>> {
        self.commit_changes(changes).await
    }

    async fn conversations(&self, ids: &[ConversationId]) -> BackendResult<Vec<Conversation>> {
        let found = async {
            self.settled().await?;
            let find = Find::all(doc! { "_id": { "$in": uuids(ids.iter().map(|id| id.as_uuid())) } });
            self.database()
                .list(Collection::Conversations, find, conversation::from_document)
                .await
        };
        found.await.named("conversations")
    }

    async fn direct(&self, pair: &DirectPair) -> BackendResult<Option<Conversation>> {
        let found = async {
            self.settled().await?;
            let filter = doc! { "pair": key::pair(pair) };
            self.database()
                .find(Collection::Conversations, filter, conversation::from_document)
                .await
        };
        found.await.named("direct")
    }

    async fn member(&self, conversation: ConversationId, user: &UserId) -> BackendResult<Option<Member>> {
        let found = async {
            self.settled().await?;
            let filter = doc! { "_id": key::member(conversation, user) };
            self.database()
                .find(Collection::Members, filter, member::from_document)
                .await
        };
        found.await.named("member")
    }

    async fn members(&self, query: &MemberQuery) -> BackendResult<Vec<Member>> {
        self.page_of_members(query).await.named("members")
    }

    async fn members_of(
        &self,
        conversations: &[ConversationId],
        cap: usize,
    ) -> BackendResult<HashMap<ConversationId, Vec<Member>>> {
        let found = async {
            self.settled().await?;
            let lists = conversations.iter().map(|id| async move {
                let find = Find::all(active(*id)).sorted(doc! { "user_id": 1 }).limited(cap);
                let members = self
                    .database()
                    .list(Collection::Members, find, member::from_document);
                Ok::<_, Error>((*id, members.await?))
            });
            let lists = try_join_all(lists).await?;
            Ok(lists
                .into_iter()
                .filter(|(_, members)| !members.is_empty())
                .collect())
        };
        found.await.named("members_of")
    }

    async fn member_ids(&self, conversation: ConversationId) -> BackendResult<Vec<UserId>> {
        let found = async {
            self.settled().await?;
            let find = Find::all(active(conversation))
                .sorted(doc! { "user_id": 1 })
                .only(&["user_id"]);
            self.database()
                .list(Collection::Members, find, |member| Row(member).user("user_id"))
                .await
        };
        found.await.named("member_ids")
    }

    async fn changed_members(
        &self,
        conversation: ConversationId,
        since: u64,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let found = async {
            self.settled().await?;
            let filter =
                doc! { "conversation_id": uuid(conversation.as_uuid()), "rev": { "$gt": int(since) } };
            let find = Find::all(filter)
                .sorted(doc! { "rev": -1, "user_id": 1 })
                .limited(limit);
            self.database()
                .list(Collection::Members, find, member::from_document)
                .await
        };
        found.await.named("changed_members")
    }

    async fn inbox(&self, query: &InboxQuery) -> BackendResult<Vec<InboxEntry>> {
        self.inbox_entries(query).await.named("inbox")
    }

    async fn inbox_counts(&self, query: &InboxQuery) -> BackendResult<InboxCounts> {
        self.counted(query).await.named("inbox_counts")
    }

    async fn badge(&self, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> BackendResult<Badge> {
        self.totals(user, now, blocked).await.named("badge")
    }

    async fn conversation_ids(
        &self,
        user: &UserId,
        kind: Option<ConversationKind>,
    ) -> BackendResult<Vec<ConversationId>> {
        let found = async {
            self.settled().await?;
            let find =
                Find::all(doc! { "user_id": user.as_str(), "state": "active" }).only(&["conversation_id"]);
            let read = |member: &Document| Row(member).conversation("conversation_id");
            let ids = self.database().list(Collection::Members, find, read).await?;
            let Some(kind) = kind else {
                return Ok(ids);
            };
            let ids = uuids(ids.into_iter().map(|id| id.as_uuid()));
            let find = Find::all(doc! { "_id": { "$in": ids }, "kind": kind.column() }).only(&["_id"]);
            self.database()
                .list(Collection::Conversations, find, conversation::id)
                .await
        };
        found.await.named("conversation_ids")
    }

    async fn contacts(
        &self,
        user: &UserId,
        name: Option<&str>,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Contacts> {
        let found = async {
            self.settled().await?;
            let mut peers = self.peers(user).await?;
            peers.retain(|peer| after.is_none_or(|after| peer > after));
            if let Some(name) = name {
                let names = self.folded_names(&peers).await?;
                peers.retain(|peer| names.get(peer).is_some_and(|folded| folded.contains(name)));
            }
            peers.truncate(limit);
            Ok(peers)
        };
        found.await.named("contacts")
    }

    async fn contacts_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Contacts> {
        let found = async {
            self.settled().await?;
            let pairs: Vec<String> = (others.iter())
                .filter_map(|other| DirectPair::new(user, other))
                .map(|pair| key::pair(&pair))
                .collect();
            self.peers_in(user, doc! { "pair": { "$in": pairs } }).await
        };
        found.await.named("contacts_among")
    }

    async fn sync_position(&self) -> BackendResult<SyncPosition> {
        self.newest_position().await.named("sync_position")
    }

    async fn sync_epoch(&self) -> BackendResult<u64> {
        schema::epoch(self.database()).await.named("sync_epoch")
    }

    async fn changed_conversations(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<ChangedConversations> {
        let found = self.conversations_since(user, since, limit);
        found.await.named("changed_conversations")
    }

    async fn changed_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> BackendResult<Vec<ChangedFor>> {
        let found = self.changed_since_for(users, since, limit);
        found.await.named("changed_for")
    }
}

fn active(conversation: ConversationId) -> Document {
    doc! { "conversation_id": uuid(conversation.as_uuid()), "state": "active" }
}

impl MongoStore {
    async fn page_of_members(&self, query: &MemberQuery) -> Result<Vec<Member>, Error> {
        self.settled().await?;
        let mut found: Vec<Member> = Vec::new();
        let mut after = query.after.clone();
        while found.len() < query.limit {
            let mut filter = active(query.conversation);
            if let Some(role) = query.role {
                filter.insert("role", role.column());
            }
            if let Some(after) = &after {
                filter.insert("user_id", doc! { "$gt": after.as_str() });
            }
            let find = Find::all(filter)
                .sorted(doc! { "user_id": 1 })
                .limited(query.limit);
            let mut some = self
                .database()
                .list(Collection::Members, find, member::from_document)
                .await?;
            let is_last = some.len() < query.limit;
            after = some.last().map(|last| last.user_id.clone());
            if let Some(name) = &query.name {
                let names = self
                    .folded_names(some.iter().map(|member| &member.user_id))
                    .await?;
                some.retain(|member| {
                    names
                        .get(&member.user_id)
                        .is_some_and(|folded| folded.contains(name))
                });
            }
            found.append(&mut some);
            if is_last {
                break;
            }
        }
        found.truncate(query.limit);
        Ok(found)
    }

    /// Users who share a direct conversation with `user`, in order.
    pub(super) async fn peers(&self, user: &UserId) -> Result<Vec<UserId>, Error> {
        let (low, high) = futures::try_join!(
            self.peers_in(user, doc! { "pair_low": user.as_str() }),
            self.peers_in(user, doc! { "pair_high": user.as_str() }),
        )?;
        let mut peers = [low, high].concat();
        peers.sort_unstable();
        Ok(peers)
    }

    /// Those of the directs that fit the filter.
    async fn peers_in(&self, user: &UserId, filter: Document) -> Result<Vec<UserId>, Error> {
        let find = Find::all(filter).only(&["pair_low", "pair_high"]);
        let read = |found: &Document| {
            let row = Row(found);
            Ok((
                conversation::id(found)?,
                row.user("pair_low")?,
                row.user("pair_high")?,
            ))
        };
        let directs = self
            .database()
            .list(Collection::Conversations, find, read)
            .await?;
        let keys: Vec<String> = directs.iter().map(|(id, ..)| key::member(*id, user)).collect();
        let mine = Find::all(doc! { "_id": { "$in": keys }, "state": "active" }).only(&["conversation_id"]);
        let read = |member: &Document| Row(member).conversation("conversation_id");
        let mine = self.database().list(Collection::Members, mine, read).await?;
        let mut peers: Vec<UserId> = directs
            .into_iter()
            .filter(|(id, ..)| mine.contains(id))
            .map(|(_, low, high)| if low == *user { high } else { low })
            .collect();
        peers.sort_unstable();
        Ok(peers)
    }
}

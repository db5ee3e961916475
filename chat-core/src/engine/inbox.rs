//! The list of conversations, and the totals over it.

use serde::{Deserialize, Serialize};

use crate::access::{Action, Standing, allowed};
use crate::command::ListConversations;
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult};
use crate::id::ConversationId;
use crate::model::{Conversation, Member};
use crate::store::{Badge, InboxKey, InboxList, InboxQuery};
use crate::text;
use crate::time::Timestamp;
use crate::view::{ConversationView, Page};

/// The place of a conversation in the list, inside a cursor.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "p")]
    pinned: bool,
    #[serde(rename = "a")]
    last_activity: i64,
    id: ConversationId,
}

impl Actor {
    /// The caller's conversations: pinned first, then latest activity.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`, `q`), `invalid_cursor`.
    pub async fn conversations(&self, list: ListConversations) -> ChatResult<Page<ConversationView>> {
        let limit = self.limit(list.page.limit)?;
        let name = list
            .q
            .as_deref()
            .map(str::trim)
            .filter(|q| !q.is_empty())
            .map(text::fold);
        if list
            .q
            .as_ref()
            .is_some_and(|q| q.len() > self.engine().config().limits.query_bytes)
        {
            return Err(ChatError::invalid("q", "too long"));
        }
        let purpose = format!("inbox {:?} {}", list.filter, name.as_deref().unwrap_or_default());
        let after = self.cursor::<Place>(&purpose, &list.page)?.map(|place| InboxKey {
            pinned: place.pinned,
            last_activity_at: Timestamp::from_millis(place.last_activity),
            id: place.id,
        });
        let mut query = self.inbox_query(Vec::new());
        query.list = Some(InboxList {
            filter: list.filter,
            name,
            after,
            limit: limit + 1,
        });
        let mut entries = self.inner().store.inbox(&query).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let place = entries.last().map(|entry| Place {
            pinned: entry.member.pinned_at.is_some(),
            last_activity: entry.conversation.last_activity_at.as_millis(),
            id: entry.conversation.id,
        });
        let next_cursor = self.next_cursor(&purpose, more, place.as_ref());
        Ok(Page {
            items: self.render_entries(entries).await?,
            next_cursor,
        })
    }

    /// One conversation.
    ///
    /// # Errors
    /// `conversation_not_found`; `conversation_gone` for a member of a group that was deleted.
    pub async fn conversation(&self, id: ConversationId) -> ChatResult<ConversationView> {
        self.render_conversation(id).await
    }

    /// Totals over conversations that are neither muted nor archived nor hidden.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn badge(&self) -> ChatResult<Badge> {
        let policy = self.engine().config().policies.blocked_in_group;
        Ok(self
            .inner()
            .store
            .badge(self.user_id(), self.engine().now(), policy)
            .await?)
    }

    /// Asks for these conversations as the caller sees them.
    pub(crate) fn inbox_query(&self, ids: Vec<ConversationId>) -> InboxQuery {
        InboxQuery {
            user: self.user_id().clone(),
            now: self.engine().now(),
            blocked_in_group: self.engine().config().policies.blocked_in_group,
            list: None,
            ids,
        }
    }

    /// A conversation the caller may read, with his membership.
    ///
    /// # Errors
    /// `conversation_not_found`; `conversation_gone` for a member of a group that was deleted.
    pub(crate) async fn readable(&self, id: ConversationId) -> ChatResult<(Conversation, Member)> {
        let store = &self.inner().store;
        let conversation = store.conversations(&[id]).await?.pop();
        let member = self.standing_member(conversation.as_ref(), store.member(id, self.user_id()).await?);
        let standing = Standing {
            conversation: conversation.as_ref(),
            member: member.as_ref(),
            has_blocked: false,
            is_blocked: false,
            policies: &self.engine().config().policies,
        };
        let (conversation, member) = allowed(&standing, Action::Read)?;
        Ok((conversation.clone(), member.clone()))
    }

    /// Refuses unless the caller may read the conversation.
    ///
    /// # Errors
    /// As [`Actor::conversation`].
    pub(crate) async fn check_readable(&self, id: ConversationId) -> ChatResult<()> {
        self.readable(id).await.map(|_| ())
    }
}

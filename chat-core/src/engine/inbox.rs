//! The list of conversations, and the totals over it.

use serde::{Deserialize, Serialize};

use crate::access::{Action, Standing, allowed};
use crate::command::{ListConversations, PageRequest};
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, UserId};
use crate::model::{Conversation, Member, Restrictions};
use crate::store::{Badge, InboxCounts, InboxEntry, InboxFilter, InboxKey, InboxList, InboxQuery};
use crate::time::Timestamp;
use crate::view::{ConversationPage, ConversationView, Page};

/// The place of a conversation in the list, inside a cursor or a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(rename = "p")]
    pinned: bool,
    #[serde(rename = "a")]
    last_activity: i64,
    id: ConversationId,
}

impl Place {
    pub(super) fn of(entry: &InboxEntry) -> Self {
        Self {
            pinned: entry.member.pinned_at.is_some(),
            last_activity: entry.conversation.last_activity_at.as_millis(),
            id: entry.conversation.id,
        }
    }
}

impl From<Place> for InboxKey {
    fn from(place: Place) -> Self {
        Self {
            pinned: place.pinned,
            last_activity_at: Timestamp::from_millis(place.last_activity),
            id: place.id,
        }
    }
}

impl Actor {
    /// The caller's conversations: pinned first, then latest activity; by cursor, or by the number of a page, and then
    /// with the total.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`, `q`; `page`: below 1, or together with a cursor), `invalid_cursor`.
    pub async fn conversations(&self, list: ListConversations) -> ChatResult<ConversationPage> {
        let limit = self.limit(list.page.limit)?;
        let name = self.name_part(list.q.as_deref())?;
        let wanted = InboxList {
            filter: list.filter,
            name,
            limit,
            ..InboxList::default()
        };
        if let Some(number) = list.number {
            if list.page.cursor.is_some() {
                return Err(ChatError::invalid("page", "either this or cursor"));
            }
            return self.numbered_page(wanted, number).await;
        }
        let purpose = format!(
            "inbox {:?} {}",
            wanted.filter,
            wanted.name.as_deref().unwrap_or_default()
        );
        let page = self.inbox_page(wanted, &purpose, &list.page).await?;
        Ok(ConversationPage {
            items: page.items,
            next_cursor: page.next_cursor,
            total: None,
            page: None,
            pages: None,
        })
    }

    /// How many conversations each filter of the list shows.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn conversation_counts(&self) -> ChatResult<InboxCounts> {
        let query = self.inbox_query(Vec::new());
        Ok(self.inner().store.inbox_counts(&query).await?)
    }

    /// Conversations of which both the caller and another user are members, in the order of the list, archived ones
    /// too. Somebody in a block relation with the caller has none in common with him.
    ///
    /// # Errors
    /// `invalid_argument` (`user_id`): the caller himself; (`limit`); `invalid_cursor`; `user_not_found`.
    pub async fn conversations_with(
        &self,
        user: &UserId,
        page: PageRequest,
    ) -> ChatResult<Page<ConversationView>> {
        let limit = self.limit(page.limit)?;
        if user == self.user_id() {
            return Err(ChatError::invalid("user_id", "not yourself"));
        }
        let other = std::slice::from_ref(user);
        if self.find_users(other).await?.is_empty() {
            return Err(ChatError::new(ErrorCode::UserNotFound, "no such user"));
        }
        if self
            .inner()
            .store
            .blocks_among(self.user_id(), other)
            .await?
            .any()
        {
            return Ok(Page {
                items: Vec::new(),
                next_cursor: None,
            });
        }
        let wanted = InboxList {
            filter: InboxFilter::All,
            with: Some(user.clone()),
            limit,
            ..InboxList::default()
        };
        self.inbox_page(wanted, &format!("common {user}"), &page).await
    }

    /// A page of a list after the place of its cursor; the list's size is that of the page.
    async fn inbox_page(
        &self,
        mut wanted: InboxList,
        purpose: &str,
        page: &PageRequest,
    ) -> ChatResult<Page<ConversationView>> {
        let limit = wanted.limit;
        wanted.limit += 1;
        wanted.after = self.cursor::<Place>(purpose, page)?.map(InboxKey::from);
        let mut query = self.inbox_query(Vec::new());
        query.list = Some(wanted);
        let mut entries = self.inner().store.inbox(&query).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let place = entries.last().map(Place::of);
        let next_cursor = self.next_cursor(purpose, more, place.as_ref());
        Ok(Page {
            items: self.render_entries(entries).await?,
            next_cursor,
        })
    }

    /// A page by its number, from 1 on, with how many there are.
    async fn numbered_page(&self, mut wanted: InboxList, number: usize) -> ChatResult<ConversationPage> {
        let before = number
            .checked_sub(1)
            .ok_or_else(|| ChatError::invalid("page", "from 1 on"))?;
        let limit = wanted.limit;
        wanted.skip = before.saturating_mul(limit);
        let filter = wanted.filter;
        let mut query = self.inbox_query(Vec::new());
        query.list = Some(wanted);
        let total = self.inner().store.inbox_counts(&query).await?.of(filter);
        let entries = self.inner().store.inbox(&query).await?;
        Ok(ConversationPage {
            items: self.render_entries(entries).await?,
            next_cursor: None,
            total: Some(total),
            page: Some(number),
            pages: Some(total.div_ceil(u64::try_from(limit).unwrap_or(u64::MAX))),
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
            // Reading takes none.
            restrictions: Restrictions::default(),
            now: self.engine().now(),
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

//! Messages that mention the caller, over all his conversations.

use crate::command::ListMentions;
use crate::engine::Actor;
use crate::engine::search::Place;
use crate::error::ChatResult;
use crate::store::{MentionQuery, SearchKey};
use crate::view::{MessageView, Page};

impl Actor {
    /// Messages that mention the caller, by name or with everybody, newest first, in all his conversations; only what
    /// he sees there, and not what is folded up. With `unread` only those that count as unread.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`, also for a cursor of the other list; `unavailable`.
    pub async fn mentions(&self, list: ListMentions) -> ChatResult<Page<MessageView>> {
        let limit = self.limit(list.page.limit)?;
        let purpose = if list.unread {
            "mentions unread"
        } else {
            "mentions"
        };
        let after = self.cursor::<Place>(purpose, &list.page)?;
        let query = MentionQuery {
            user: self.user_id().clone(),
            now: self.engine().now(),
            blocked_in_group: self.engine().config().policies.blocked_in_group,
            unread: list.unread,
            after: after.map(SearchKey::from),
            limit: limit + 1,
        };
        let mut hits = self.inner().store.mentions(&query).await?;
        let more = hits.len() > limit;
        hits.truncate(limit);
        let place = hits.last().map(Place::of);
        Ok(Page {
            next_cursor: self.next_cursor(purpose, more, place.as_ref()),
            items: self.render_hits(hits).await?,
        })
    }
}

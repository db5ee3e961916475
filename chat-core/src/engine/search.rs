use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::command::SearchMessages;
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, MessageId};
use crate::model::Message;
use crate::port::RateScope;
use crate::store::{SearchKey, SearchQuery};
use crate::text::fold;
use crate::time::Timestamp;
use crate::view::{MessageView, Page};

/// The place of a hit, inside a cursor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(rename = "t")]
    created_at: i64,
    id: MessageId,
}

impl Place {
    pub(super) fn of(hit: &Message) -> Self {
        Self {
            created_at: hit.created_at.as_millis(),
            id: hit.id,
        }
    }
}

impl From<Place> for SearchKey {
    fn from(place: Place) -> Self {
        Self {
            created_at: Timestamp::from_millis(place.created_at),
            id: place.id,
        }
    }
}

impl Actor {
    /// Messages whose text contains `q`, newest first: literally, without regard to case, in the conversations of
    /// the caller and only what he sees there.
    ///
    /// # Errors
    /// - `query_required`; `invalid_argument` (`q` over 500 bytes or with U+0000, `limit`); `invalid_cursor`, also for a cursor of
    ///   other filters.
    /// - `rate_limited`.
    /// - `conversation_not_found`, `conversation_gone` for the conversation asked for.
    pub async fn search_messages(&self, search: SearchMessages) -> ChatResult<Page<MessageView>> {
        let limit = self.limit(search.page.limit)?;
        if search.q.trim().is_empty() {
            return Err(ChatError::new(ErrorCode::QueryRequired, "nothing to search for").with_field("q"));
        }
        let max = self.engine().config().limits.query_bytes;
        if search.q.len() > max {
            return Err(ChatError::invalid("q", format!("at most {max} bytes")));
        }
        if search.q.contains('\0') {
            return Err(ChatError::invalid("q", "holds U+0000"));
        }
        let purpose = purpose(&search);
        let after = self.cursor::<Place>(&purpose, &search.page)?;
        self.engine()
            .take_allowance(RateScope::Searches, self.user_id().as_str())
            .await?;
        if let Some(id) = search.conversation_id {
            self.check_readable(id).await?;
        }
        let query = SearchQuery {
            user: self.user_id().clone(),
            now: self.engine().now(),
            blocked_in_group: self.engine().config().policies.blocked_in_group,
            text: fold(&search.q),
            conversation: search.conversation_id,
            sender: search.sender_id,
            kind: search.kind,
            from: search.from,
            to: search.to,
            after: after.map(SearchKey::from),
            limit: limit + 1,
        };
        let mut hits = self.inner().store.search(&query).await?;
        let more = hits.len() > limit;
        hits.truncate(limit);
        let place = hits.last().map(Place::of);
        Ok(Page {
            next_cursor: self.next_cursor(&purpose, more, place.as_ref()),
            items: self.render_hits(hits).await?,
        })
    }

    /// Hits of several conversations, each through the caller's view into its own, in the order they came.
    pub(super) async fn render_hits(&self, hits: Vec<Message>) -> ChatResult<Vec<MessageView>> {
        let order: Vec<MessageId> = hits.iter().map(|hit| hit.id).collect();
        let mut by_conversation: HashMap<ConversationId, Vec<Message>> = HashMap::new();
        for hit in hits {
            by_conversation.entry(hit.conversation_id).or_default().push(hit);
        }
        let mut views = HashMap::new();
        for (id, hits) in by_conversation {
            let sight = match self.look_into(id).await {
                Ok(sight) => sight,
                // Left since the search: nothing of it is for him any more.
                Err(error)
                    if matches!(
                        error.code(),
                        ErrorCode::ConversationNotFound | ErrorCode::ConversationGone
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let rendered = self.render_messages(&sight, hits).await?;
            views.extend(rendered.into_iter().map(|view| (view.id, view)));
        }
        Ok(order.iter().filter_map(|id| views.remove(id)).collect())
    }
}

/// Everything that selects the hits, so that a cursor is good for the same search only.
fn purpose(search: &SearchMessages) -> String {
    let filters = (
        &search.q,
        &search.conversation_id,
        &search.sender_id,
        search.kind,
        search.from,
        search.to,
    );
    format!("search {}", serde_json::to_string(&filters).unwrap_or_default())
}

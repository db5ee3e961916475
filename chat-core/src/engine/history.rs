use crate::command::{HistoryOrder, HistoryRequest};
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult};
use crate::id::{ConversationId, MessageId};
use crate::model::Seq;
use crate::store::{Anchor, History, HistoryQuery};
use crate::view::{HistoryPage, HistoryRange, MessageView};

impl Actor {
    /// A page of a conversation's history, by default its newest end, newest first.
    ///
    /// `range` tells which seqs the page speaks of: one inside it that is not among the items is gone or not for the
    /// caller to see, and never comes later. Pages that follow each other meet without hole or overlap.
    ///
    /// # Errors
    /// - `invalid_argument`: `limit` out of bounds; more than one of `before`, `after` and `around` (the later one).
    /// - `conversation_not_found`, `conversation_gone`.
    pub async fn history(&self, id: ConversationId, request: HistoryRequest) -> ChatResult<HistoryPage> {
        let limit = self.limit(request.limit)?;
        let anchor = anchor(&request)?;
        // Everything up to this `last_seq` is visible to the query that follows; that makes the range final.
        let sight = self.look_into(id).await?;
        let query = HistoryQuery {
            viewer: sight.viewer(),
            anchor,
            limit,
            kind: request.kind,
        };
        let mut history = self.inner().store.history(&query).await?;
        let range = range(anchor, &history, sight.conversation.last_seq);
        if request.order == HistoryOrder::Descending {
            history.messages.reverse();
        }
        Ok(HistoryPage {
            items: self.render_messages(&sight, history.messages).await?,
            range,
            has_more_before: history.has_more_before,
            has_more_after: history.has_more_after,
        })
    }

    /// One message; a deleted one as a tombstone.
    ///
    /// # Errors
    /// `message_not_found`, `conversation_gone`: not a message of his sight.
    pub async fn message(&self, id: MessageId) -> ChatResult<MessageView> {
        let (sight, message) = self.visible_message(id).await?;
        self.render_message(&sight, message).await
    }
}

fn anchor(request: &HistoryRequest) -> ChatResult<Anchor> {
    let one = |field: &'static str| {
        Err(ChatError::invalid(
            field,
            "at most one of before, after and around",
        ))
    };
    match (request.before, request.after, request.around) {
        (None, None, None) => Ok(Anchor::Newest),
        (Some(seq), None, None) => Ok(Anchor::Before(seq)),
        (None, Some(seq), None) => Ok(Anchor::After(seq)),
        (None, None, Some(seq)) => Ok(Anchor::Around(seq)),
        (Some(_), Some(_), _) => one("after"),
        (_, _, Some(_)) => one("around"),
    }
}

/// What a page covers. A side with more ends at its outermost item, one without reaches the end of the conversation
/// (or the anchor). An empty range has `from` one above `to`.
fn range(anchor: Anchor, history: &History, last_seq: Seq) -> HistoryRange {
    let first_item = history.messages.first().map(|message| message.seq);
    let last_item = history.messages.last().map(|message| message.seq);
    // A message that came while the page was read is covered, when it is on it.
    let end = last_item.map_or(last_seq, |seq| seq.max(last_seq));
    let from = match (anchor, first_item) {
        (Anchor::After(seq), _) => seq.min(end).saturating_add(1),
        (_, Some(seq)) if history.has_more_before => seq,
        _ => 1,
    };
    let to = match (anchor, last_item) {
        (Anchor::Before(seq), _) => seq.saturating_sub(1).min(end),
        (_, Some(seq)) if history.has_more_after => seq,
        _ => end,
    };
    HistoryRange { from, to }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(anchor: Anchor, before: bool, after: bool, last_seq: Seq) -> (Seq, Seq) {
        let history = History {
            messages: Vec::new(),
            has_more_before: before,
            has_more_after: after,
        };
        let range = range(anchor, &history, last_seq);
        (range.from, range.to)
    }

    #[test]
    fn empty_pages_reach_the_end_or_the_anchor() {
        assert_eq!(covered(Anchor::Newest, false, false, 0), (1, 0));
        assert_eq!(covered(Anchor::Newest, false, false, 7), (1, 7));
        assert_eq!(covered(Anchor::After(7), true, false, 7), (8, 7));
        assert_eq!(covered(Anchor::After(900), true, false, 7), (8, 7));
        assert_eq!(covered(Anchor::Before(3), false, true, 7), (1, 2));
        assert_eq!(covered(Anchor::Before(0), false, true, 7), (1, 0));
        assert_eq!(covered(Anchor::Before(1_000_000), false, false, 7), (1, 7));
    }
}

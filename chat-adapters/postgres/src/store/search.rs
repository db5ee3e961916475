//! Messages by their text.

use chat_core::model::Message;
use chat_core::store::SearchQuery;

use super::PostgresStore;
use super::rows::{self, message_columns};
use super::sight::{hides, member_sees};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{size, statement, time};

/// Texts shorter than this have no trigram to look up.
pub(super) const TRIGRAM: usize = 3;

/// All that the user may see and that holds the text, literally. The planner chooses the way: from the user's
/// conversations, or from what an index proposes.
macro_rules! hits {
    ($proposed:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_members mb JOIN chat_conversations c ON c.id = mb.conversation_id \
             JOIN chat_messages m ON m.conversation_id = mb.conversation_id \
             WHERE mb.user_id = $1 AND mb.state = 'active' AND m.deleted_at IS NULL AND m.kind <> 'system' \
             AND strpos(coalesce(m.folded, m.text), $4) > 0",
            $proposed,
            " AND ($5::uuid IS NULL OR mb.conversation_id = $5) \
             AND ($6::text IS NULL OR m.sender_id = $6) AND ($7::text IS NULL OR m.kind = $7) \
             AND ($8::int8 IS NULL OR m.created_at >= $8) AND ($9::int8 IS NULL OR m.created_at <= $9) \
             AND ($10::int8 IS NULL OR (m.created_at, m.id) < ($10, $11::uuid)) AND ",
            member_sees!("m"),
            " ORDER BY m.created_at DESC, m.id DESC LIMIT $12"
        )
    };
}

/// LIKE is what the trigram index understands.
pub(super) const PROPOSED: &str = hits!(" AND coalesce(m.folded, m.text) LIKE $13");
/// For texts too short for the index: through all the user may see.
pub(super) const SCANNED: &str = hits!("");

impl PostgresStore {
    pub(super) async fn search_messages(&self, search: &SearchQuery) -> Result<Vec<Message>, Error> {
        let indexed = search.text.chars().count() >= TRIGRAM;
        let text = if indexed { PROPOSED } else { SCANNED };
        let mut query = statement(text)
            // How rare the words are decides the way.
            .planned_anew()
            .bind(search.user.as_str())
            .bind(search.now.as_millis())
            .bind(hides(search.blocked_in_group))
            .bind(search.text.as_str())
            .bind(search.conversation.map(|id| id.as_uuid()))
            .bind(search.sender.as_ref().map(|user| user.as_str()))
            .bind(search.kind.map(Named::column))
            .bind(time(search.from))
            .bind(time(search.to))
            .bind(time(search.after.map(|after| after.created_at)))
            .bind(search.after.map(|after| after.id.as_uuid()))
            .bind(size(search.limit));
        if indexed {
            query = query.bind(pattern(&search.text));
        }
        self.database().list(query, rows::message).await
    }
}

/// The LIKE pattern of texts that contain this one.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn patterns_are_literal() {
        assert_eq!(pattern("50%_a\\b"), "%50\\%\\_a\\\\b%");
    }
}

//! Messages by their text.

use chat_core::model::Message;
use chat_core::store::SearchQuery;

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{hides, member_sees};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{blob, size, statement, time};

/// Words shorter than this are in no index.
const TRIGRAM: usize = 3;
/// More trigrams than this make a query no more selective.
const MAX_TRIGRAMS: usize = 32;

/// Everything but where the candidates come from. The index only proposes: `instr` decides, so that the answer is a
/// literal match, whatever a tokenizer thinks of the text.
macro_rules! hits {
    ($from:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            $from,
            " AND mb.user_id = ?1 AND mb.state = 'active' AND m.deleted_at IS NULL AND m.kind <> 'system' \
             AND instr(coalesce(m.folded, m.text), ?4) > 0 AND (?5 IS NULL OR m.conversation_id = ?5) \
             AND (?6 IS NULL OR m.sender_id = ?6) AND (?7 IS NULL OR m.kind = ?7) \
             AND (?8 IS NULL OR m.created_at >= ?8) AND (?9 IS NULL OR m.created_at <= ?9) \
             AND (?10 IS NULL OR (m.created_at, m.id) < (?10, ?11)) AND ",
            member_sees!("m"),
            " ORDER BY m.created_at DESC, m.id DESC LIMIT ?12"
        )
    };
}

/// From the index to the messages; then whether the user may see them.
pub(super) const INDEXED: &str = hits!(
    " FROM chat_search CROSS JOIN chat_messages m ON m.row_id = chat_search.rowid \
     CROSS JOIN chat_members mb ON mb.conversation_id = m.conversation_id \
     CROSS JOIN chat_conversations c ON c.id = m.conversation_id WHERE chat_search MATCH ?13"
);
/// For texts too short for the index: through all the user may see.
pub(super) const SCANNED: &str = hits!(
    " FROM chat_members mb CROSS JOIN chat_conversations c ON c.id = mb.conversation_id \
     CROSS JOIN chat_messages m ON m.conversation_id = mb.conversation_id WHERE ?13 IS NULL"
);

impl SqliteStore {
    pub(super) async fn search_messages(&self, search: &SearchQuery) -> Result<Vec<Message>, Error> {
        let words = trigrams(&search.text);
        let text = if words.is_some() { INDEXED } else { SCANNED };
        let query = statement(text)
            .bind(search.user.as_str())
            .bind(search.now.as_millis())
            .bind(i64::from(hides(search.blocked_in_group)))
            .bind(search.text.as_str())
            .bind(search.conversation.map(|id| blob(id.as_uuid())))
            .bind(search.sender.as_ref().map(|user| user.as_str()))
            .bind(search.kind.map(Named::column))
            .bind(time(search.from))
            .bind(time(search.to))
            .bind(time(search.after.map(|after| after.created_at)))
            .bind(search.after.map(|after| blob(after.id.as_uuid())))
            .bind(size(search.limit))
            .bind(words);
        self.read().await?.list(query, rows::message).await
    }
}

/// The FTS5 query for texts that hold these trigrams; `None` for a text too short to have one. Every third one and
/// the last cover the whole text.
fn trigrams(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let last = chars.windows(TRIGRAM).last()?;
    let mut words: Vec<String> = chars
        .chunks_exact(TRIGRAM)
        .take(MAX_TRIGRAMS)
        .chain(std::iter::once(last))
        .map(|word| format!("\"{}\"", word.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    words.dedup();
    Some(words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn trigrams_cover_the_text() {
        assert_eq!(trigrams("ab"), None);
        assert_eq!(trigrams("abc").unwrap(), "\"abc\"");
        assert_eq!(trigrams("abcd").unwrap(), "\"abc\" AND \"bcd\"");
        assert_eq!(trigrams("a\"b").unwrap(), "\"a\"\"b\"");
    }
}

//! Removes the beginning of a conversation with everything that hangs on its messages.

use chat_core::store::Purge;

use crate::error::Error;
use crate::statement::{blob, int, statement};
use crate::transaction::Transaction;

/// Rows of the search index; written with the others of the transaction.
pub(super) const INDEXED: &str =
    "SELECT m.row_id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2 AND m.text <> ''";
/// What hangs on messages that are below `?2`, before they go themselves.
pub(super) const HANGING: [&str; 6] = [
    "DELETE FROM chat_hides WHERE message_id IN \
       (SELECT m.id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2)",
    "DELETE FROM chat_reactions WHERE message_id IN \
       (SELECT m.id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2)",
    "DELETE FROM chat_message_files WHERE message_id IN \
       (SELECT m.id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2)",
    "DELETE FROM chat_former_texts WHERE message_id IN \
       (SELECT m.id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2)",
    "DELETE FROM chat_stars WHERE message_id IN \
       (SELECT m.id FROM chat_messages m WHERE m.conversation_id = ?1 AND m.seq < ?2)",
    "DELETE FROM chat_mentions WHERE conversation_id = ?1 AND seq < ?2 AND user_id IN \
       (SELECT j.value FROM chat_messages m, json_each(m.mentions) j \
        WHERE m.conversation_id = ?1 AND m.seq < ?2 AND m.mentions IS NOT NULL)",
];
pub(super) const MESSAGES: &str = "DELETE FROM chat_messages WHERE conversation_id = ?1 AND seq < ?2";

pub(super) async fn purge(transaction: &mut Transaction, purge: Purge) -> Result<(), Error> {
    let conversation = blob(purge.conversation_id.as_uuid());
    let below = int(purge.below);
    let query = statement(INDEXED).bind(conversation.clone()).bind(below);
    for row_id in transaction.list(query, |cells| cells.take::<i64>()).await? {
        transaction.index_text(row_id, true, None);
    }
    for text in HANGING.into_iter().chain([MESSAGES]) {
        let query = statement(text).bind(conversation.clone()).bind(below);
        transaction.run(query).await?;
    }
    Ok(())
}

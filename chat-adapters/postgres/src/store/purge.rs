//! Removes the beginning of a conversation with everything that hangs on its messages.

use chat_core::id::ConversationId;
use chat_core::model::Seq;

use crate::error::Error;
use crate::statement::{int, statement};
use crate::transaction::Transaction;

/// What hangs on messages below `$2`, before they go themselves. Most of it is found by the message.
pub(super) const STEPS: [&str; 7] = [
    "DELETE FROM chat_hides h USING chat_messages m \
       WHERE m.conversation_id = $1 AND m.seq < $2 AND h.message_id = m.id",
    "DELETE FROM chat_reactions r USING chat_messages m \
       WHERE m.conversation_id = $1 AND m.seq < $2 AND r.message_id = m.id",
    "DELETE FROM chat_message_files f USING chat_messages m \
       WHERE m.conversation_id = $1 AND m.seq < $2 AND f.message_id = m.id",
    "DELETE FROM chat_former_texts t USING chat_messages m \
       WHERE m.conversation_id = $1 AND m.seq < $2 AND t.message_id = m.id",
    "DELETE FROM chat_stars s USING chat_messages m \
       WHERE m.conversation_id = $1 AND m.seq < $2 AND s.message_id = m.id",
    "DELETE FROM chat_mentions WHERE conversation_id = $1 AND seq < $2",
    "DELETE FROM chat_messages WHERE conversation_id = $1 AND seq < $2",
];

pub(super) async fn purge(
    transaction: &mut Transaction,
    conversation: ConversationId,
    below: Seq,
) -> Result<(), Error> {
    for text in STEPS {
        let query = statement(text).bind(conversation.as_uuid()).bind(int(below));
        transaction.run(query).await?;
    }
    Ok(())
}

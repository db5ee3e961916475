//! Messages by whom they mention: named users have rows of their own, everybody is a flag of the message.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::model::Message;
use chat_core::store::{MentionQuery, MentionStore};
use uuid::Uuid;

use super::PostgresStore;
use super::rows::{self, message_columns};
use super::sight::{counts, hides, member_sees};
use crate::statement::{size, statement};

/// Whether the message `m` mentions the member `mb`: `access::is_mention`, and with `$8` only unread ones.
macro_rules! mentions {
    () => {
        concat!(
            "mb.state = 'active' AND m.deleted_at IS NULL AND m.sender_id <> $1 \
             AND NOT (NOT $4 AND c.kind = 'group' AND EXISTS (SELECT 1 FROM chat_blocks k \
               WHERE k.blocker = $1 AND k.blocked = m.sender_id AND k.active)) \
             AND (NOT $8 OR (m.countable AND m.seq > mb.unread_after)) AND ",
            member_sees!("m")
        )
    };
}

/// The newest of both sorts, then the newest of these. By name they are read in the order of their index; those of
/// everybody are walked, which few may write and only in small groups.
pub(super) const LIST: &str = concat!(
    "WITH page AS ((SELECT m.conversation_id, m.seq FROM chat_mentions n \
     JOIN chat_members mb ON mb.conversation_id = n.conversation_id AND mb.user_id = n.user_id \
     JOIN chat_conversations c ON c.id = n.conversation_id \
     JOIN chat_messages m ON m.conversation_id = n.conversation_id AND m.seq = n.seq \
     WHERE n.user_id = $1 AND (n.created_at, n.message_id) < ($5, $6) AND ",
    mentions!(),
    " ORDER BY n.created_at DESC, n.message_id DESC LIMIT $7) \
     UNION (SELECT m.conversation_id, m.seq FROM chat_members mb \
     JOIN chat_conversations c ON c.id = mb.conversation_id \
     JOIN chat_messages m ON m.conversation_id = mb.conversation_id \
     WHERE mb.user_id = $1 AND m.mentions_all AND (m.created_at, m.id) < ($5, $6) AND ",
    mentions!(),
    " ORDER BY m.created_at DESC, m.id DESC LIMIT $7)) SELECT ",
    message_columns!(),
    " FROM page p JOIN chat_messages m ON m.conversation_id = p.conversation_id AND m.seq = p.seq \
     ORDER BY m.created_at DESC, m.id DESC LIMIT $7"
);

#[async_trait]
impl MentionStore for PostgresStore {
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>> {
        // Before the first page lies nothing: a place behind every message.
        let (at, id) = query.after.map_or((i64::MAX, Uuid::max()), |after| {
            (after.created_at.as_millis(), after.id.as_uuid())
        });
        let statement = statement(LIST)
            .bind(query.user.as_str())
            .bind(query.now.as_millis())
            .bind(hides(query.blocked_in_group))
            .bind(counts(query.blocked_in_group))
            .bind(at)
            .bind(id)
            .bind(size(query.limit))
            .bind(query.unread);
        let found = self.database().list(statement, rows::message);
        found.await.map_err(|error| error.into_backend("mentions"))
    }
}

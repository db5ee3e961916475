//! Messages by whom they mention: named users have rows of their own, everybody is a flag of the message.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::model::Message;
use chat_core::store::{MentionQuery, MentionStore};

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{counts, hides, member_sees};
use crate::error::Error;
use crate::statement::{blob, size, statement};

/// Whether the message `m` mentions the member `mb`: `access::is_mention`, and with `?8` only unread ones.
macro_rules! mentions {
    () => {
        concat!(
            "mb.state = 'active' AND m.deleted_at IS NULL AND m.sender_id <> ?1 \
             AND NOT (?4 = 0 AND c.kind = 'group' AND EXISTS (SELECT 1 FROM chat_blocks k \
               WHERE k.blocker = ?1 AND k.blocked = m.sender_id AND k.active = 1)) \
             AND (?8 = 0 OR (m.countable = 1 AND m.seq > mb.unread_after)) AND ",
            member_sees!("m")
        )
    };
}

/// The newest of both sorts, then the newest of these. By name they are read in the order of their index, and no more
/// than a page of them; those of everybody are walked, which few may write and only in small groups.
pub(super) const LIST: &str = concat!(
    "WITH page AS (SELECT * FROM (SELECT m.row_id, n.created_at, n.message_id \
     FROM chat_mentions n INDEXED BY chat_mentions_time \
     CROSS JOIN chat_members mb ON mb.conversation_id = n.conversation_id AND mb.user_id = n.user_id \
     CROSS JOIN chat_conversations c ON c.id = n.conversation_id \
     CROSS JOIN chat_messages m ON m.conversation_id = n.conversation_id AND m.seq = n.seq \
     WHERE n.user_id = ?1 AND (n.created_at, n.message_id) < (?5, ?6) AND ",
    mentions!(),
    " ORDER BY n.created_at DESC, n.message_id DESC LIMIT ?7) \
     UNION SELECT * FROM (SELECT m.row_id, m.created_at, m.id FROM chat_members mb \
     CROSS JOIN chat_conversations c ON c.id = mb.conversation_id \
     CROSS JOIN chat_messages m INDEXED BY chat_messages_all ON m.conversation_id = mb.conversation_id \
     WHERE mb.user_id = ?1 AND m.mentions_all = 1 AND (m.created_at, m.id) < (?5, ?6) AND ",
    mentions!(),
    " ORDER BY m.created_at DESC, m.id DESC LIMIT ?7)) SELECT ",
    message_columns!(),
    " FROM page p CROSS JOIN chat_messages m ON m.row_id = p.row_id \
     ORDER BY m.created_at DESC, m.id DESC LIMIT ?7"
);

#[async_trait]
impl MentionStore for SqliteStore {
    async fn mentions(&self, query: &MentionQuery) -> BackendResult<Vec<Message>> {
        let found = self.mentioning(query).await;
        found.map_err(|error| error.into_backend("mentions"))
    }
}

impl SqliteStore {
    async fn mentioning(&self, query: &MentionQuery) -> Result<Vec<Message>, Error> {
        // Before the first page lies nothing: a place behind every message.
        let (at, id) = query.after.map_or((i64::MAX, vec![0xff; 16]), |after| {
            (after.created_at.as_millis(), blob(after.id.as_uuid()))
        });
        let statement = statement(LIST)
            .bind(query.user.to_string())
            .bind(query.now.as_millis())
            .bind(i64::from(hides(query.blocked_in_group)))
            .bind(i64::from(counts(query.blocked_in_group)))
            .bind(at)
            .bind(id)
            .bind(size(query.limit))
            .bind(i64::from(query.unread));
        self.read().await?.list(statement, rows::message).await
    }
}

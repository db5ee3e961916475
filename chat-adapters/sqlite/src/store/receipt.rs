use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{ReadAudience, Seq};
use chat_core::store::{MarkTimes, MarksThen, ReceiptStore};
use chat_core::time::Timestamp;

use super::SqliteStore;
use super::writes::step;
use crate::error::Error;
use crate::statement::{blob, id_list, int, statement, user_list};

/// Within one kind of step a mark only grows, so the first step over a seq is one seek, whatever the length of the
/// log; the earliest over several kinds is then the one with the lowest position.
pub(super) const FIRST_STEPS: &str = "SELECT a.user_id, a.step, a.at, a.timeless FROM json_each(?1) u \
    CROSS JOIN (SELECT 0 AS step UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) kinds \
    CROSS JOIN chat_advances a ON a.position = (SELECT f.position FROM chat_advances f \
      WHERE f.conversation_id = ?2 AND f.user_id = u.value AND f.step = kinds.step AND f.to_seq >= ?3 \
      ORDER BY f.to_seq, f.position LIMIT 1) \
    WHERE kinds.step = 0 OR kinds.step >= ?4 ORDER BY a.position";

/// The last step of each kind that a blocked pair's other one made before the block, read backwards from his newest.
pub(super) const BEFORE_BLOCKS: &str = "WITH since AS (SELECT x.other, MIN(x.at) AS at FROM ( \
      SELECT b.blocked AS other, b.at FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
        AND b.blocked IN (SELECT value FROM json_each(?2)) \
      UNION ALL SELECT b.blocker AS other, b.at FROM chat_blocks b WHERE b.blocked = ?1 AND b.active = 1 \
        AND b.blocker IN (SELECT value FROM json_each(?2))) x GROUP BY x.other) \
    SELECT a.conversation_id, a.user_id, a.step, a.to_seq FROM since \
    CROSS JOIN json_each(?3) c \
    CROSS JOIN (SELECT 0 AS step UNION ALL SELECT 2 UNION ALL SELECT 3) kinds \
    CROSS JOIN chat_advances a ON a.position = (SELECT f.position FROM chat_advances f \
      WHERE f.conversation_id = unhex(c.value) AND f.user_id = since.other AND f.step = kinds.step \
        AND f.at <= since.at ORDER BY f.to_seq DESC LIMIT 1)";

#[async_trait]
impl ReceiptStore for SqliteStore {
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>> {
        let found = async {
            let query = statement(FIRST_STEPS)
                .bind(user_list(users)?)
                .bind(blob(conversation.as_uuid()))
                .bind(int(seq))
                .bind(step(Some(audience)));
            let mut session = self.read().await?;
            let steps = session.list(query, |cells| {
                let step = (cells.user()?, cells.take::<i64>()?);
                let at = cells.time()?;
                Ok((step, (!cells.flag()?).then_some(at)))
            });
            // The first step counts, also when it has lost its time: the next one's would be wrong.
            let mut first: HashMap<UserId, [Option<Option<Timestamp>>; 2]> = HashMap::new();
            for ((user, kind), at) in steps.await? {
                let [delivered, read] = first.entry(user).or_default();
                let slot = if kind == step(None) { delivered } else { read };
                slot.get_or_insert(at);
            }
            Ok(first
                .into_iter()
                .map(|(user, [delivered, read])| {
                    let times = MarkTimes {
                        delivered_at: delivered.flatten(),
                        read_at: read.flatten(),
                    };
                    (user, times)
                })
                .collect())
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("mark_times"))
    }

    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>> {
        let found = async {
            let query = statement(BEFORE_BLOCKS)
                .bind(viewer.as_str())
                .bind(user_list(users)?)
                .bind(id_list(conversations.iter().map(|id| id.as_uuid())));
            let mut session = self.read().await?;
            let steps = session.list(query, |cells| {
                Ok((
                    (cells.conversation()?, cells.user()?),
                    cells.take::<i64>()?,
                    cells.uint()?,
                ))
            });
            let mut marks: HashMap<(ConversationId, UserId), MarksThen> = HashMap::new();
            for (whose, kind, to) in steps.await? {
                let audiences = [ReadAudience::Contacts, ReadAudience::Everyone].map(Some);
                let read = audiences.into_iter().find(|read| step(*read) == kind);
                marks.entry(whose).or_default().add(read.flatten(), to);
            }
            Ok(marks)
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("marks_before_blocks"))
    }
}

use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{ReadAudience, Seq};
use chat_core::store::{MarkTimes, MarksThen, ReceiptStore};
use chat_core::time::Timestamp;

use super::PostgresStore;
use super::writes::step;
use crate::statement::{all, int, statement, users};

/// Within one kind of step a mark only grows, so the first step over a seq is one seek, whatever the length of the
/// log; the earliest over several kinds is then the one with the lowest position.
pub(super) const FIRST_STEPS: &str = "SELECT a.user_id, a.step, a.at, a.timeless FROM unnest($1::text[]) u(id) \
    CROSS JOIN (VALUES (0), (1), (2), (3)) kinds(step) \
    CROSS JOIN LATERAL (SELECT f.user_id, f.step, f.at, f.timeless, f.position FROM chat_advances f \
      WHERE f.conversation_id = $2 AND f.user_id = u.id AND f.step = kinds.step AND f.to_seq >= $3 \
      ORDER BY f.to_seq, f.position LIMIT 1) a \
    WHERE kinds.step = 0 OR kinds.step >= $4 ORDER BY a.position";

/// The last step of each kind that a blocked pair's other one made before the block, read backwards from his newest.
pub(super) const BEFORE_BLOCKS: &str = "WITH since AS (SELECT x.other, min(x.at) AS at FROM ( \
      SELECT b.blocked AS other, b.at FROM chat_blocks b WHERE b.blocker = $1 AND b.active \
        AND b.blocked = ANY($2) \
      UNION ALL SELECT b.blocker AS other, b.at FROM chat_blocks b WHERE b.blocked = $1 AND b.active \
        AND b.blocker = ANY($2)) x GROUP BY x.other) \
    SELECT a.conversation_id, a.user_id, a.step, a.to_seq FROM since \
    CROSS JOIN unnest($3::uuid[]) c(id) \
    CROSS JOIN (VALUES (0), (2), (3)) kinds(step) \
    CROSS JOIN LATERAL (SELECT f.conversation_id, f.user_id, f.step, f.to_seq FROM chat_advances f \
      WHERE f.conversation_id = c.id AND f.user_id = since.other AND f.step = kinds.step \
        AND f.at <= since.at ORDER BY f.to_seq DESC LIMIT 1) a";

#[async_trait]
impl ReceiptStore for PostgresStore {
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        of: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>> {
        let query = statement(FIRST_STEPS)
            .bind(users(of))
            .bind(conversation.as_uuid())
            .bind(int(seq))
            .bind(step(Some(audience)));
        let steps = self.database().list(query, |cells| {
            let step = (cells.user()?, cells.int()?);
            let at = cells.time()?;
            Ok((step, (!cells.flag()?).then_some(at)))
        });
        let steps = steps.await.map_err(|error| error.into_backend("mark_times"))?;
        // The first step counts, also when it has lost its time: the next one's would be wrong.
        let mut first: HashMap<UserId, [Option<Option<Timestamp>>; 2]> = HashMap::new();
        for ((user, kind), at) in steps {
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
    }

    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        of: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>> {
        let query = statement(BEFORE_BLOCKS)
            .bind(viewer.as_str())
            .bind(users(of))
            .bind(all(conversations, |id| id.as_uuid()));
        let steps = self.database().list(query, |cells| {
            Ok((
                (cells.conversation()?, cells.user()?),
                cells.int()?,
                cells.uint()?,
            ))
        });
        let steps = steps
            .await
            .map_err(|error| error.into_backend("marks_before_blocks"))?;
        let mut marks: HashMap<(ConversationId, UserId), MarksThen> = HashMap::new();
        for (whose, kind, to) in steps {
            let audiences = [ReadAudience::Contacts, ReadAudience::Everyone].map(Some);
            let read = audiences.into_iter().find(|read| step(*read) == kind);
            marks.entry(whose).or_default().add(read.flatten(), to);
        }
        Ok(marks)
    }
}

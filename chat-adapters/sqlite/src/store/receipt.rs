use std::collections::HashMap;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{ReadAudience, Seq};
use chat_core::store::{MarkTimes, ReceiptStore};

use super::SqliteStore;
use super::writes::step;
use crate::error::Error;
use crate::statement::{blob, int, statement, user_list};

/// Within one kind of step a mark only grows, so the first step over a seq is one seek, whatever the length of the
/// log; the earliest over several kinds is then the one with the lowest position.
pub(super) const FIRST_STEPS: &str = "SELECT a.user_id, a.step, a.at FROM json_each(?1) u \
    CROSS JOIN (SELECT 0 AS step UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) kinds \
    CROSS JOIN chat_advances a ON a.position = (SELECT f.position FROM chat_advances f \
      WHERE f.conversation_id = ?2 AND f.user_id = u.value AND f.step = kinds.step AND f.to_seq >= ?3 \
      ORDER BY f.to_seq, f.position LIMIT 1) \
    WHERE kinds.step = 0 OR kinds.step >= ?4 ORDER BY a.position";

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
                Ok((cells.user()?, cells.take::<i64>()?, cells.time()?))
            });
            let mut times: HashMap<UserId, MarkTimes> = HashMap::new();
            for (user, kind, at) in steps.await? {
                let times = times.entry(user).or_default();
                if kind == step(None) {
                    times.delivered_at = times.delivered_at.or(Some(at));
                } else {
                    times.read_at = times.read_at.or(Some(at));
                }
            }
            Ok(times)
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("mark_times"))
    }
}

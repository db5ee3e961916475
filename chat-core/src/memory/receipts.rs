use std::collections::HashMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::error::BackendResult;
use crate::id::{ConversationId, UserId};
use crate::model::{ReadAudience, Seq};
use crate::store::{MarkTimes, MarksThen, ReceiptStore};
use crate::time::Timestamp;

#[async_trait]
impl ReceiptStore for MemoryStore {
    async fn mark_times(
        &self,
        conversation: ConversationId,
        seq: Seq,
        users: &[UserId],
        audience: ReadAudience,
    ) -> BackendResult<HashMap<UserId, MarkTimes>> {
        let state = self.state();
        let mut times: HashMap<UserId, MarkTimes> = HashMap::new();
        let Some(room) = state.rooms.get(&conversation) else {
            return Ok(times);
        };
        // The log is in the order of commits, so the first step that fits is the earliest.
        for step in room.advances.iter().filter(|step| step.to >= seq) {
            if !users.contains(&step.user_id) {
                continue;
            }
            let times = times.entry(step.user_id.clone()).or_default();
            match step.read {
                None => times.delivered_at = times.delivered_at.or(Some(step.at)),
                Some(may_know) if may_know >= audience => times.read_at = times.read_at.or(Some(step.at)),
                Some(_) => {}
            }
        }
        Ok(times)
    }

    async fn marks_before_blocks(
        &self,
        viewer: &UserId,
        users: &[UserId],
        conversations: &[ConversationId],
    ) -> BackendResult<HashMap<(ConversationId, UserId), MarksThen>> {
        let state = self.state();
        let since: HashMap<&UserId, Timestamp> = users
            .iter()
            .filter_map(|user| Some((user, state.blocked_since(viewer, user)?)))
            .collect();
        let mut marks: HashMap<(ConversationId, UserId), MarksThen> = HashMap::new();
        for id in conversations {
            let Some(room) = state.rooms.get(id) else { continue };
            for step in &room.advances {
                if since.get(&step.user_id).is_none_or(|since| step.at > *since) {
                    continue;
                }
                let then = marks.entry((*id, step.user_id.clone())).or_default();
                then.add(step.read, step.to);
            }
        }
        Ok(marks)
    }
}

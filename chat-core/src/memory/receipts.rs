use std::collections::HashMap;

use async_trait::async_trait;

use super::MemoryStore;
use super::state::Step;
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
        let Some(room) = state.rooms.get(&conversation) else {
            return Ok(HashMap::new());
        };
        // The log is in the order of commits, so the first step that fits is the earliest. One without its time is
        // the first all the same.
        let mut first: HashMap<UserId, (Option<&Step>, Option<&Step>)> = HashMap::new();
        for step in room.advances.iter().filter(|step| step.advance.to >= seq) {
            if !users.contains(&step.advance.user_id) {
                continue;
            }
            let (delivered, read) = first.entry(step.advance.user_id.clone()).or_default();
            match step.advance.read {
                None => *delivered = delivered.or(Some(step)),
                Some(may_know) if may_know >= audience => *read = read.or(Some(step)),
                Some(_) => {}
            }
        }
        let time = |step: Option<&Step>| step.filter(|step| !step.timeless).map(|step| step.advance.at);
        Ok(first
            .into_iter()
            .map(|(user, (delivered, read))| {
                let times = MarkTimes {
                    delivered_at: time(delivered),
                    read_at: time(read),
                };
                (user, times)
            })
            .collect())
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
            for Step { advance: step, .. } in &room.advances {
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

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{BlockRow, State};
use crate::error::BackendResult;
use crate::id::UserId;
use crate::store::{BlockChange, BlockStore, Blocks};
use crate::time::Timestamp;

#[async_trait]
impl BlockStore for MemoryStore {
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>> {
        let mut state = self.state();
        if state.is_blocked(blocker, blocked) == on {
            return Ok(None);
        }
        let Some(user) = state.users.get_mut(blocker) else {
            return Ok(None);
        };
        user.user_rev += 1;
        let user_rev = user.user_rev;
        state.blocks.entry(blocker.clone()).or_default().insert(
            blocked.clone(),
            BlockRow {
                on,
                user_rev,
                at: now,
            },
        );
        Ok(Some(user_rev))
    }

    async fn blocked_users(
        &self,
        blocker: &UserId,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserId>> {
        let blocked = self.state().blocked_by(blocker).into_iter();
        Ok(blocked
            .filter(|user| after.is_none_or(|after| user > after))
            .take(limit)
            .collect())
    }

    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks> {
        let mut blocks = self.state().blocks_of(user);
        blocks.blocked.retain(|other| others.contains(other));
        blocks.blocked_by.retain(|other| others.contains(other));
        Ok(blocks)
    }

    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks> {
        Ok(self.state().blocks_of(user))
    }

    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>> {
        let state = self.state();
        let rows = state.blocks.get(blocker).into_iter().flatten();
        let mut changed: Vec<_> = rows.filter(|(_, row)| row.user_rev > since_user_rev).collect();
        changed.sort_by_key(|(_, row)| row.user_rev);
        Ok(changed
            .into_iter()
            .map(|(user, row)| BlockChange {
                user: user.clone(),
                blocked: row.on,
            })
            .collect())
    }
}

impl State {
    fn blocked_by(&self, blocker: &UserId) -> Vec<UserId> {
        let rows = self.blocks.get(blocker).into_iter().flatten();
        rows.filter(|(_, row)| row.on)
            .map(|(user, _)| user.clone())
            .collect()
    }

    /// Since when one of the two has blocked the other.
    pub(super) fn blocked_since(&self, a: &UserId, b: &UserId) -> Option<Timestamp> {
        let row = |blocker, blocked| self.blocks.get(blocker)?.get(blocked).filter(|row| row.on);
        let both = [row(a, b), row(b, a)];
        both.into_iter().flatten().map(|row| row.at).min()
    }

    /// Whether somebody blocks him or he blocks somebody.
    pub(super) fn is_in_a_block(&self, user: &UserId) -> bool {
        let active = |row: &BlockRow| row.on;
        self.blocks
            .get(user)
            .is_some_and(|list| list.values().any(active))
            || (self.blocks.values()).any(|list| list.get(user).is_some_and(active))
    }

    fn blocks_of(&self, user: &UserId) -> Blocks {
        let mut blocked_by: Vec<UserId> = self
            .blocks
            .keys()
            .filter(|other| self.is_blocked(other, user))
            .cloned()
            .collect();
        blocked_by.sort_unstable();
        Blocks {
            blocked: self.blocked_by(user),
            blocked_by,
        }
    }
}

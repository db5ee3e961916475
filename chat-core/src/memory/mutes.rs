use async_trait::async_trait;

use super::MemoryStore;
use super::state::MuteRow;
use crate::error::BackendResult;
use crate::id::UserId;
use crate::model::Muted;
use crate::store::{MuteChange, MuteStore, UserMute};
use crate::time::Timestamp;

#[async_trait]
impl MuteStore for MemoryStore {
    async fn set_mute(
        &self,
        user: &UserId,
        muted: &UserId,
        until: Option<Muted>,
    ) -> BackendResult<Option<u64>> {
        let mut state = self.state();
        let present = state.mutes.get(user).and_then(|list| list.get(muted));
        if present.and_then(|row| row.until) == until {
            return Ok(None);
        }
        let Some(row) = state.users.get_mut(user) else {
            return Ok(None);
        };
        row.user_rev += 1;
        let user_rev = row.user_rev;
        let list = state.mutes.entry(user.clone()).or_default();
        list.insert(muted.clone(), MuteRow { until, user_rev });
        Ok(Some(user_rev))
    }

    async fn muted_users(
        &self,
        user: &UserId,
        now: Timestamp,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserMute>> {
        let state = self.state();
        let rows = state.mutes.get(user).into_iter().flatten();
        Ok(rows
            .filter(|(muted, _)| after.is_none_or(|after| *muted > after))
            .filter_map(|(muted, row)| {
                Some(UserMute {
                    user: muted.clone(),
                    until: row.until.filter(|until| until.is_active(now))?,
                })
            })
            .take(limit)
            .collect())
    }

    async fn mute_of(&self, user: &UserId, other: &UserId) -> BackendResult<Option<Muted>> {
        let state = self.state();
        let row = state.mutes.get(user).and_then(|list| list.get(other));
        Ok(row.and_then(|row| row.until))
    }

    async fn mute_changes(&self, user: &UserId, since_user_rev: u64) -> BackendResult<Vec<MuteChange>> {
        let state = self.state();
        let rows = state.mutes.get(user).into_iter().flatten();
        let mut changed: Vec<_> = rows.filter(|(_, row)| row.user_rev > since_user_rev).collect();
        changed.sort_by_key(|(_, row)| row.user_rev);
        Ok(changed
            .into_iter()
            .map(|(muted, row)| MuteChange {
                user: muted.clone(),
                until: row.until,
            })
            .collect())
    }
}

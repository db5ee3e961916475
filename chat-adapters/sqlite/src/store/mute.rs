use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Muted;
use chat_core::store::{MuteChange, MuteStore, UserMute};
use chat_core::time::Timestamp;

use super::SqliteStore;
use crate::error::Error;
use crate::statement::{Cells, int, muted, size, statement};
use crate::transaction::Transaction;

const MUTED: &str = "SELECT m.muted, m.until FROM chat_mutes m WHERE m.user_id = ?1 AND m.until > ?2 \
    AND (?3 IS NULL OR m.muted > ?3) ORDER BY m.muted LIMIT ?4";
const OF: &str = "SELECT m.until FROM chat_mutes m WHERE m.user_id = ?1 AND m.muted = ?2";
const CHANGES: &str = "SELECT m.muted, m.until FROM chat_mutes m WHERE m.user_id = ?1 AND m.user_rev > ?2 \
    ORDER BY m.user_rev, m.muted";

#[async_trait]
impl MuteStore for SqliteStore {
    async fn set_mute(
        &self,
        user: &UserId,
        muted: &UserId,
        until: Option<Muted>,
    ) -> BackendResult<Option<u64>> {
        let (user, muted) = (user.clone(), muted.clone());
        self.writer()
            .write_step("set_mute", move |transaction| {
                Box::pin(async move { set(transaction, &user, &muted, until).await })
            })
            .await
    }

    async fn muted_users(
        &self,
        user: &UserId,
        now: Timestamp,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserMute>> {
        let query = statement(MUTED)
            .bind(user.as_str())
            .bind(now.as_millis())
            .bind(after.map(UserId::as_str))
            .bind(size(limit));
        let mute = |cells: &mut Cells<'_>| {
            Ok(UserMute {
                user: cells.user()?,
                until: cells.opt_muted()?.ok_or(Error::Decode("a mute without an end"))?,
            })
        };
        let found = async { self.read().await?.list(query, mute).await };
        found.await.map_err(|error| error.into_backend("muted_users"))
    }

    async fn mute_of(&self, user: &UserId, other: &UserId) -> BackendResult<Option<Muted>> {
        let query = statement(OF).bind(user.as_str()).bind(other.as_str());
        let found = async { self.read().await?.find(query, |cells| cells.opt_muted()).await };
        let found = found.await.map_err(|error| error.into_backend("mute_of"))?;
        Ok(found.flatten())
    }

    async fn mute_changes(&self, user: &UserId, since_user_rev: u64) -> BackendResult<Vec<MuteChange>> {
        let query = statement(CHANGES).bind(user.as_str()).bind(int(since_user_rev));
        let change = |cells: &mut Cells<'_>| {
            Ok(MuteChange {
                user: cells.user()?,
                until: cells.opt_muted()?,
            })
        };
        let found = async { self.read().await?.list(query, change).await };
        found.await.map_err(|error| error.into_backend("mute_changes"))
    }
}

async fn set(
    transaction: &mut Transaction,
    user: &UserId,
    whom: &UserId,
    until: Option<Muted>,
) -> Result<Option<u64>, Error> {
    const COUNT: &str = "UPDATE chat_users SET user_rev = user_rev + 1 WHERE id = ?1 RETURNING user_rev";
    let query = statement(OF).bind(user.as_str()).bind(whom.as_str());
    let present = transaction.find(query, |cells| cells.opt_muted()).await?;
    if present.flatten() == until {
        return Ok(None);
    }
    let query = statement(COUNT).bind(user.as_str());
    let Some(user_rev) = transaction.find(query, |cells| cells.uint()).await? else {
        return Ok(None);
    };
    put_mute(transaction, user, whom, until, user_rev).await?;
    Ok(Some(user_rev))
}

pub(super) async fn put_mute(
    transaction: &mut Transaction,
    user: &UserId,
    whom: &UserId,
    until: Option<Muted>,
    user_rev: u64,
) -> Result<(), Error> {
    const PUT: &str = "INSERT INTO chat_mutes (user_id, muted, until, user_rev) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (user_id, muted) DO UPDATE SET until = excluded.until, user_rev = excluded.user_rev";
    let query = statement(PUT)
        .bind(user.as_str())
        .bind(whom.as_str())
        .bind(muted(until))
        .bind(int(user_rev));
    transaction.run(query).await?;
    Ok(())
}

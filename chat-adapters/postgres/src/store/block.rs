use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::store::{BlockChange, BlockStore, Blocks};
use chat_core::time::Timestamp;

use super::PostgresStore;
use super::user::{lock_user_rev, set_user_rev};
use crate::error::Error;
use crate::statement::{Cells, int, size, statement, users};
use crate::transaction::Transaction;

const BLOCKED: &str = "SELECT b.blocked FROM chat_blocks b WHERE b.blocker = $1 AND b.active \
    AND ($2::text IS NULL OR b.blocked > $2) ORDER BY b.blocked LIMIT $3";
/// Both directions; the first column tells which.
const OF: &str = "SELECT true, b.blocked AS other FROM chat_blocks b WHERE b.blocker = $1 AND b.active \
    UNION ALL SELECT false, b.blocker FROM chat_blocks b WHERE b.blocked = $1 AND b.active ORDER BY 1, 2";
pub(super) const AMONG: &str = "SELECT true, b.blocked AS other FROM chat_blocks b \
      WHERE b.blocker = $1 AND b.active AND b.blocked = ANY($2) \
    UNION ALL SELECT false, b.blocker FROM chat_blocks b \
      WHERE b.blocked = $1 AND b.active AND b.blocker = ANY($2) ORDER BY 1, 2";
const CHANGES: &str = "SELECT b.blocked, b.active FROM chat_blocks b WHERE b.blocker = $1 AND b.user_rev > $2 \
    ORDER BY b.user_rev, b.blocked";

#[async_trait]
impl BlockStore for PostgresStore {
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>> {
        let (blocker, blocked) = (blocker.clone(), blocked.clone());
        let set = self.database().write(move |transaction| {
            let (blocker, blocked) = (blocker.clone(), blocked.clone());
            Box::pin(async move { set(transaction, &blocker, &blocked, on, now).await })
        });
        set.await.map_err(|error| error.into_backend("set_block"))
    }

    async fn blocked_users(
        &self,
        blocker: &UserId,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserId>> {
        let query = statement(BLOCKED)
            .bind(blocker.as_str())
            .bind(after.map(UserId::as_str))
            .bind(size(limit));
        let found = self.database().list(query, |cells| cells.user());
        found.await.map_err(|error| error.into_backend("blocked_users"))
    }

    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks> {
        let query = statement(AMONG).bind(user.as_str()).bind(users(others));
        let found = self.database().list(query, relation).await;
        found
            .map(blocks)
            .map_err(|error| error.into_backend("blocks_among"))
    }

    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks> {
        let query = statement(OF).bind(user.as_str());
        let found = self.database().list(query, relation).await;
        found.map(blocks).map_err(|error| error.into_backend("blocks_of"))
    }

    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>> {
        let query = statement(CHANGES)
            .bind(blocker.as_str())
            .bind(int(since_user_rev));
        let found = self.database().list(query, |cells| {
            Ok(BlockChange {
                user: cells.user()?,
                blocked: cells.flag()?,
            })
        });
        found.await.map_err(|error| error.into_backend("block_changes"))
    }
}

fn relation(cells: &mut Cells<'_>) -> Result<(bool, UserId), Error> {
    Ok((cells.flag()?, cells.user()?))
}

fn blocks(rows: Vec<(bool, UserId)>) -> Blocks {
    let mut blocks = Blocks::default();
    for (his, user) in rows {
        if his {
            blocks.blocked.push(user);
        } else {
            blocks.blocked_by.push(user);
        }
    }
    blocks
}

async fn set(
    transaction: &mut Transaction,
    blocker: &UserId,
    blocked: &UserId,
    on: bool,
    now: Timestamp,
) -> Result<Option<u64>, Error> {
    const STANDS: &str = "SELECT 1 FROM chat_blocks WHERE blocker = $1 AND blocked = $2 AND active";
    const PUT: &str = "INSERT INTO chat_blocks (blocker, blocked, active, user_rev, at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (blocker, blocked) DO UPDATE SET active = excluded.active, user_rev = excluded.user_rev, \
        at = excluded.at";
    let Some(user_rev) = lock_user_rev(transaction, blocker).await? else {
        return Ok(None);
    };
    let stands = statement(STANDS).bind(blocker.as_str()).bind(blocked.as_str());
    if transaction.one(stands).await?.is_some() == on {
        return Ok(None);
    }
    let user_rev = user_rev + 1;
    set_user_rev(transaction, blocker, user_rev).await?;
    let put = statement(PUT)
        .bind(blocker.as_str())
        .bind(blocked.as_str())
        .bind(on)
        .bind(int(user_rev))
        .bind(now.as_millis());
    transaction.run(put).await?;
    Ok(Some(user_rev))
}

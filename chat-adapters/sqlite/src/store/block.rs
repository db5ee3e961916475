use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Block;
use chat_core::store::{BlockChange, BlockStore, Blocks};
use chat_core::time::Timestamp;

use super::SqliteStore;
use crate::error::Error;
use crate::statement::{Cells, int, size, statement, user_list};
use crate::transaction::Transaction;

const BLOCKED: &str = "SELECT b.blocked FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
    AND (?2 IS NULL OR b.blocked > ?2) ORDER BY b.blocked LIMIT ?3";
/// Both directions; the first column tells which.
const OF: &str = "SELECT 1, b.blocked FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
    UNION ALL SELECT 0, b.blocker FROM chat_blocks b WHERE b.blocked = ?1 AND b.active = 1 ORDER BY 1, 2";
const AMONG: &str = "SELECT 1, b.blocked FROM chat_blocks b WHERE b.blocker = ?1 AND b.active = 1 \
      AND b.blocked IN (SELECT value FROM json_each(?2)) \
    UNION ALL SELECT 0, b.blocker FROM chat_blocks b WHERE b.blocked = ?1 AND b.active = 1 \
      AND b.blocker IN (SELECT value FROM json_each(?2)) ORDER BY 1, 2";
const CHANGES: &str = "SELECT b.blocked, b.active FROM chat_blocks b WHERE b.blocker = ?1 AND b.user_rev > ?2 \
    ORDER BY b.user_rev, b.blocked";

#[async_trait]
impl BlockStore for SqliteStore {
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>> {
        let (blocker, blocked) = (blocker.clone(), blocked.clone());
        self.writer()
            .write_step("set_block", move |transaction| {
                Box::pin(async move { set(transaction, &blocker, &blocked, on, now).await })
            })
            .await
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
        let found = async { self.read().await?.list(query, |cells| cells.user()).await };
        found.await.map_err(|error| error.into_backend("blocked_users"))
    }

    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks> {
        let found = async {
            let query = statement(AMONG).bind(user.as_str()).bind(user_list(others)?);
            let row = |cells: &mut Cells<'_>| Ok((cells.flag()?, cells.user()?));
            Ok(blocks(self.read().await?.list(query, row).await?))
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("blocks_among"))
    }

    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks> {
        let found = async {
            let query = statement(OF).bind(user.as_str());
            let row = |cells: &mut Cells<'_>| Ok((cells.flag()?, cells.user()?));
            Ok(blocks(self.read().await?.list(query, row).await?))
        };
        found
            .await
            .map_err(|error: Error| error.into_backend("blocks_of"))
    }

    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>> {
        let query = statement(CHANGES)
            .bind(blocker.as_str())
            .bind(int(since_user_rev));
        let found = async {
            let change = |cells: &mut Cells<'_>| {
                Ok(BlockChange {
                    user: cells.user()?,
                    blocked: cells.flag()?,
                })
            };
            self.read().await?.list(query, change).await
        };
        found.await.map_err(|error| error.into_backend("block_changes"))
    }
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
    const STANDS: &str = "SELECT 1 FROM chat_blocks WHERE blocker = ?1 AND blocked = ?2 AND active = 1";
    const COUNT: &str = "UPDATE chat_users SET user_rev = user_rev + 1 WHERE id = ?1 RETURNING user_rev";
    let query = statement(STANDS).bind(blocker.as_str()).bind(blocked.as_str());
    if transaction.one(query).await?.is_some() == on {
        return Ok(None);
    }
    let query = statement(COUNT).bind(blocker.as_str());
    let Some(user_rev) = transaction.find(query, |cells| cells.uint()).await? else {
        return Ok(None);
    };
    let block = Block {
        blocker: blocker.clone(),
        blocked: blocked.clone(),
        at: now,
    };
    put_block(transaction, &block, on, user_rev).await?;
    Ok(Some(user_rev))
}

pub(super) async fn put_block(
    transaction: &mut Transaction,
    block: &Block,
    stands: bool,
    user_rev: u64,
) -> Result<(), Error> {
    const PUT: &str = "INSERT INTO chat_blocks (blocker, blocked, active, user_rev, at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (blocker, blocked) DO UPDATE SET active = excluded.active, user_rev = excluded.user_rev, \
        at = excluded.at";
    let query = statement(PUT)
        .bind(block.blocker.as_str())
        .bind(block.blocked.as_str())
        .bind(i64::from(stands))
        .bind(int(user_rev))
        .bind(block.at.as_millis());
    transaction.run(query).await?;
    Ok(())
}

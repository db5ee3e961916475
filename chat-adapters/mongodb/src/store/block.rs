use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::UserId;
use chat_core::model::Block;
use chat_core::store::{BlockChange, BlockStore, Blocks};
use chat_core::time::Timestamp;
use mongodb::bson::{Document, doc};

use super::user::{next_user_rev, unchanged};
use super::{MongoStore, Named};
use crate::codec::{key, personal};
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::plan::Plan;
use crate::row::{Row, int, texts};

#[async_trait]
impl BlockStore for MongoStore {
    async fn set_block(
        &self,
        blocker: &UserId,
        blocked: &UserId,
        on: bool,
        now: Timestamp,
    ) -> BackendResult<Option<u64>> {
        let (blocker, blocked) = (blocker.clone(), blocked.clone());
        self.write("set_block", move |database, _| {
            let (blocker, blocked) = (blocker.clone(), blocked.clone());
            Box::pin(async move {
                let id = key::about(&blocker, &blocked);
                let active = doc! { "_id": id.as_str(), "active": true };
                if database.exists(Collection::Blocks, active).await? == on {
                    return unchanged(None);
                }
                let mut plan = Plan::default();
                let Some(user_rev) = next_user_rev(&database, &blocker, &mut plan).await? else {
                    return unchanged(None);
                };
                let block = Block {
                    blocker,
                    blocked,
                    at: now,
                };
                let row = personal::block_to_document(&block, on, user_rev);
                plan.put(Collection::Blocks, id, row);
                Ok((plan, Some(user_rev)))
            })
        })
        .await
    }

    async fn blocked_users(
        &self,
        blocker: &UserId,
        after: Option<&UserId>,
        limit: usize,
    ) -> BackendResult<Vec<UserId>> {
        let found = async {
            self.settled().await?;
            let mut filter = doc! { "blocker": blocker.as_str(), "active": true };
            if let Some(after) = after {
                filter.insert("blocked", doc! { "$gt": after.as_str() });
            }
            let find = Find::all(filter).sorted(doc! { "blocked": 1 }).limited(limit);
            self.database()
                .list(Collection::Blocks, find, |block| Row(block).user("blocked"))
                .await
        };
        found.await.named("blocked_users")
    }

    async fn blocks_among(&self, user: &UserId, others: &[UserId]) -> BackendResult<Blocks> {
        let others = doc! { "$in": texts(others) };
        self.blocks_with(user, Some(others)).await.named("blocks_among")
    }

    async fn blocks_of(&self, user: &UserId) -> BackendResult<Blocks> {
        self.blocks_with(user, None).await.named("blocks_of")
    }

    async fn block_changes(&self, blocker: &UserId, since_user_rev: u64) -> BackendResult<Vec<BlockChange>> {
        let found = async {
            self.settled().await?;
            let filter = doc! { "blocker": blocker.as_str(), "user_rev": { "$gt": int(since_user_rev) } };
            let find = Find::all(filter).sorted(doc! { "user_rev": 1 });
            let read = |block: &Document| {
                Ok(BlockChange {
                    user: Row(block).user("blocked")?,
                    blocked: Row(block).flag("active")?,
                })
            };
            self.database().list(Collection::Blocks, find, read).await
        };
        found.await.named("block_changes")
    }
}

impl MongoStore {
    /// Block relations of a user, with everybody or with some.
    async fn blocks_with(&self, user: &UserId, others: Option<Document>) -> Result<Blocks, Error> {
        self.settled().await?;
        let side = |own: &'static str, other: &'static str| {
            let mut filter = doc! { own: user.as_str(), "active": true };
            if let Some(others) = &others {
                filter.insert(other, others.clone());
            }
            let find = Find::all(filter).sorted(doc! { other: 1 });
            self.database()
                .list(Collection::Blocks, find, move |block| Row(block).user(other))
        };
        let (blocked, blocked_by) =
            futures::try_join!(side("blocker", "blocked"), side("blocked", "blocker"))?;
        Ok(Blocks { blocked, blocked_by })
    }
}

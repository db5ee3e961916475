//! Users' private bookmarks.

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{MessageId, UserId};
use chat_core::model::Star;
use chat_core::store::{StarChange, StarOutcome, StarStore, StarredMessage, StarredQuery};

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{hides, member_sees};
use crate::error::Error;
use crate::statement::{blob, id_list, int, size, statement};
use crate::transaction::Transaction;

/// From the newest star on, in the order of their index; what is out of sight is passed over.
pub(super) const STARRED: &str = concat!(
    "SELECT s.user_rev, ",
    message_columns!(),
    " FROM chat_stars s \
     CROSS JOIN chat_members mb ON mb.conversation_id = s.conversation_id AND mb.user_id = s.user_id \
     CROSS JOIN chat_conversations c ON c.id = s.conversation_id \
     CROSS JOIN chat_messages m ON m.id = s.message_id \
     WHERE s.user_id = ?1 AND s.active = 1 AND mb.state = 'active' AND m.deleted_at IS NULL \
     AND (?4 IS NULL OR s.conversation_id = ?4) AND (?5 IS NULL OR s.user_rev < ?5) AND ",
    member_sees!("m"),
    " ORDER BY s.user_rev DESC LIMIT ?6"
);
pub(super) const AMONG: &str = "SELECT s.message_id FROM chat_stars s WHERE s.user_id = ?1 \
    AND s.message_id IN (SELECT unhex(value) FROM json_each(?2)) AND s.active = 1";
pub(super) const CHANGES: &str = "SELECT s.user_id, s.conversation_id, s.message_id, s.seq, s.active, s.user_rev \
    FROM chat_stars s WHERE s.user_id = ?1 AND s.user_rev > ?2 ORDER BY s.user_rev DESC LIMIT ?3";
pub(super) const COUNT: &str = "SELECT count(*) FROM chat_stars s WHERE s.user_id = ?1 AND s.active = 1";

#[async_trait]
impl StarStore for SqliteStore {
    async fn set_star(&self, star: &Star, on: bool, cap: usize) -> BackendResult<StarOutcome> {
        let star = star.clone();
        self.writer()
            .write_step("set_star", move |transaction| {
                Box::pin(async move { set(transaction, &star, on, cap).await })
            })
            .await
    }

    async fn starred_among(&self, user: &UserId, ids: &[MessageId]) -> BackendResult<Vec<MessageId>> {
        let query = statement(AMONG)
            .bind(user.as_str())
            .bind(id_list(ids.iter().map(|id| id.as_uuid())));
        let found = async { self.read().await?.list(query, |cells| cells.message()).await };
        found.await.map_err(|error| error.into_backend("starred_among"))
    }

    async fn starred(&self, query: &StarredQuery) -> BackendResult<Vec<StarredMessage>> {
        let page = statement(STARRED)
            .bind(query.user.as_str())
            .bind(query.now.as_millis())
            .bind(i64::from(hides(query.blocked_in_group)))
            .bind(query.conversation.map(|id| blob(id.as_uuid())))
            .bind(query.after.map(int))
            .bind(size(query.limit));
        let found = async {
            let mut session = self.read().await?;
            let starred = session.list(page, |cells| {
                Ok(StarredMessage {
                    user_rev: cells.uint()?,
                    message: rows::message(cells)?,
                })
            });
            starred.await
        };
        found.await.map_err(|error| error.into_backend("starred"))
    }

    async fn star_changes(
        &self,
        user: &UserId,
        since_user_rev: u64,
        limit: usize,
    ) -> BackendResult<Vec<StarChange>> {
        let query = statement(CHANGES)
            .bind(user.as_str())
            .bind(int(since_user_rev))
            .bind(size(limit));
        let found = async {
            let mut session = self.read().await?;
            let changes = session.list(query, |cells| {
                Ok(StarChange {
                    star: Star {
                        user_id: cells.user()?,
                        conversation_id: cells.conversation()?,
                        message_id: cells.message()?,
                        seq: cells.uint()?,
                    },
                    starred: cells.flag()?,
                    user_rev: cells.uint()?,
                })
            });
            changes.await
        };
        found.await.map_err(|error| error.into_backend("star_changes"))
    }
}

async fn set(transaction: &mut Transaction, star: &Star, on: bool, cap: usize) -> Result<StarOutcome, Error> {
    const STANDS: &str = "SELECT 1 FROM chat_stars WHERE user_id = ?1 AND message_id = ?2 AND active = 1";
    const NEXT: &str = "UPDATE chat_users SET user_rev = user_rev + 1 WHERE id = ?1 RETURNING user_rev";
    let user = star.user_id.as_str();
    let query = statement(STANDS).bind(user).bind(blob(star.message_id.as_uuid()));
    if transaction.one(query).await?.is_some() == on {
        return Ok(StarOutcome::Unchanged);
    }
    if on {
        let count = transaction
            .find(statement(COUNT).bind(user), |cells| cells.take::<i64>())
            .await?;
        if count.unwrap_or(0) >= size(cap) {
            return Ok(StarOutcome::Full);
        }
    }
    let next = statement(NEXT).bind(user);
    let Some(user_rev) = transaction.find(next, |cells| cells.uint()).await? else {
        return Ok(StarOutcome::Unchanged);
    };
    put_star(transaction, star, on, user_rev).await?;
    Ok(StarOutcome::Changed(user_rev))
}

pub(super) async fn put_star(
    transaction: &mut Transaction,
    star: &Star,
    stands: bool,
    user_rev: u64,
) -> Result<(), Error> {
    const PUT: &str = "INSERT INTO chat_stars (user_id, message_id, conversation_id, seq, active, user_rev) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT (user_id, message_id) DO UPDATE SET active = excluded.active, user_rev = excluded.user_rev";
    let query = statement(PUT)
        .bind(star.user_id.as_str())
        .bind(blob(star.message_id.as_uuid()))
        .bind(blob(star.conversation_id.as_uuid()))
        .bind(int(star.seq))
        .bind(i64::from(stands))
        .bind(int(user_rev));
    transaction.run(query).await?;
    Ok(())
}

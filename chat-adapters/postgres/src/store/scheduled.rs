//! Messages that are to be sent later.
//!
//! Locks come in the order of commits: the owner, then the row, then its files.

use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ScheduledId, UserId};
use chat_core::model::{AttachmentState, Scheduled, ScheduledState};
use chat_core::store::{AddedScheduled, ScheduledKey, ScheduledQuery, ScheduledStamp, ScheduledStore};
use chat_core::time::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::user::{lock_user_rev, set_user_rev};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, Statement, all, int, size, statement, time};
use crate::transaction::Transaction;

/// Columns of a scheduled message, as [`scheduled`] reads them.
macro_rules! scheduled_columns {
    () => {
        "id, user_id, client_id, payload_hash, conversation_id, recipient_id, message, send_at, state, message_id, \
         error_code, version, user_rev, claims, claimed_until, created_at, changed_at"
    };
}

pub(super) use scheduled_columns;

pub(super) const INSERT: &str = concat!(
    "INSERT INTO chat_scheduled (",
    scheduled_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING"
);
const REPLACE: &str = "UPDATE chat_scheduled SET user_id = $2, client_id = $3, payload_hash = $4, \
    conversation_id = $5, recipient_id = $6, message = $7, send_at = $8, state = $9, message_id = $10, \
    error_code = $11, version = $12, user_rev = $13, claims = $14, claimed_until = $15, created_at = $16, \
    changed_at = $17 WHERE id = $1";
const GET: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE id = $1"
);
const LOCK: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE id = $1 FOR NO KEY UPDATE"
);
pub(super) const PENDING: &str = "SELECT count(*) FILTER (WHERE state = 'pending') FROM chat_scheduled \
    WHERE user_id = $1 AND state IN ('pending', 'failed')";
pub(super) const LIST: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE user_id = $1 AND state IN ('pending', 'failed') \
     AND ($2::uuid IS NULL OR conversation_id = $2 OR recipient_id = $3) AND (send_at, id) > ($4, $5) \
     ORDER BY send_at, id LIMIT $6"
);
pub(super) const CHANGED: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE user_id = $1 AND user_rev > $2 AND (NOT $3 OR state IN ('pending', 'failed')) \
     ORDER BY user_rev LIMIT $4"
);
/// What is due at `$1` and nobody holds.
macro_rules! due {
    () => {
        " FROM chat_scheduled WHERE state = 'pending' AND send_at <= $1 \
         AND (claimed_until IS NULL OR claimed_until <= $1)"
    };
}
pub(super) const IS_DUE: &str = concat!("SELECT true", due!(), " LIMIT 1");
pub(super) const CLAIM: &str = concat!(
    "UPDATE chat_scheduled SET claims = claims + 1, claimed_until = $2 WHERE id IN (SELECT id",
    due!(),
    " ORDER BY send_at, id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) RETURNING ",
    scheduled_columns!()
);
const RELEASE: &str = "UPDATE chat_scheduled SET claimed_until = NULL \
    WHERE id = $1 AND version = $2 AND claims = $3 AND claimed_until IS NOT NULL";
pub(super) const FORGET: &str = "DELETE FROM chat_scheduled WHERE id IN (SELECT id FROM chat_scheduled \
    WHERE state <> 'pending' AND changed_at < $1 LIMIT $2)";

#[async_trait]
impl ScheduledStore for PostgresStore {
    async fn add_scheduled(&self, new: Scheduled, cap: usize) -> BackendResult<AddedScheduled> {
        let added = self.database().write(move |transaction| {
            let new = new.clone();
            Box::pin(async move { add(transaction, new, cap).await })
        });
        added.await.map_err(|error| error.into_backend("add_scheduled"))
    }

    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>> {
        let query = statement(GET).bind(id.as_uuid());
        let found = self.database().find(query, scheduled);
        found.await.map_err(|error| error.into_backend("scheduled"))
    }

    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>> {
        let (conversation, peer) = match &query.to {
            Some((conversation, peer)) => (Some(conversation.as_uuid()), peer.as_ref()),
            None => (None, None),
        };
        // Before every time and every id for those who start.
        let (from, id) = query.after.map_or((i64::MIN, Uuid::nil()), |after| {
            (after.send_at.as_millis(), after.id.as_uuid())
        });
        let query = statement(LIST)
            .bind(query.user.as_str())
            .bind(conversation)
            .bind(peer.map(UserId::as_str))
            .bind(from)
            .bind(id)
            .bind(size(query.limit));
        let found = self.database().list(query, scheduled);
        found.await.map_err(|error| error.into_backend("scheduled_of"))
    }

    async fn put_scheduled(&self, row: Scheduled, seen: ScheduledStamp) -> BackendResult<Option<Scheduled>> {
        let put = self.database().write(move |transaction| {
            let row = row.clone();
            Box::pin(async move { put(transaction, row, seen).await })
        });
        put.await.map_err(|error| error.into_backend("put_scheduled"))
    }

    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>> {
        let claimed = self.claim_due(lease, limit).await;
        claimed.map_err(|error| error.into_backend("claim_scheduled"))
    }

    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool> {
        let released = self.database().write(move |transaction| {
            let query = statement(RELEASE)
                .bind(id.as_uuid())
                .bind(i64::from(seen.version))
                .bind(i64::from(seen.claims));
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
        });
        released
            .await
            .map_err(|error| error.into_backend("release_scheduled"))
    }

    async fn changed_scheduled(
        &self,
        user: &UserId,
        since: u64,
        open: bool,
        limit: usize,
    ) -> BackendResult<Vec<Scheduled>> {
        let query = statement(CHANGED)
            .bind(user.as_str())
            .bind(int(since))
            .bind(open)
            .bind(size(limit));
        let found = self.database().list(query, scheduled);
        found
            .await
            .map_err(|error| error.into_backend("changed_scheduled"))
    }

    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        let gone = self.database().write(move |transaction| {
            let query = statement(FORGET).bind(before.as_millis()).bind(size(limit));
            Box::pin(async move { Ok(transaction.run(query).await?.rows_affected()) })
        });
        let gone = gone
            .await
            .map_err(|error| error.into_backend("forget_scheduled"))?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

impl PostgresStore {
    async fn claim_due(&self, lease: Duration, limit: usize) -> Result<Vec<Scheduled>, Error> {
        // Mostly nothing is due, and then no transaction is begun.
        let due = statement(IS_DUE).bind(self.clock().now().as_millis());
        if self.database().find(due, |cells| cells.flag()).await?.is_none() {
            return Ok(Vec::new());
        }
        let clock = self.clock().clone();
        let mut claimed = self
            .database()
            .write(move |transaction| {
                let now = clock.now();
                let query = statement(CLAIM)
                    .bind(now.as_millis())
                    .bind(now.after(lease).as_millis())
                    .bind(size(limit));
                Box::pin(transaction.list(query, scheduled))
            })
            .await?;
        claimed.sort_unstable_by_key(|row| ScheduledKey {
            send_at: row.send_at,
            id: row.id,
        });
        Ok(claimed)
    }
}

async fn add(transaction: &mut Transaction, mut new: Scheduled, cap: usize) -> Result<AddedScheduled, Error> {
    // Of one owner's calls one is at work at a time, so what is counted stays so.
    let owner_rev = lock_user_rev(transaction, &new.user_id).await?;
    let known = statement(GET).bind(new.id.as_uuid());
    if let Some(known) = transaction.find(known, scheduled).await? {
        return Ok(AddedScheduled::Known(Box::new(known)));
    }
    let query = statement(PENDING).bind(new.user_id.as_str());
    let pending = transaction.find(query, |cells| cells.int()).await?;
    if pending.unwrap_or(0) >= size(cap) {
        return Ok(AddedScheduled::TooMany);
    }
    if !new.message.attachment_ids.is_empty() && !reserve(transaction, &new).await? {
        return Ok(AddedScheduled::FileTaken);
    }
    new.user_rev = next_user_rev(transaction, &new.user_id, owner_rev).await?;
    let added = transaction.run(bind(statement(INSERT), &new)).await?;
    if added.rows_affected() == 0 {
        // Somebody else's of the same id came first.
        return Err(Error::Raced);
    }
    Ok(AddedScheduled::Added(Box::new(new)))
}

/// Takes all its files, or none of them.
async fn reserve(transaction: &mut Transaction, new: &Scheduled) -> Result<bool, Error> {
    const UNUSED: &str = "SELECT a.id FROM chat_attachments a WHERE a.id = ANY($1) AND a.uploader = $2 \
        AND a.state = 'pending' ORDER BY a.id FOR NO KEY UPDATE";
    let files = &new.message.attachment_ids;
    let query = statement(UNUSED)
        .bind(all(files, |id| id.as_uuid()))
        .bind(new.user_id.as_str());
    let unused = transaction.list(query, |cells| cells.attachment()).await?;
    if unused.len() != files.len() {
        return Ok(false);
    }
    move_files(
        transaction,
        files,
        AttachmentState::Pending,
        AttachmentState::Reserved,
    )
    .await?;
    Ok(true)
}

async fn move_files(
    transaction: &mut Transaction,
    files: &[AttachmentId],
    from: AttachmentState,
    to: AttachmentState,
) -> Result<(), Error> {
    const MOVE: &str = "UPDATE chat_attachments t SET state = $3 FROM (SELECT a.id FROM chat_attachments a \
        WHERE a.id = ANY($1) AND a.state = $2 ORDER BY a.id FOR NO KEY UPDATE) a WHERE t.id = a.id";
    let query = statement(MOVE)
        .bind(all(files, |id| id.as_uuid()))
        .bind(from.column())
        .bind(to.column());
    transaction.run(query).await?;
    Ok(())
}

async fn put(
    transaction: &mut Transaction,
    mut row: Scheduled,
    seen: ScheduledStamp,
) -> Result<Option<Scheduled>, Error> {
    let owner_rev = lock_user_rev(transaction, &row.user_id).await?;
    let lock = statement(LOCK).bind(row.id.as_uuid());
    let old = transaction.find(lock, scheduled).await?;
    let Some(old) = old.filter(|old| old.stamp() == seen) else {
        return Ok(None);
    };
    let over = matches!(row.state, ScheduledState::Failed | ScheduledState::Cancelled);
    let files = &old.message.attachment_ids;
    if over && !files.is_empty() {
        move_files(
            transaction,
            files,
            AttachmentState::Reserved,
            AttachmentState::Pending,
        )
        .await?;
    }
    row.user_rev = next_user_rev(transaction, &row.user_id, owner_rev).await?;
    transaction.run(bind(statement(REPLACE), &row)).await?;
    Ok(Some(row))
}

/// The owner's next `user_rev`; 0 for an unknown one.
async fn next_user_rev(
    transaction: &mut Transaction,
    user: &UserId,
    present: Option<u64>,
) -> Result<u64, Error> {
    let Some(present) = present else { return Ok(0) };
    set_user_rev(transaction, user, present + 1).await?;
    Ok(present + 1)
}

/// All columns, in their order.
pub(super) fn bind(query: Statement, row: &Scheduled) -> Statement {
    query
        .bind(row.id.as_uuid())
        .bind(row.user_id.as_str())
        .bind(row.client_id.as_ref().map(|id| id.as_str()))
        .bind(row.payload_hash.as_deref())
        .bind(row.conversation_id.map(|id| id.as_uuid()))
        .bind(row.recipient_id.as_ref().map(UserId::as_str))
        .bind(Json(&row.message))
        .bind(row.send_at.as_millis())
        .bind(row.state.column())
        .bind(row.message_id.map(|id| id.as_uuid()))
        .bind(row.error_code.as_deref())
        .bind(i64::from(row.version))
        .bind(int(row.user_rev))
        .bind(i64::from(row.claims))
        .bind(time(row.claimed_until))
        .bind(row.created_at.as_millis())
        .bind(row.changed_at.as_millis())
}

pub(super) fn scheduled(cells: &mut Cells<'_>) -> Result<Scheduled, Error> {
    Ok(Scheduled {
        id: cells.scheduled()?,
        user_id: cells.user()?,
        client_id: cells.opt_client()?,
        payload_hash: cells.opt_text()?,
        conversation_id: cells.opt_conversation()?,
        recipient_id: cells.opt_user()?,
        message: cells.json()?,
        send_at: cells.time()?,
        state: cells.name()?,
        message_id: cells.opt_message()?,
        error_code: cells.opt_text()?,
        version: cells.small()?,
        user_rev: cells.uint()?,
        claims: cells.small()?,
        claimed_until: cells.opt_time()?,
        created_at: cells.time()?,
        changed_at: cells.time()?,
    })
}

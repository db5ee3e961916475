use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ScheduledId, UserId};
use chat_core::model::{AttachmentState, Scheduled, ScheduledState};
use chat_core::store::{AddedScheduled, ScheduledKey, ScheduledQuery, ScheduledStamp, ScheduledStore};
use chat_core::time::Timestamp;

use super::SqliteStore;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Cells, Statement, blob, id_list, int, json, size, statement, time};
use crate::transaction::Transaction;

/// Columns of a scheduled message, as [`scheduled`] reads them.
macro_rules! scheduled_columns {
    () => {
        "id, user_id, client_id, payload_hash, conversation_id, recipient_id, message, send_at, state, message_id, \
         error_code, version, user_rev, claims, claimed_until, created_at, changed_at"
    };
}

pub(super) use scheduled_columns;

const INSERT: &str = concat!(
    "INSERT INTO chat_scheduled (",
    scheduled_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
);
const REPLACE: &str = "UPDATE chat_scheduled SET user_id = ?2, client_id = ?3, payload_hash = ?4, \
    conversation_id = ?5, recipient_id = ?6, message = ?7, send_at = ?8, state = ?9, message_id = ?10, \
    error_code = ?11, version = ?12, user_rev = ?13, claims = ?14, claimed_until = ?15, created_at = ?16, \
    changed_at = ?17 WHERE id = ?1";
const GET: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE id = ?1"
);
pub(super) const PENDING: &str = "SELECT count(*) FILTER (WHERE state = 'pending') FROM chat_scheduled \
    WHERE user_id = ?1 AND state IN ('pending', 'failed')";
pub(super) const LIST: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE user_id = ?1 AND state IN ('pending', 'failed') \
     AND (?2 IS NULL OR conversation_id = ?2 OR recipient_id = ?3) AND (send_at, id) > (?4, ?5) \
     ORDER BY send_at, id LIMIT ?6"
);
pub(super) const CHANGED: &str = concat!(
    "SELECT ",
    scheduled_columns!(),
    " FROM chat_scheduled WHERE user_id = ?1 AND user_rev > ?2 AND (?3 = 0 OR state IN ('pending', 'failed')) \
     ORDER BY user_rev LIMIT ?4"
);
/// What is due at `?1` and nobody holds.
macro_rules! due {
    () => {
        " FROM chat_scheduled WHERE state = 'pending' AND send_at <= ?1 \
         AND (claimed_until IS NULL OR claimed_until <= ?1)"
    };
}
pub(super) const IS_DUE: &str = concat!("SELECT 1", due!(), " LIMIT 1");
pub(super) const CLAIM: &str = concat!(
    "UPDATE chat_scheduled SET claims = claims + 1, claimed_until = ?2 WHERE id IN (SELECT id",
    due!(),
    " ORDER BY send_at, id LIMIT ?3) RETURNING ",
    scheduled_columns!()
);
const RELEASE: &str = "UPDATE chat_scheduled SET claimed_until = NULL \
    WHERE id = ?1 AND version = ?2 AND claims = ?3 AND claimed_until IS NOT NULL";
pub(super) const FORGET: &str = "DELETE FROM chat_scheduled WHERE id IN (SELECT id FROM chat_scheduled \
    WHERE state <> 'pending' AND changed_at < ?1 LIMIT ?2)";

#[async_trait]
impl ScheduledStore for SqliteStore {
    async fn add_scheduled(&self, new: Scheduled, cap: usize) -> BackendResult<AddedScheduled> {
        self.writer()
            .write_step("add_scheduled", move |transaction| {
                Box::pin(add(transaction, new, cap))
            })
            .await
    }

    async fn scheduled(&self, id: ScheduledId) -> BackendResult<Option<Scheduled>> {
        let query = statement(GET).bind(blob(id.as_uuid()));
        let found = async { self.read().await?.find(query, scheduled).await };
        found.await.map_err(|error| error.into_backend("scheduled"))
    }

    async fn scheduled_of(&self, query: &ScheduledQuery) -> BackendResult<Vec<Scheduled>> {
        let (conversation, peer) = match &query.to {
            Some((conversation, peer)) => (Some(blob(conversation.as_uuid())), peer.clone()),
            None => (None, None),
        };
        // Before every time and every id for those who start.
        let (from, id) = query.after.map_or((i64::MIN, Vec::new()), |after| {
            (after.send_at.as_millis(), blob(after.id.as_uuid()))
        });
        let query = statement(LIST)
            .bind(query.user.as_str())
            .bind(conversation)
            .bind(peer.as_ref().map(UserId::as_str))
            .bind(from)
            .bind(id)
            .bind(size(query.limit));
        let found = async { self.read().await?.list(query, scheduled).await };
        found.await.map_err(|error| error.into_backend("scheduled_of"))
    }

    async fn put_scheduled(&self, row: Scheduled, seen: ScheduledStamp) -> BackendResult<Option<Scheduled>> {
        self.writer()
            .write_step("put_scheduled", move |transaction| {
                Box::pin(put(transaction, row, seen))
            })
            .await
    }

    async fn claim_scheduled(&self, lease: Duration, limit: usize) -> BackendResult<Vec<Scheduled>> {
        let clock = self.clock().clone();
        // Mostly nothing is due; that is told without waiting for the writer.
        let query = statement(IS_DUE).bind(clock.now().as_millis());
        let due = async { self.read().await?.one(query).await };
        let due = due.await.map_err(|error| error.into_backend("claim_scheduled"))?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let mut claimed = self
            .writer()
            .write_step("claim_scheduled", move |transaction| {
                Box::pin(async move {
                    let now = clock.now();
                    let query = statement(CLAIM)
                        .bind(now.as_millis())
                        .bind(now.after(lease).as_millis())
                        .bind(size(limit));
                    transaction.list(query, scheduled).await
                })
            })
            .await?;
        claimed.sort_unstable_by_key(|row| ScheduledKey {
            send_at: row.send_at,
            id: row.id,
        });
        Ok(claimed)
    }

    async fn release_scheduled(&self, id: ScheduledId, seen: ScheduledStamp) -> BackendResult<bool> {
        let query = statement(RELEASE)
            .bind(blob(id.as_uuid()))
            .bind(i64::from(seen.version))
            .bind(i64::from(seen.claims));
        self.writer()
            .write_step("release_scheduled", move |transaction| {
                Box::pin(async move { Ok(transaction.run(query).await?.rows_affected() > 0) })
            })
            .await
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
            .bind(i64::from(open))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, scheduled).await };
        found
            .await
            .map_err(|error| error.into_backend("changed_scheduled"))
    }

    async fn forget_scheduled(&self, before: Timestamp, limit: usize) -> BackendResult<usize> {
        let query = statement(FORGET).bind(before.as_millis()).bind(size(limit));
        let gone = self
            .writer()
            .write_step("forget_scheduled", move |transaction| {
                Box::pin(async move { Ok(transaction.run(query).await?.rows_affected()) })
            })
            .await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

async fn find(transaction: &mut Transaction, id: ScheduledId) -> Result<Option<Scheduled>, Error> {
    let query = statement(GET).bind(blob(id.as_uuid()));
    transaction.find(query, scheduled).await
}

async fn add(transaction: &mut Transaction, mut new: Scheduled, cap: usize) -> Result<AddedScheduled, Error> {
    if let Some(known) = find(transaction, new.id).await? {
        return Ok(AddedScheduled::Known(Box::new(known)));
    }
    let query = statement(PENDING).bind(new.user_id.as_str());
    let pending = transaction.find(query, |cells| cells.uint()).await?;
    if usize::try_from(pending.unwrap_or(0)).unwrap_or(usize::MAX) >= cap {
        return Ok(AddedScheduled::TooMany);
    }
    if !new.message.attachment_ids.is_empty() && !reserve(transaction, &new).await? {
        return Ok(AddedScheduled::FileTaken);
    }
    new.user_rev = next_user_rev(transaction, &new.user_id).await?;
    insert(transaction, &new).await?;
    Ok(AddedScheduled::Added(Box::new(new)))
}

/// Takes all its files, or none of them.
async fn reserve(transaction: &mut Transaction, new: &Scheduled) -> Result<bool, Error> {
    const UNUSED: &str = "SELECT count(*) FROM chat_attachments WHERE id IN (SELECT unhex(value) FROM json_each(?1)) \
        AND uploader = ?2 AND state = 'pending'";
    let files = &new.message.attachment_ids;
    let query = statement(UNUSED)
        .bind(id_list(files.iter().map(|id| id.as_uuid())))
        .bind(new.user_id.as_str());
    let unused = transaction.find(query, |cells| cells.uint()).await?;
    if usize::try_from(unused.unwrap_or(0)) != Ok(files.len()) {
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
    const MOVE: &str = "UPDATE chat_attachments SET state = ?3 \
        WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND state = ?2";
    let query = statement(MOVE)
        .bind(id_list(files.iter().map(|id| id.as_uuid())))
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
    let Some(old) = find(transaction, row.id).await?.filter(|old| old.stamp() == seen) else {
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
    row.user_rev = next_user_rev(transaction, &row.user_id).await?;
    let query = bind(statement(REPLACE), &row)?;
    transaction.run(query).await?;
    Ok(Some(row))
}

async fn next_user_rev(transaction: &mut Transaction, user: &UserId) -> Result<u64, Error> {
    const NEXT: &str = "UPDATE chat_users SET user_rev = user_rev + 1 WHERE id = ?1 RETURNING user_rev";
    let query = statement(NEXT).bind(user.as_str());
    let moved = transaction.find(query, |cells| cells.uint()).await?;
    Ok(moved.unwrap_or(0))
}

pub(super) async fn insert(transaction: &mut Transaction, row: &Scheduled) -> Result<(), Error> {
    transaction.run(bind(statement(INSERT), row)?).await?;
    Ok(())
}

/// All columns, in their order.
fn bind(query: Statement, row: &Scheduled) -> Result<Statement, Error> {
    Ok(query
        .bind(blob(row.id.as_uuid()))
        .bind(row.user_id.as_str())
        .bind(row.client_id.as_ref().map(|id| id.as_str()))
        .bind(row.payload_hash.as_deref())
        .bind(row.conversation_id.map(|id| blob(id.as_uuid())))
        .bind(row.recipient_id.as_ref().map(UserId::as_str))
        .bind(json(&row.message)?)
        .bind(row.send_at.as_millis())
        .bind(row.state.column())
        .bind(row.message_id.map(|id| blob(id.as_uuid())))
        .bind(row.error_code.as_deref())
        .bind(i64::from(row.version))
        .bind(int(row.user_rev))
        .bind(i64::from(row.claims))
        .bind(time(row.claimed_until))
        .bind(row.created_at.as_millis())
        .bind(row.changed_at.as_millis()))
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

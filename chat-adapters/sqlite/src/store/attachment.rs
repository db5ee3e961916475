use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ConversationId, MessageId};
use chat_core::model::{Attachment, AttachmentState};
use chat_core::store::AttachmentStore;
use chat_core::time::Timestamp;

use super::SqliteStore;
use super::rows::{self, attachment_columns};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{blob, id_list, int, size, statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO chat_attachments (id, uploader, kind, filename, mime_type, size, width, height, \
    duration_ms, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
    ON CONFLICT (id) DO UPDATE SET uploader = excluded.uploader, kind = excluded.kind, \
    filename = excluded.filename, mime_type = excluded.mime_type, size = excluded.size, width = excluded.width, \
    height = excluded.height, duration_ms = excluded.duration_ms, state = excluded.state, \
    created_at = excluded.created_at";
const GET: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.id IN (SELECT unhex(value) FROM json_each(?1))"
);
pub(super) const SHOWN_BY: &str = "SELECT f.message_id FROM chat_message_files f WHERE f.attachment_id = ?1 \
    AND (?2 IS NULL OR f.conversation_id IN (SELECT unhex(value) FROM json_each(?2))) AND (?3 IS NULL OR f.message_id > ?3) \
    ORDER BY f.message_id LIMIT ?4";
const MOVE: &str = "UPDATE chat_attachments SET state = ?3 WHERE id = ?1 AND state = ?2";
const STALE: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.state = 'deleted' AND (?2 IS NULL OR a.id > ?2) \
     AND NOT EXISTS (SELECT 1 FROM chat_report_files f WHERE f.attachment_id = a.id) \
     UNION ALL SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.state = 'pending' AND a.created_at < ?1 \
     AND (?2 IS NULL OR a.id > ?2) \
     AND NOT EXISTS (SELECT 1 FROM chat_report_files f WHERE f.attachment_id = a.id) ORDER BY 1 LIMIT ?3"
);
const FORGET: &str = "DELETE FROM chat_attachments WHERE id = ?1";

pub(super) async fn put_attachment(transaction: &mut Transaction, new: &Attachment) -> Result<(), Error> {
    let query = statement(PUT)
        .bind(blob(new.id.as_uuid()))
        .bind(new.uploader.as_str())
        .bind(new.kind.column())
        .bind(new.filename.as_str())
        .bind(new.mime_type.as_str())
        .bind(int(new.size))
        .bind(new.width.map(i64::from))
        .bind(new.height.map(i64::from))
        .bind(new.duration_ms.map(int))
        .bind(new.state.column())
        .bind(new.created_at.as_millis());
    transaction.run(query).await?;
    Ok(())
}

/// Moves a file from one state to another; returns whether it was in the first.
pub(super) async fn move_file(
    transaction: &mut Transaction,
    id: AttachmentId,
    from: AttachmentState,
    to: AttachmentState,
) -> Result<bool, Error> {
    let query = statement(MOVE)
        .bind(blob(id.as_uuid()))
        .bind(from.column())
        .bind(to.column());
    Ok(transaction.run(query).await?.rows_affected() > 0)
}

#[async_trait]
impl AttachmentStore for SqliteStore {
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()> {
        self.writer()
            .write_step("add_attachment", move |transaction| {
                Box::pin(async move { put_attachment(transaction, &attachment).await })
            })
            .await
    }

    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>> {
        let query = statement(GET).bind(id_list(ids.iter().map(|id| id.as_uuid())));
        let found = async { self.read().await?.list(query, rows::attachment).await };
        found.await.map_err(|error| error.into_backend("attachments"))
    }

    async fn shown_by(
        &self,
        id: AttachmentId,
        within: Option<&[ConversationId]>,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<MessageId>> {
        let query = statement(SHOWN_BY)
            .bind(blob(id.as_uuid()))
            .bind(within.map(|within| id_list(within.iter().map(|id| id.as_uuid()))))
            .bind(after.map(|id| blob(id.as_uuid())))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, |cells| cells.message()).await };
        found.await.map_err(|error| error.into_backend("shown_by"))
    }

    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool> {
        self.writer()
            .write_step("move_attachment", move |transaction| {
                Box::pin(move_file(transaction, id, from, to))
            })
            .await
    }

    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let query = statement(STALE)
            .bind(pending_before.as_millis())
            .bind(after.map(|id| blob(id.as_uuid())))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::attachment).await };
        found
            .await
            .map_err(|error| error.into_backend("stale_attachments"))
    }

    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()> {
        let query = statement(FORGET).bind(blob(id.as_uuid()));
        self.writer()
            .write_step("forget_attachment", move |transaction| {
                Box::pin(async move { transaction.run(query).await.map(|_| ()) })
            })
            .await
    }
}

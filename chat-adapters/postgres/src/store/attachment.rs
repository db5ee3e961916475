use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ConversationId, MessageId};
use chat_core::model::{Attachment, AttachmentState};
use chat_core::store::AttachmentStore;
use chat_core::time::Timestamp;

use super::PostgresStore;
use super::rows::{self, attachment_columns};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{all, int, size, statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO chat_attachments (id, uploader, kind, filename, mime_type, size, width, height, \
    duration_ms, state, created_at) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], \
      $8::int8[], $9::int8[], $10::text[], $11::int8[]) \
    ON CONFLICT (id) DO UPDATE SET uploader = excluded.uploader, kind = excluded.kind, \
    filename = excluded.filename, mime_type = excluded.mime_type, size = excluded.size, width = excluded.width, \
    height = excluded.height, duration_ms = excluded.duration_ms, state = excluded.state, \
    created_at = excluded.created_at";
const GET: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.id = ANY($1)"
);
pub(super) const SHOWN_BY: &str = "SELECT f.message_id FROM chat_message_files f WHERE f.attachment_id = $1 \
    AND ($2::uuid[] IS NULL OR f.conversation_id = ANY($2)) AND ($3::uuid IS NULL OR f.message_id > $3) \
    ORDER BY f.message_id LIMIT $4";
const MOVE: &str = "UPDATE chat_attachments SET state = $3 WHERE id = $1 AND state = $2";
/// Files of one state whose bytes can go, those that open reports are about left out.
macro_rules! stale {
    ($state:literal) => {
        concat!(
            "(SELECT ",
            attachment_columns!(),
            " FROM chat_attachments a WHERE a.state = ",
            $state,
            " AND ($2::uuid IS NULL OR a.id > $2) \
             AND NOT EXISTS (SELECT 1 FROM chat_report_files f WHERE f.attachment_id = a.id) \
             ORDER BY a.id LIMIT $3)"
        )
    };
}
/// Both lists by their index, in order of id.
pub(super) const STALE: &str = concat!(
    stale!("'deleted'"),
    " UNION ALL ",
    stale!("'pending' AND a.created_at < $1"),
    " ORDER BY 1 LIMIT $3"
);
const FORGET: &str = "DELETE FROM chat_attachments WHERE id = $1";

/// Writes files; each id at most once.
pub(super) async fn put_attachments(
    transaction: &mut Transaction,
    files: &[&Attachment],
) -> Result<(), Error> {
    let query = statement(PUT)
        .bind(all(files, |file| file.id.as_uuid()))
        .bind(all(files, |file| file.uploader.as_str()))
        .bind(all(files, |file| file.kind.column()))
        .bind(all(files, |file| file.filename.as_str()))
        .bind(all(files, |file| file.mime_type.as_str()))
        .bind(all(files, |file| int(file.size)))
        .bind(all(files, |file| file.width.map(i64::from)))
        .bind(all(files, |file| file.height.map(i64::from)))
        .bind(all(files, |file| file.duration_ms.map(int)))
        .bind(all(files, |file| file.state.column()))
        .bind(all(files, |file| file.created_at.as_millis()));
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
        .bind(id.as_uuid())
        .bind(from.column())
        .bind(to.column());
    Ok(transaction.run(query).await?.rows_affected() > 0)
}

#[async_trait]
impl AttachmentStore for PostgresStore {
    async fn add_attachment(&self, attachment: Attachment) -> BackendResult<()> {
        let added = self.database().write(move |transaction| {
            let attachment = attachment.clone();
            Box::pin(async move { put_attachments(transaction, &[&attachment]).await })
        });
        added.await.map_err(|error| error.into_backend("add_attachment"))
    }

    async fn attachments(&self, ids: &[AttachmentId]) -> BackendResult<Vec<Attachment>> {
        let query = statement(GET).bind(all(ids, |id| id.as_uuid()));
        let found = self.database().list(query, rows::attachment);
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
            .bind(id.as_uuid())
            .bind(within.map(|within| all(within, |id| id.as_uuid())))
            .bind(after.map(|id| id.as_uuid()))
            .bind(size(limit));
        let found = self.database().list(query, |cells| cells.message());
        found.await.map_err(|error| error.into_backend("shown_by"))
    }

    async fn move_attachment(
        &self,
        id: AttachmentId,
        from: AttachmentState,
        to: AttachmentState,
    ) -> BackendResult<bool> {
        let moved = self
            .database()
            .write(move |transaction| Box::pin(move_file(transaction, id, from, to)));
        moved.await.map_err(|error| error.into_backend("move_attachment"))
    }

    async fn stale_attachments(
        &self,
        pending_before: Timestamp,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let query = statement(STALE)
            .bind(pending_before.as_millis())
            .bind(after.map(|id| id.as_uuid()))
            .bind(size(limit));
        let found = self.database().list(query, rows::attachment);
        found
            .await
            .map_err(|error| error.into_backend("stale_attachments"))
    }

    async fn forget_attachment(&self, id: AttachmentId) -> BackendResult<()> {
        let forgotten = self.database().write(move |transaction| {
            let query = statement(FORGET).bind(id.as_uuid());
            Box::pin(async move { transaction.run(query).await.map(|_| ()) })
        });
        forgotten
            .await
            .map_err(|error| error.into_backend("forget_attachment"))
    }
}

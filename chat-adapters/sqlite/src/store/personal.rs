use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{AttachmentId, ConversationId, MessageId, ReportId, UserId};
use chat_core::model::{Attachment, Block, Hide, Member, Message, Reaction, ReadAudience, Report, Seq, User};
use chat_core::store::{MarkStep, PersonalStore, StepPlace};

use super::SqliteStore;
use super::moderation::{report, report_columns};
use super::rows::{self, attachment_columns, member_columns, message_columns};
use super::user::{user, user_columns};
use super::writes::step;
use crate::error::Error;
use crate::statement::{Cells, blob, int, size, statement};
use crate::transaction::Transaction;

// Nothing is below the empty blob and the empty text, which stand for "from the beginning".

pub(super) const MEMBERSHIPS: &str = concat!(
    "SELECT ",
    member_columns!(),
    " FROM chat_members mb WHERE mb.user_id = ?1 AND mb.conversation_id > ?2 ORDER BY mb.conversation_id LIMIT ?3"
);
pub(super) const SENT: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND +m.sender_id = ?2 AND m.seq > ?3 ORDER BY m.seq LIMIT ?4"
);
pub(super) const REACTIONS: &str = "SELECT r.conversation_id, r.message_id, r.user_id, r.emoji, r.at \
    FROM chat_reactions r WHERE r.user_id = ?1 AND (r.message_id, r.emoji) > (?2, ?3) \
    ORDER BY r.message_id, r.emoji LIMIT ?4";
pub(super) const HIDES: &str = "SELECT h.user_id, h.conversation_id, h.message_id, h.seq, h.rev FROM chat_hides h \
    WHERE h.user_id = ?1 AND h.message_id > ?2 ORDER BY h.message_id LIMIT ?3";
pub(super) const STEPS: &str = "SELECT a.step, a.from_seq, a.to_seq, a.at, a.timeless FROM chat_advances a \
    WHERE a.conversation_id = ?1 AND a.user_id = ?2 AND (a.to_seq, a.step) > (?3, ?4) \
    ORDER BY a.to_seq, a.step LIMIT ?5";
pub(super) const BLOCKS: &str = "SELECT b.blocker, b.blocked, b.at FROM chat_blocks b \
    WHERE b.blocker = ?1 AND b.active = 1 AND b.blocked > ?2 ORDER BY b.blocked LIMIT ?3";
pub(super) const UPLOADS: &str = concat!(
    "SELECT ",
    attachment_columns!(),
    " FROM chat_attachments a WHERE a.uploader = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3"
);
pub(super) const REPORTS: &str = concat!(
    "SELECT ",
    report_columns!(),
    " FROM chat_reports r WHERE r.reporter = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3"
);
const UNFINISHED: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM chat_users u WHERE u.erasure_done = 0 LIMIT ?1"
);
/// Rows that are one user's alone, a few of each at a time.
pub(super) const ERASE: [&str; 9] = [
    "DELETE FROM chat_devices WHERE token IN \
       (SELECT d.token FROM chat_devices d WHERE d.user_id = ?1 LIMIT ?2)",
    "DELETE FROM chat_hides WHERE user_id = ?1 AND (conversation_id, seq) IN \
       (SELECT h.conversation_id, h.seq FROM chat_hides h WHERE h.user_id = ?1 LIMIT ?2)",
    "DELETE FROM chat_blocks WHERE blocker = ?1 AND blocked IN \
       (SELECT b.blocked FROM chat_blocks b WHERE b.blocker = ?1 LIMIT ?2)",
    "DELETE FROM chat_mutes WHERE user_id = ?1 AND muted IN \
       (SELECT m.muted FROM chat_mutes m WHERE m.user_id = ?1 LIMIT ?2)",
    "DELETE FROM chat_stars WHERE user_id = ?1 AND message_id IN \
       (SELECT s.message_id FROM chat_stars s WHERE s.user_id = ?1 LIMIT ?2)",
    "DELETE FROM chat_report_files WHERE report_id IN \
       (SELECT r.id FROM chat_reports r WHERE r.reporter = ?1 LIMIT ?2)",
    "DELETE FROM chat_reports WHERE id IN \
       (SELECT r.id FROM chat_reports r WHERE r.reporter = ?1 LIMIT ?2)",
    "DELETE FROM chat_scheduled WHERE id IN \
       (SELECT s.id FROM chat_scheduled s WHERE s.user_id = ?1 LIMIT ?2)",
    "DELETE FROM chat_advances WHERE position IN (SELECT a.position FROM chat_members mb \
       CROSS JOIN chat_advances a ON a.conversation_id = mb.conversation_id AND a.user_id = mb.user_id \
       WHERE mb.user_id = ?1 LIMIT ?2)",
];

#[async_trait]
impl PersonalStore for SqliteStore {
    async fn memberships(
        &self,
        user: &UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> BackendResult<Vec<Member>> {
        let query = statement(MEMBERSHIPS)
            .bind(user.as_str())
            .bind(after.map_or_else(Vec::new, |id| blob(id.as_uuid())))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::member).await };
        found.await.map_err(|error| error.into_backend("memberships"))
    }

    async fn sent_messages(
        &self,
        conversation: ConversationId,
        sender: &UserId,
        after: Seq,
        limit: usize,
    ) -> BackendResult<Vec<Message>> {
        let query = statement(SENT)
            .bind(blob(conversation.as_uuid()))
            .bind(sender.as_str())
            .bind(int(after))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::message).await };
        found.await.map_err(|error| error.into_backend("sent_messages"))
    }

    async fn reactions_by(
        &self,
        user: &UserId,
        after: Option<(MessageId, String)>,
        limit: usize,
    ) -> BackendResult<Vec<Reaction>> {
        let (message, emoji) = after.map_or_else(Default::default, |(id, emoji)| (blob(id.as_uuid()), emoji));
        let query = statement(REACTIONS)
            .bind(user.as_str())
            .bind(message)
            .bind(emoji)
            .bind(size(limit));
        let reaction = |cells: &mut Cells<'_>| {
            Ok(Reaction {
                conversation_id: cells.conversation()?,
                message_id: cells.message()?,
                user_id: cells.user()?,
                emoji: cells.text()?,
                at: cells.time()?,
            })
        };
        let found = async { self.read().await?.list(query, reaction).await };
        found.await.map_err(|error| error.into_backend("reactions_by"))
    }

    async fn hides_by(
        &self,
        user: &UserId,
        after: Option<MessageId>,
        limit: usize,
    ) -> BackendResult<Vec<Hide>> {
        let query = statement(HIDES)
            .bind(user.as_str())
            .bind(after.map_or_else(Vec::new, |id| blob(id.as_uuid())))
            .bind(size(limit));
        let hide = |cells: &mut Cells<'_>| {
            Ok(Hide {
                user_id: cells.user()?,
                conversation_id: cells.conversation()?,
                message_id: cells.message()?,
                seq: cells.uint()?,
                rev: cells.uint()?,
            })
        };
        let found = async { self.read().await?.list(query, hide).await };
        found.await.map_err(|error| error.into_backend("hides_by"))
    }

    async fn mark_steps(
        &self,
        conversation: ConversationId,
        user: &UserId,
        after: Option<StepPlace>,
        limit: usize,
    ) -> BackendResult<Vec<MarkStep>> {
        let (to, kind) = after.map_or((-1, -1), |(to, read)| (int(to), step(read)));
        let query = statement(STEPS)
            .bind(blob(conversation.as_uuid()))
            .bind(user.as_str())
            .bind(to)
            .bind(kind)
            .bind(size(limit));
        let found = async { self.read().await?.list(query, mark_step).await };
        found.await.map_err(|error| error.into_backend("mark_steps"))
    }

    async fn blocks_by(
        &self,
        user: &UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> BackendResult<Vec<Block>> {
        let query = statement(BLOCKS)
            .bind(user.as_str())
            .bind(after.as_ref().map_or("", |after| after.as_str()))
            .bind(size(limit));
        let block = |cells: &mut Cells<'_>| {
            Ok(Block {
                blocker: cells.user()?,
                blocked: cells.user()?,
                at: cells.time()?,
            })
        };
        let found = async { self.read().await?.list(query, block).await };
        found.await.map_err(|error| error.into_backend("blocks_by"))
    }

    async fn uploads_by(
        &self,
        user: &UserId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> BackendResult<Vec<Attachment>> {
        let query = statement(UPLOADS)
            .bind(user.as_str())
            .bind(after.map_or_else(Vec::new, |id| blob(id.as_uuid())))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, rows::attachment).await };
        found.await.map_err(|error| error.into_backend("uploads_by"))
    }

    async fn reports_by(
        &self,
        user: &UserId,
        after: Option<ReportId>,
        limit: usize,
    ) -> BackendResult<Vec<Report>> {
        let query = statement(REPORTS)
            .bind(user.as_str())
            .bind(after.map_or_else(Vec::new, |id| blob(id.as_uuid())))
            .bind(size(limit));
        let found = async { self.read().await?.list(query, report).await };
        found.await.map_err(|error| error.into_backend("reports_by"))
    }

    async fn erase_private(&self, user: &UserId, limit: usize) -> BackendResult<usize> {
        let user = user.clone();
        self.writer()
            .write_step("erase_private", move |transaction| {
                Box::pin(async move { erase(transaction, &user, limit).await })
            })
            .await
    }

    async fn unfinished_erasures(&self, limit: usize) -> BackendResult<Vec<User>> {
        let query = statement(UNFINISHED).bind(size(limit));
        let found = async { self.read().await?.list(query, user).await };
        found
            .await
            .map_err(|error| error.into_backend("unfinished_erasures"))
    }
}

/// The mark of a `step` column.
pub(super) fn read_of(step_column: i64) -> Result<Option<ReadAudience>, Error> {
    let reads = [
        None,
        Some(ReadAudience::Nobody),
        Some(ReadAudience::Contacts),
        Some(ReadAudience::Everyone),
    ];
    let read = reads.into_iter().find(|read| step(*read) == step_column);
    read.ok_or(Error::Decode("a kind of step"))
}

fn mark_step(cells: &mut Cells<'_>) -> Result<MarkStep, Error> {
    let read = read_of(cells.take()?)?;
    let (from, to, at) = (cells.uint()?, cells.uint()?, cells.time()?);
    Ok(MarkStep {
        read,
        from,
        to,
        at: (!cells.flag()?).then_some(at),
    })
}

async fn erase(transaction: &mut Transaction, user: &UserId, limit: usize) -> Result<usize, Error> {
    let mut left = limit;
    for text in ERASE {
        if left == 0 {
            break;
        }
        let query = statement(text).bind(user.as_str()).bind(size(left));
        let gone = transaction.run(query).await?.rows_affected();
        left = left.saturating_sub(usize::try_from(gone).unwrap_or(left));
    }
    Ok(limit - left)
}

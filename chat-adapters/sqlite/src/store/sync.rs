//! What changed since a client last asked.

use chat_core::id::UserId;
use chat_core::model::Hide;
use chat_core::store::{ChangedConversations, ChangedFor, ChangedMessages, ChangesQuery, SyncPosition};

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{bind_viewer, ranges, viewer_saw, viewer_sees};
use crate::error::Error;
use crate::statement::{Cells, blob, int, size, statement, user_list};

const POSITION: &str = "SELECT commit_no FROM chat_state WHERE id = 1";
/// What happens after he left is none of his business, so only his own row counts then.
pub(super) const CHANGED: &str = "SELECT mb.conversation_id, \
    CASE WHEN mb.state = 'active' THEN max(mb.commit_no, c.commit_no) ELSE mb.commit_no END AS changed \
    FROM chat_members mb CROSS JOIN chat_conversations c ON c.id = mb.conversation_id \
    WHERE mb.user_id = ?1 AND changed > ?2 ORDER BY changed LIMIT ?3";
/// The same for several users at once.
pub(super) const CHANGED_FOR: &str = "SELECT mb.user_id, mb.conversation_id, c.rev \
    FROM json_each(?1) u CROSS JOIN chat_members mb ON mb.user_id = u.value \
    CROSS JOIN chat_conversations c ON c.id = mb.conversation_id \
    WHERE CASE WHEN mb.state = 'active' THEN max(mb.commit_no, c.commit_no) ELSE mb.commit_no END > ?2 LIMIT ?3";
/// The newest rev that is certainly not after a position: within a conversation revs and numbers of changes rise
/// together. Seen from the newest message down, so the cost is that of what changed since.
pub(super) const REV_AT: &str = "SELECT CASE WHEN c.commit_no <= ?2 THEN c.rev ELSE coalesce((SELECT m.rev FROM chat_messages m \
    WHERE m.conversation_id = c.id AND m.commit_no <= ?2 ORDER BY m.rev DESC LIMIT 1), 0) END \
    FROM chat_conversations c WHERE c.id = ?1";
pub(super) const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND m.rev > ?6 AND m.commit_no > ?7 \
     AND EXISTS (SELECT 1 FROM json_each(?5) r WHERE m.seq BETWEEN r.value ->> 0 AND r.value ->> 1) AND ",
    viewer_sees!("m"),
    " ORDER BY m.rev DESC, m.seq DESC LIMIT ?8"
);
pub(super) const EXPIRED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = ?1 AND m.rev > ?6 AND m.commit_no > ?7 \
     AND EXISTS (SELECT 1 FROM json_each(?5) r WHERE m.seq BETWEEN r.value ->> 0 AND r.value ->> 1) \
     AND m.expires_at <= ?3 AND ",
    viewer_saw!("m"),
    " ORDER BY m.rev DESC, m.seq DESC LIMIT ?8"
);
pub(super) const HIDES: &str = "SELECT h.user_id, h.conversation_id, h.message_id, h.seq, h.rev FROM chat_hides h \
    WHERE h.user_id = ?1 AND h.conversation_id = ?2 AND h.rev > ?3 AND h.commit_no > ?4 \
    ORDER BY h.rev DESC, h.seq DESC LIMIT ?5";

impl SqliteStore {
    pub(super) async fn newest_position(&self) -> Result<SyncPosition, Error> {
        let newest = self
            .read()
            .await?
            .find(statement(POSITION), |cells| cells.uint())
            .await?;
        Ok(SyncPosition(newest.unwrap_or(0)))
    }

    pub(super) async fn position_epoch(&self) -> Result<u64, Error> {
        const EPOCH: &str = "SELECT s.epoch FROM chat_state s WHERE s.id = 1";
        let epoch = self
            .read()
            .await?
            .find(statement(EPOCH), |cells| cells.uint())
            .await?;
        Ok(epoch.unwrap_or(0))
    }

    pub(super) async fn conversations_since(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> Result<ChangedConversations, Error> {
        let mut session = self.snapshot().await?;
        let newest = session
            .find(statement(POSITION), |cells| cells.uint())
            .await?
            .unwrap_or(0);
        let query = statement(CHANGED)
            .bind(user.as_str())
            .bind(int(since.0))
            .bind(size(limit).saturating_add(1));
        let mut changed = session
            .list(query, |cells| Ok((cells.conversation()?, cells.uint()?)))
            .await?;
        let has_more = changed.len() > limit;
        changed.truncate(limit);
        let reached = match changed.last() {
            _ if !has_more => SyncPosition(newest),
            Some((_, number)) => SyncPosition(*number),
            None => since,
        };
        Ok(ChangedConversations {
            ids: changed.into_iter().map(|(id, _)| id).collect(),
            reached,
            has_more,
        })
    }

    pub(super) async fn changed_since_for(
        &self,
        users: &[UserId],
        since: SyncPosition,
        limit: usize,
    ) -> Result<Vec<ChangedFor>, Error> {
        let query = statement(CHANGED_FOR)
            .bind(user_list(users)?)
            .bind(int(since.0))
            .bind(size(limit));
        let mut session = self.read().await?;
        session.list(query, changed_for).await
    }

    pub(super) async fn messages_since(&self, query: &ChangesQuery) -> Result<ChangedMessages, Error> {
        let mut session = self.snapshot().await?;
        let member = &query.viewer.member;
        let conversation = blob(member.conversation_id.as_uuid());
        // Below every number for those who ask by rev.
        let (since_rev, number) = match query.position {
            None => (query.since_rev, -1),
            Some(position) => {
                let number = int(position.0);
                let rev_at = statement(REV_AT).bind(conversation.clone()).bind(number);
                let rev = session.find(rev_at, |cells| cells.uint()).await?;
                (rev.unwrap_or(0), number)
            }
        };
        let one_more = size(query.limit).saturating_add(1);
        let ranges = ranges(member, 0, i64::MAX);
        let (mut messages, mut expired) = (Vec::new(), Vec::new());
        if !ranges.is_empty() {
            for (which, found) in [(MESSAGES, &mut messages), (EXPIRED, &mut expired)] {
                let changed = bind_viewer(statement(which), &query.viewer, &ranges)?
                    .bind(int(since_rev))
                    .bind(number)
                    .bind(one_more);
                *found = session.list(changed, rows::message).await?;
            }
        }
        let hides = statement(HIDES)
            .bind(member.user_id.as_str())
            .bind(conversation)
            .bind(int(since_rev))
            .bind(number)
            .bind(one_more);
        let mut hidden = session
            .list(hides, |cells| {
                Ok(Hide {
                    user_id: cells.user()?,
                    conversation_id: cells.conversation()?,
                    message_id: cells.message()?,
                    seq: cells.uint()?,
                    rev: cells.uint()?,
                })
            })
            .await?;
        let limited = [messages.len(), expired.len(), hidden.len()]
            .iter()
            .any(|found| *found > query.limit);
        for found in [&mut messages, &mut expired] {
            found.truncate(query.limit);
            found.reverse();
        }
        hidden.truncate(query.limit);
        hidden.reverse();
        Ok(ChangedMessages {
            messages,
            hidden,
            expired,
            limited,
            since_rev,
        })
    }
}

fn changed_for(cells: &mut Cells<'_>) -> Result<ChangedFor, Error> {
    Ok(ChangedFor {
        user: cells.user()?,
        conversation: cells.conversation()?,
        rev: cells.uint()?,
    })
}

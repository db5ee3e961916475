//! What changed since a client last asked, and from which line of positions.

use chat_core::id::{ConversationId, UserId};
use chat_core::model::Hide;
use chat_core::store::{ChangedConversations, ChangedFor, ChangedMessages, ChangesQuery, SyncPosition};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::PostgresStore;
use super::position::{Position, epoch};
use super::rows::{self, message_columns};
use super::sight::{bind_viewer, ranges, viewer_saw, viewer_sees};
use crate::error::Error;
use crate::schema::once;
use crate::schema_name::{SchemaName, qualify};
use crate::statement::{Cells, int, size, statement, users as all_users};
use crate::transaction::{WRITERS, writers_of};

/// The first transaction id not given yet, and those of the chat's writers under way, which the shared lock of all
/// writing transactions shows. Not the oldest one of the whole server: programs that have nothing to do with chats may
/// write for hours. Who has no id yet when this looks gets one that was not given yet.
///
/// A transaction has its id a moment before it has the lock of it. One that the snapshot knows and the locks do not may be
/// a writer in that moment, or one that has just ended; it counts as under way.
pub(super) const UNDER_WAY: &str = "WITH l AS MATERIALIZED (SELECT * FROM pg_locks), \
      own AS (SELECT t.transactionid::text::int8 AS id, t.virtualtransaction FROM l t \
        WHERE t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock') \
    SELECT s.shift, pg_snapshot_xmax(pg_current_snapshot())::text::int8, \
      ARRAY(SELECT own.id FROM l w JOIN own ON own.virtualtransaction = w.virtualtransaction \
          WHERE w.locktype = 'advisory' AND w.classid = $1::int8 AND w.objid = $2::int8 AND w.objsubid = 2 \
            AND w.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) \
        UNION ALL SELECT x.id FROM (SELECT pg_snapshot_xip(pg_current_snapshot())::text::int8 & 4294967295 AS id) x \
          WHERE NOT EXISTS (SELECT 1 FROM own WHERE own.id = x.id)), \
      EXISTS (SELECT 1 FROM chat_running) \
    FROM chat_state s WHERE s.id = 1";
/// What happens after he left is none of his business, so only his own row counts then.
pub(super) const CHANGED: &str = "SELECT mb.conversation_id, o.changed FROM chat_members mb \
    JOIN chat_conversations c ON c.id = mb.conversation_id CROSS JOIN LATERAL (SELECT CASE mb.state \
      WHEN 'active' THEN greatest(mb.change_no, c.change_no) ELSE mb.change_no END AS changed) o \
    WHERE mb.user_id = $1 AND o.changed >= $2 ORDER BY o.changed, mb.conversation_id LIMIT $3";
/// The same for several users at once.
pub(super) const CHANGED_FOR: &str = "SELECT mb.user_id, mb.conversation_id, c.rev FROM chat_members mb \
    JOIN chat_conversations c ON c.id = mb.conversation_id \
    WHERE mb.user_id = ANY($1) AND CASE mb.state WHEN 'active' THEN greatest(mb.change_no, c.change_no) \
      ELSE mb.change_no END >= $2 LIMIT $3";
/// The newest rev that is certainly below a number: within a conversation revs and numbers rise together. Seen from
/// the newest message down, so the cost is that of what changed since.
pub(super) const REV_BELOW: &str = "SELECT CASE WHEN c.change_no < $2 THEN c.rev ELSE coalesce((SELECT m.rev \
      FROM chat_messages m WHERE m.conversation_id = c.id AND m.change_no < $2 ORDER BY m.rev DESC LIMIT 1), 0) END \
    FROM chat_conversations c WHERE c.id = $1";
pub(super) const MESSAGES: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = $1 AND m.rev > $7 AND m.change_no >= $8 \
     AND EXISTS (SELECT 1 FROM unnest($5::int8[], $6::int8[]) r(low, high) WHERE m.seq BETWEEN r.low AND r.high) AND ",
    viewer_sees!("m"),
    " ORDER BY m.rev DESC, m.seq DESC LIMIT $9"
);
pub(super) const EXPIRED: &str = concat!(
    "SELECT ",
    message_columns!(),
    " FROM chat_messages m WHERE m.conversation_id = $1 AND m.rev > $7 AND m.change_no >= $8 \
     AND EXISTS (SELECT 1 FROM unnest($5::int8[], $6::int8[]) r(low, high) WHERE m.seq BETWEEN r.low AND r.high) \
     AND m.expires_at <= $3 AND ",
    viewer_saw!("m"),
    " ORDER BY m.rev DESC, m.seq DESC LIMIT $9"
);
pub(super) const HIDES: &str = "SELECT h.user_id, h.conversation_id, h.message_id, h.seq, h.rev FROM chat_hides h \
    WHERE h.user_id = $1 AND h.conversation_id = $2 AND h.rev > $3 AND h.change_no >= $4 \
    ORDER BY h.rev DESC, h.seq DESC LIMIT $5";

/// The time line of the server is the first part of the name of the log file it writes.
const EPOCH_ON_LINE: &str = "SELECT s.epoch, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8 \
    FROM chat_state s WHERE s.id = 1";
const EPOCH: &str = "SELECT s.epoch, 1::int8 FROM chat_state s WHERE s.id = 1";
const NEW_EPOCH: &str =
    "UPDATE chat_state SET epoch = ('x' || right(gen_random_uuid()::text, 12))::bit(48)::int8";

impl PostgresStore {
    pub(super) async fn newest_position(&self) -> Result<SyncPosition, Error> {
        self.present().await.map(Position::pack)
    }

    /// The newest position. What is read after it has at least everything that it says is there.
    async fn present(&self) -> Result<Position, Error> {
        let schema = self.database().shared.texts.schema();
        let look = async || {
            let query = statement(UNDER_WAY)
                .bind(i64::from(WRITERS))
                .bind(i64::from(writers_of(schema)));
            let found = self.database().find(query, |cells| {
                let ids = (cells.uint()?, cells.uint()?, cells.take::<Vec<i64>>()?);
                Ok((ids, cells.flag()?))
            });
            found.await?.ok_or(Error::Broken("no state"))
        };
        let (mut ids, is_running) = look().await?;
        if !is_running {
            // After a crash, and nobody has written yet: positions of before would be ahead of this one.
            self.database().write(|_| Box::pin(async { Ok(()) })).await?;
            (ids, _) = look().await?;
        }
        let (shift, next, writers) = ids;
        let oldest = writers
            .into_iter()
            .filter_map(|short| u64::try_from(short).ok())
            .map(|short| whole_id(next, short))
            .fold(next, u64::min);
        Ok(self
            .inner
            .horizon
            .settle(Position::of_snapshot(oldest + shift, next + shift)))
    }

    pub(super) async fn position_epoch(&self) -> Result<u64, Error> {
        let text = if self.inner.has_time_line {
            EPOCH_ON_LINE
        } else {
            EPOCH
        };
        let found = self
            .database()
            .find(statement(text), |cells| Ok(epoch(cells.uint()?, cells.uint()?)))
            .await?;
        found.ok_or(Error::Broken("no state"))
    }

    pub(super) async fn new_epoch(&self) -> Result<(), Error> {
        self.database()
            .write(|transaction| {
                Box::pin(async move { transaction.run(statement(NEW_EPOCH)).await.map(|_| ()) })
            })
            .await
    }

    pub(super) async fn conversations_since(
        &self,
        user: &UserId,
        since: SyncPosition,
        limit: usize,
    ) -> Result<ChangedConversations, Error> {
        let since = Position::unpack(since);
        let query = statement(CHANGED)
            .bind(user.as_str())
            .bind(int(since.look_from()))
            .bind(size(limit).saturating_add(1));
        let mut newest = self.present().await?;
        if since.between_pages && since.complete_below <= since.newest {
            // What was under way when an earlier page was read may have been committed behind the pages since. Where
            // nothing was, all that comes later has higher numbers than the page, and the next one tells it.
            newest.complete_below = newest.complete_below.min(since.complete_below);
        }
        let mut found = self
            .database()
            .list(query, |cells| Ok((cells.conversation()?, cells.uint()?)))
            .await?;
        let has_more = found.len() > limit;
        let reached = if has_more {
            cut(&mut found, limit);
            let last = found.last().map_or(since.newest, |(_, number)| *number);
            Position {
                newest: last.min(newest.newest),
                between_pages: true,
                ..newest
            }
        } else {
            newest
        };
        Ok(ChangedConversations {
            ids: found.into_iter().map(|(id, _)| id).collect(),
            reached: reached.pack(),
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
            .bind(all_users(users))
            .bind(int(Position::unpack(since).look_from()))
            .bind(size(limit));
        self.database().list(query, changed_for).await
    }

    pub(super) async fn messages_since(&self, query: &ChangesQuery) -> Result<ChangedMessages, Error> {
        let member = &query.viewer.member;
        let conversation = member.conversation_id.as_uuid();
        // Each statement sees a state at least as new as the one before, so nothing falls between them.
        let (since_rev, number) = match query.position {
            None => (query.since_rev, 0),
            Some(position) => {
                let number = int(Position::unpack(position).complete_below);
                let below = statement(REV_BELOW).bind(conversation).bind(number);
                let rev = self.database().find(below, |cells| cells.uint()).await?;
                (rev.unwrap_or(0), number)
            }
        };
        let one_more = size(query.limit).saturating_add(1);
        let ranges = ranges(member, 0, i64::MAX);
        let (mut messages, mut expired) = (Vec::new(), Vec::new());
        if !ranges.low.is_empty() {
            for (which, found) in [(MESSAGES, &mut messages), (EXPIRED, &mut expired)] {
                let changed = bind_viewer(statement(which), &query.viewer)
                    .bind(ranges.low.as_slice())
                    .bind(ranges.high.as_slice())
                    .bind(int(since_rev))
                    .bind(number)
                    .bind(one_more);
                *found = self.database().list(changed, rows::message).await?;
            }
        }
        let hides = statement(HIDES)
            .bind(member.user_id.as_str())
            .bind(conversation)
            .bind(int(since_rev))
            .bind(number)
            .bind(one_more);
        let mut hidden = self
            .database()
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

/// A transaction id as locks show it has 32 bits; it was given before `next`.
fn whole_id(next: u64, short: u64) -> u64 {
    const ROUND: u64 = 1 << 32;
    let id = next / ROUND * ROUND + short;
    if id > next { id.saturating_sub(ROUND) } else { id }
}

/// Cuts a list in order of its numbers to `limit`, but not between two of the same number: the next page goes on after
/// it. Equal ones are very rare, so a page of nothing else is longer than asked for.
fn cut(found: &mut Vec<(ConversationId, u64)>, limit: usize) {
    let number_at = |place: usize| found.get(place).map(|(_, number)| *number);
    let mut end = limit;
    while end > 0 && number_at(end) == number_at(end - 1) {
        end -= 1;
    }
    if end > 0 {
        found.truncate(end);
    }
}

/// Sees to it that numbers of changes go on rising where the database has come to another cluster, whose transaction
/// ids started anew: then positions of before mean nothing any more, and a new epoch says so. Returns whether the
/// server tells its time line.
pub(super) async fn adopt(connection: &mut PgConnection, schema: &SchemaName) -> Result<bool, sqlx::Error> {
    const CLUSTER: &str = "SELECT system_identifier::text FROM pg_control_system()";
    const KEPT: &str = "SELECT s.cluster FROM chat_state s WHERE s.id = 1 FOR UPDATE";
    const FIRST: &str = "UPDATE chat_state SET cluster = $1";
    const MOVED: &str = "UPDATE chat_state SET cluster = $1, \
        epoch = ('x' || right(gen_random_uuid()::text, 12))::bit(48)::int8, \
        shift = greatest(0, (SELECT coalesce(max(n.change_no), 0) >> 12 FROM ( \
          SELECT max(c.change_no) AS change_no FROM chat_conversations c \
          UNION ALL SELECT max(mb.change_no) FROM chat_members mb) n) + 1 - pg_current_xact_id()::text::int8)";
    let cluster: String = match once(CLUSTER).fetch_one(&mut *connection).await {
        Ok(row) => row.try_get(0)?,
        Err(sqlx::Error::Database(refusal)) => {
            tracing::warn!(
                reason = refusal.message(),
                "the server does not name its cluster: call renew_epoch after restoring a dump elsewhere"
            );
            String::new()
        }
        Err(error) => return Err(error),
    };
    if !cluster.is_empty() {
        let text = |text: &str| AssertSqlSafe(qualify(text, schema));
        let mut transaction = connection.begin().await?;
        let row = once(text(KEPT)).fetch_one(&mut *transaction).await?;
        let kept: String = row.try_get(0)?;
        if kept.is_empty() {
            let first = once(text(FIRST)).bind(&cluster);
            first.execute(&mut *transaction).await?;
        } else if kept != cluster {
            let moved = once(text(MOVED)).bind(&cluster);
            moved.execute(&mut *transaction).await?;
            tracing::info!("the chats were restored from another cluster: clients sync from the beginning");
        }
        transaction.commit().await?;
    }
    match once(AssertSqlSafe(qualify(EPOCH_ON_LINE, schema)))
        .fetch_one(connection)
        .await
    {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(refusal)) => {
            tracing::warn!(
                reason = refusal.message(),
                "the server does not tell its time line: call renew_epoch after a standby took over"
            );
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn changed_for(cells: &mut Cells<'_>) -> Result<ChangedFor, Error> {
    Ok(ChangedFor {
        user: cells.user()?,
        conversation: cells.conversation()?,
        rev: cells.uint()?,
    })
}

#[cfg(test)]
mod tests {
    use super::whole_id;

    #[test]
    fn short_ids_are_those_before_the_next_one() {
        assert_eq!(whole_id(900, 850), 850);
        assert_eq!(whole_id((7 << 32) + 5, 3), (7 << 32) + 3);
        assert_eq!(whole_id((7 << 32) + 5, 0xffff_fff0), (6 << 32) + 0xffff_fff0);
    }
}

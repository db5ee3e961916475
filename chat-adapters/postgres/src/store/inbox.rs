//! Conversations as one member sees them: counts, preview, filters, order.
//!
//! One statement a page, whatever the number of conversations. Those without anything new are told by two columns of
//! the conversation and one of the member, and nothing is counted for them.

use chat_core::config::BlockedInGroup;
use chat_core::id::UserId;
use chat_core::store::{Badge, InboxCounts, InboxEntry, InboxFilter, InboxList, InboxQuery};
use chat_core::time::Timestamp;

use super::PostgresStore;
use super::rows::{self, conversation_columns, member_columns, message_columns};
use super::sight::{counts, hides, member_sees};
use crate::error::Error;
use crate::statement::{Cells, Statement, all, size, statement};

/// The newest countable message that the member did not send: `LastCountable::not_by`.
macro_rules! newest_of_others {
    () => {
        "CASE WHEN c.last_countable_sender = mb.user_id THEN c.last_countable_other_seq ELSE c.last_countable_seq END"
    };
}

macro_rules! muted {
    () => {
        "coalesce(mb.muted_until > $2, false)"
    };
}

/// `Member::is_archived`.
macro_rules! archived {
    () => {
        concat!(
            "(mb.archived_seq IS NOT NULL AND (",
            newest_of_others!(),
            " <= mb.archived_seq OR coalesce(mb.muted_until > CASE WHEN c.last_countable_sender = mb.user_id \
             THEN c.last_countable_other_at ELSE c.last_activity_at END, false)))"
        )
    };
}

macro_rules! hidden {
    () => {
        "(mb.hidden_seq IS NOT NULL AND c.last_countable_seq <= mb.hidden_seq)"
    };
}

/// The unread messages `u` of a member: `access::counts_as_unread`. `$4` says whether those of blocked users count.
macro_rules! unread {
    () => {
        concat!(
            " FROM chat_messages u WHERE u.conversation_id = mb.conversation_id AND u.seq > mb.unread_after \
             AND u.countable AND u.deleted_at IS NULL AND u.sender_id <> mb.user_id \
             AND NOT (NOT $4 AND c.kind = 'group' AND EXISTS (SELECT 1 FROM chat_blocks k \
               WHERE k.blocker = mb.user_id AND k.blocked = u.sender_id AND k.active)) AND ",
            member_sees!("u")
        )
    };
}

/// How many are unread, how many of them mention him, and the first: three answers of one pass.
macro_rules! tally {
    () => {
        concat!(
            " CROSS JOIN LATERAL (SELECT count(*) AS unread, count(*) FILTER (WHERE u.mentions_all OR EXISTS (\
             SELECT 1 FROM chat_mentions n WHERE n.conversation_id = u.conversation_id AND n.seq = u.seq \
             AND n.user_id = mb.user_id)) AS mentions, min(u.seq) AS first",
            unread!(),
            " AND ",
            newest_of_others!(),
            " > mb.unread_after) t"
        )
    };
}

/// The newest message the member is shown in the list, at `$place`. `access::is_previewable` and `visible`.
macro_rules! newest_shown {
    ($place:expr) => {
        concat!(
            " LEFT JOIN LATERAL (SELECT v.seq FROM chat_messages v WHERE v.conversation_id = mb.conversation_id AND ",
            $place,
            " AND v.deleted_at IS NULL AND v.previewable AND ",
            member_sees!("v"),
            " ORDER BY v.seq DESC LIMIT 1) "
        )
    };
}

/// Everything about the conversations of `page`, in the order of the list.
///
/// The preview is nearly always among the newest messages, and is looked for there first: a bound that holds for
/// whatever plan. One that trusted an estimate would read a long conversation whole and sort it.
macro_rules! entries {
    ($page:expr) => {
        concat!(
            "WITH page AS MATERIALIZED (",
            $page,
            ") SELECT ",
            conversation_columns!(),
            ", ",
            member_columns!(),
            ", ",
            archived!(),
            ", ",
            hidden!(),
            ", t.unread, t.mentions, t.first, ",
            message_columns!(),
            " FROM page p JOIN chat_conversations c ON c.id = p.id \
             JOIN chat_members mb ON mb.conversation_id = p.id AND mb.user_id = $1",
            tally!(),
            newest_shown!("v.seq > c.last_seq - 32"),
            "near ON true",
            newest_shown!("near.seq IS NULL AND v.seq <= c.last_seq - 32"),
            "far ON true LEFT JOIN chat_messages m \
               ON m.conversation_id = mb.conversation_id AND m.seq = coalesce(near.seq, far.seq) \
             ORDER BY mb.pinned_at IS NOT NULL DESC, c.last_activity_at DESC, c.id DESC"
        )
    };
}

/// Whether the name `$name` is part of the group's or the other user's, and the user `$with` is in it too; each says
/// nothing when it is NULL.
macro_rules! selected {
    ($name:literal, $with:literal) => {
        concat!(
            "(",
            $name,
            "::text IS NULL OR strpos(CASE WHEN c.pair_low IS NULL THEN c.folded_name ELSE (SELECT f.folded_name \
             FROM chat_users f WHERE f.id = CASE WHEN c.pair_low = $1 THEN c.pair_high ELSE c.pair_low END) END, ",
            $name,
            ") > 0) AND (",
            $with,
            "::text IS NULL OR EXISTS (SELECT 1 FROM chat_members w WHERE w.conversation_id = mb.conversation_id \
             AND w.user_id = ",
            $with,
            " AND w.state = 'active'))"
        )
    };
}

/// Whether there is something unread, or it is marked so.
macro_rules! is_unread {
    () => {
        concat!(
            "(mb.unread_from IS NOT NULL OR (",
            newest_of_others!(),
            " > mb.unread_after AND EXISTS (SELECT 1",
            unread!(),
            ")))"
        )
    };
}

pub(super) const LIST: &str = entries!(concat!(
    "SELECT mb.conversation_id AS id FROM chat_members mb \
     JOIN chat_conversations c ON c.id = mb.conversation_id \
     WHERE mb.user_id = $1 AND mb.state = 'active' AND NOT ",
    hidden!(),
    " AND CASE $5::text WHEN 'all' THEN true WHEN 'archived' THEN ",
    archived!(),
    " ELSE NOT ",
    archived!(),
    " END AND ($6::bool IS NULL OR (mb.pinned_at IS NOT NULL, c.last_activity_at, c.id) < ($6, $7::int8, $8::uuid)) \
     AND ",
    selected!("$9", "$11"),
    " AND CASE $5 WHEN 'pinned' THEN mb.pinned_at IS NOT NULL WHEN 'muted' THEN ",
    muted!(),
    " WHEN 'direct' THEN c.pair_low IS NOT NULL WHEN 'group' THEN c.pair_low IS NULL \
     WHEN 'unread' THEN ",
    is_unread!(),
    " ELSE true END \
     ORDER BY mb.pinned_at IS NOT NULL DESC, c.last_activity_at DESC, c.id DESC LIMIT $10 OFFSET $12"
));

pub(super) const BY_ID: &str = entries!(
    "SELECT mb.conversation_id AS id FROM chat_members mb \
     WHERE mb.conversation_id = ANY($5) AND mb.user_id = $1 AND mb.state = 'active'"
);

pub(super) const TOTALS: &str = concat!(
    "SELECT coalesce(sum(t.unread), 0)::int8, count(*) FILTER (WHERE mb.unread_from IS NOT NULL OR t.unread > 0), \
     coalesce(sum(t.mentions), 0)::int8 \
     FROM chat_members mb JOIN chat_conversations c ON c.id = mb.conversation_id",
    tally!(),
    " WHERE mb.user_id = $1 AND mb.state = 'active' AND (mb.unread_from IS NOT NULL OR ",
    newest_of_others!(),
    " > mb.unread_after) AND NOT ",
    muted!(),
    " AND NOT ",
    archived!(),
    " AND NOT ",
    hidden!()
);

/// Each conversation is looked at once; what is unread is only counted up to the first.
pub(super) const COUNTS: &str = concat!(
    "SELECT count(*) FILTER (WHERE NOT o.archived), count(*), count(*) FILTER (WHERE NOT o.archived AND o.unread), \
     count(*) FILTER (WHERE NOT o.archived AND o.pinned), count(*) FILTER (WHERE o.archived), \
     count(*) FILTER (WHERE NOT o.archived AND o.muted), count(*) FILTER (WHERE NOT o.archived AND o.direct), \
     count(*) FILTER (WHERE NOT o.archived AND NOT o.direct) FROM (SELECT ",
    archived!(),
    " AS archived, ",
    is_unread!(),
    " AS unread, mb.pinned_at IS NOT NULL AS pinned, ",
    muted!(),
    " AS muted, c.pair_low IS NOT NULL AS direct FROM chat_members mb \
     JOIN chat_conversations c ON c.id = mb.conversation_id \
     WHERE mb.user_id = $1 AND mb.state = 'active' AND NOT ",
    hidden!(),
    " AND ",
    selected!("$5", "$6"),
    ") o"
);

impl PostgresStore {
    pub(super) async fn inbox_entries(&self, query: &InboxQuery) -> Result<Vec<InboxEntry>, Error> {
        let statement = match &query.list {
            Some(list) => bind_list(bind(statement(LIST), query), list),
            None => bind(statement(BY_ID), query).bind(all(&query.ids, |id| id.as_uuid())),
        };
        self.database().list(statement, entry).await
    }

    pub(super) async fn counted(&self, query: &InboxQuery) -> Result<InboxCounts, Error> {
        let list = query.list.as_ref();
        let statement = bind(statement(COUNTS), query)
            .bind(list.and_then(|list| list.name.as_deref()))
            .bind(list.and_then(|list| Some(list.with.as_ref()?.as_str())));
        let counts = self.database().find(statement, |cells| {
            Ok(InboxCounts {
                listed: cells.uint()?,
                all: cells.uint()?,
                unread: cells.uint()?,
                pinned: cells.uint()?,
                archived: cells.uint()?,
                muted: cells.uint()?,
                direct: cells.uint()?,
                group: cells.uint()?,
            })
        });
        Ok(counts.await?.unwrap_or_default())
    }

    pub(super) async fn totals(
        &self,
        user: &UserId,
        now: Timestamp,
        blocked: BlockedInGroup,
    ) -> Result<Badge, Error> {
        let query = bind_eyes(statement(TOTALS), user, now, blocked);
        let badge = self
            .database()
            .find(query, |cells| {
                Ok(Badge {
                    unread_messages: cells.uint()?,
                    unread_conversations: cells.uint()?,
                    mentions: cells.uint()?,
                })
            })
            .await?;
        Ok(badge.unwrap_or_default())
    }
}

/// Parameters 1 to 4.
fn bind_eyes(query: Statement, user: &UserId, now: Timestamp, blocked: BlockedInGroup) -> Statement {
    query
        .bind(user.as_str())
        .bind(now.as_millis())
        .bind(hides(blocked))
        .bind(counts(blocked))
}

fn bind(statement: Statement, query: &InboxQuery) -> Statement {
    bind_eyes(statement, &query.user, query.now, query.blocked_in_group)
}

fn bind_list(statement: Statement, list: &InboxList) -> Statement {
    let filter = match list.filter {
        InboxFilter::Default => "default",
        InboxFilter::All => "all",
        InboxFilter::Unread => "unread",
        InboxFilter::Pinned => "pinned",
        InboxFilter::Archived => "archived",
        InboxFilter::Muted => "muted",
        InboxFilter::Direct => "direct",
        InboxFilter::Group => "group",
    };
    let after = list.after.as_ref();
    statement
        .bind(filter)
        .bind(after.map(|key| key.pinned))
        .bind(after.map(|key| key.last_activity_at.as_millis()))
        .bind(after.map(|key| key.id.as_uuid()))
        .bind(list.name.as_deref())
        .bind(size(list.limit))
        .bind(list.with.as_ref().map(UserId::as_str))
        .bind(size(list.skip))
}

fn entry(cells: &mut Cells<'_>) -> Result<InboxEntry, Error> {
    Ok(InboxEntry {
        conversation: rows::conversation(cells)?,
        member: rows::member(cells)?,
        archived: cells.flag()?,
        hidden: cells.flag()?,
        unread_count: cells.uint()?,
        mention_count: cells.uint()?,
        first_unread_seq: cells.opt_uint()?,
        last_message: if cells.is_null()? {
            None
        } else {
            Some(rows::message(cells)?)
        },
    })
}

//! Writes a member and his intervals.

use chat_core::model::Member;

use super::writes::sees_from;
use crate::error::Error;
use crate::names::Named;
use crate::statement::{blob, int, json, muted, statement, time};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO chat_members (conversation_id, user_id, role, state, joined_at, intervals, \
    delivered_seq, read_seq, contacts_read_seq, public_read_seq, unread_floor, visible_from, unread_from, pinned_at, \
    muted_until, archived_seq, hidden_seq, notification_level, silenced_until, last_sent_at, rev, user_rev, \
    reset_user_rev, unread_after, sees_from, commit_no) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
    ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26) \
    ON CONFLICT (conversation_id, user_id) DO UPDATE SET role = excluded.role, state = excluded.state, \
    joined_at = excluded.joined_at, intervals = excluded.intervals, delivered_seq = excluded.delivered_seq, \
    read_seq = excluded.read_seq, contacts_read_seq = excluded.contacts_read_seq, \
    public_read_seq = excluded.public_read_seq, unread_floor = excluded.unread_floor, \
    visible_from = excluded.visible_from, unread_from = excluded.unread_from, pinned_at = excluded.pinned_at, \
    muted_until = excluded.muted_until, archived_seq = excluded.archived_seq, hidden_seq = excluded.hidden_seq, \
    notification_level = excluded.notification_level, \
    silenced_until = excluded.silenced_until, last_sent_at = excluded.last_sent_at, rev = excluded.rev, user_rev = excluded.user_rev, \
    reset_user_rev = excluded.reset_user_rev, unread_after = excluded.unread_after, \
    sees_from = excluded.sees_from, commit_no = excluded.commit_no";

/// Writes `member`; `old` is the row it replaces, as far as the decision has seen it.
pub(super) async fn put_member(
    transaction: &mut Transaction,
    old: Option<&Member>,
    member: &Member,
    number: i64,
) -> Result<(), Error> {
    let query = statement(PUT)
        .bind(blob(member.conversation_id.as_uuid()))
        .bind(member.user_id.as_str())
        .bind(member.role.column())
        .bind(member.state.column())
        .bind(member.joined_at.as_millis())
        .bind(json(&member.intervals)?)
        .bind(int(member.delivered_seq))
        .bind(int(member.read_seq))
        .bind(int(member.contacts_read_seq))
        .bind(int(member.public_read_seq))
        .bind(int(member.unread_floor))
        .bind(int(member.visible_from))
        .bind(member.unread_from.map(int))
        .bind(time(member.pinned_at))
        .bind(muted(member.muted))
        .bind(member.archived_seq.map(int))
        .bind(member.hidden_seq.map(int))
        .bind(member.notification_level.column())
        .bind(muted(member.silenced))
        .bind(time(member.last_sent_at))
        .bind(int(member.rev))
        .bind(int(member.user_rev))
        .bind(int(member.reset_user_rev))
        .bind(int(member.unread_after()))
        .bind(int(sees_from(member)))
        .bind(number);
    transaction.run(query).await?;
    // Marks move far more often than memberships.
    if old.is_none_or(|old| old.intervals != member.intervals) {
        put_intervals(transaction, member).await?;
    }
    Ok(())
}

async fn put_intervals(transaction: &mut Transaction, member: &Member) -> Result<(), Error> {
    const CLEAR: &str = "DELETE FROM chat_member_intervals WHERE conversation_id = ?1 AND user_id = ?2";
    const ADD: &str = "INSERT INTO chat_member_intervals (conversation_id, user_id, position, from_seq, to_seq) \
        SELECT ?1, ?2, key, value ->> 0, value ->> 1 FROM json_each(?3)";
    let conversation = blob(member.conversation_id.as_uuid());
    let query = statement(CLEAR)
        .bind(conversation.clone())
        .bind(member.user_id.as_str());
    transaction.run(query).await?;
    let intervals: Vec<(i64, i64)> = member
        .intervals
        .iter()
        .map(|interval| (int(interval.from), interval.to.map_or(i64::MAX, int)))
        .collect();
    let query = statement(ADD)
        .bind(conversation)
        .bind(member.user_id.as_str())
        .bind(json(&intervals)?);
    transaction.run(query).await?;
    Ok(())
}

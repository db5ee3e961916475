//! The visibility predicate in SQL. It mirrors `chat_core::access::visible` but for deletion, which makes a message a
//! tombstone and not invisible; what counts or is searched says so itself.
//!
//! Two forms: one over the viewer's own rows, for queries over many conversations, and one over a
//! [`Viewer`](chat_core::store::Viewer) that the caller brings, for queries inside one.

use chat_core::config::BlockedInGroup;
use chat_core::model::Member;
use chat_core::store::Viewer;

use crate::error::Error;
use crate::statement::{Statement, blob, int, json};

/// Whether the member `mb` of the conversation `c` sees the message `$m`, by the time `?2`; `?3` says whether
/// messages of users he has blocked are hidden in groups. Starts at `mb.sees_from`, so that an index can.
macro_rules! member_sees {
    ($m:literal) => {
        concat!(
            $m,
            ".seq >= mb.sees_from AND (",
            $m,
            ".expires_at IS NULL OR ",
            $m,
            ".expires_at > ?2) AND EXISTS (SELECT 1 FROM chat_member_intervals i \
             WHERE i.conversation_id = mb.conversation_id AND i.user_id = mb.user_id AND ",
            $m,
            ".seq BETWEEN i.from_seq AND i.to_seq) AND NOT EXISTS (SELECT 1 FROM chat_hides h \
             WHERE h.user_id = mb.user_id AND h.conversation_id = mb.conversation_id AND h.seq = ",
            $m,
            ".seq) AND NOT (?3 = 1 AND c.kind = 'group' AND EXISTS (SELECT 1 FROM chat_blocks b \
             WHERE b.blocker = mb.user_id AND b.blocked = ",
            $m,
            ".sender_id AND b.active = 1))"
        )
    };
}
pub(super) use member_sees;

/// Whether the viewer sees the message `$m` of the conversation `?1`, where his memberships cover it: `?2` to `?4`
/// as [`bind_viewer`] gives them.
macro_rules! viewer_sees {
    ($m:literal) => {
        concat!(
            "(",
            $m,
            ".expires_at IS NULL OR ",
            $m,
            ".expires_at > ?3) AND ",
            $crate::store::sight::viewer_saw!($m)
        )
    };
}
pub(super) use viewer_sees;

/// The same without a look at the time: with `expires_at <= ?3` it is `chat_core::access::has_expired`.
macro_rules! viewer_saw {
    ($m:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM chat_hides h \
             WHERE h.user_id = ?2 AND h.conversation_id = ?1 AND h.seq = ",
            $m,
            ".seq) AND NOT (?4 = 1 AND EXISTS (SELECT 1 FROM chat_blocks b \
             WHERE b.blocker = ?2 AND b.blocked = ",
            $m,
            ".sender_id AND b.active = 1))"
        )
    };
}
pub(super) use viewer_saw;

/// Parameters 1 to 5 of a query with [`viewer_sees`]: conversation, user, time, whether blocked senders are hidden,
/// and the ranges of seqs he may see.
pub(super) fn bind_viewer(
    query: Statement,
    viewer: &Viewer,
    ranges: &[(i64, i64)],
) -> Result<Statement, Error> {
    Ok(query
        .bind(blob(viewer.member.conversation_id.as_uuid()))
        .bind(viewer.member.user_id.as_str())
        .bind(viewer.now.as_millis())
        .bind(i64::from(viewer.group && hides(viewer.blocked_in_group)))
        .bind(json(&ranges)?))
}

/// Whether messages of blocked users are out of sight in groups.
pub(super) fn hides(policy: BlockedInGroup) -> bool {
    policy == BlockedInGroup::Hide
}

/// Whether messages of blocked users count as unread in groups.
pub(super) fn counts(policy: BlockedInGroup) -> bool {
    policy == BlockedInGroup::Show
}

/// The seqs between `from` and `to` that a member's intervals cover and he has not cleared, as disjoint ranges.
pub(super) fn ranges(member: &Member, from: i64, to: i64) -> Vec<(i64, i64)> {
    if !member.is_active() {
        return Vec::new();
    }
    let from = from.max(int(member.visible_from));
    let mut ranges: Vec<(i64, i64)> = member
        .intervals
        .iter()
        .map(|i| (int(i.from).max(from), i.to.map_or(i64::MAX, int).min(to)))
        .filter(|(low, high)| low <= high)
        .collect();
    ranges.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    merged
}

//! The visibility predicate in SQL. It mirrors `chat_core::access::visible` but for deletion, which makes a message a
//! tombstone and not invisible; what counts or is searched says so itself.
//!
//! Two forms: one over the viewer's own rows, for queries over many conversations, and one over a
//! [`Viewer`](chat_core::store::Viewer) that the caller brings, for queries inside one.

use chat_core::config::BlockedInGroup;
use chat_core::model::Member;
use chat_core::store::Viewer;

use crate::statement::{Statement, int};

/// Whether the member `mb` of the conversation `c` sees the message `$m`, by the time `$2`; `$3` says whether
/// messages of users he has blocked are hidden in groups. Starts at `mb.sees_from`, so that an index can. PostgreSQL
/// takes `@>` to be nearly always false and then plans for no rows; of `coalesce` it makes no such guess.
macro_rules! member_sees {
    ($m:literal) => {
        concat!(
            $m,
            ".seq >= mb.sees_from AND (",
            $m,
            ".expires_at IS NULL OR ",
            $m,
            ".expires_at > $2) AND coalesce(mb.covers @> ",
            $m,
            ".seq, false) AND NOT EXISTS (SELECT 1 FROM chat_hides h \
             WHERE h.user_id = mb.user_id AND h.conversation_id = mb.conversation_id AND h.seq = ",
            $m,
            ".seq) AND NOT ($3 AND c.kind = 'group' AND EXISTS (SELECT 1 FROM chat_blocks b \
             WHERE b.blocker = mb.user_id AND b.blocked = ",
            $m,
            ".sender_id AND b.active))"
        )
    };
}
pub(super) use member_sees;

/// Whether the viewer sees the message `$m` of the conversation `$1`, where his memberships cover it: `$2` to `$4`
/// as [`bind_viewer`] gives them.
macro_rules! viewer_sees {
    ($m:literal) => {
        concat!(
            "(",
            $m,
            ".expires_at IS NULL OR ",
            $m,
            ".expires_at > $3) AND ",
            $crate::store::sight::viewer_saw!($m)
        )
    };
}
pub(super) use viewer_sees;

/// The same without a look at the time: with `expires_at <= $3` it is `chat_core::access::has_expired`.
macro_rules! viewer_saw {
    ($m:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM chat_hides h \
             WHERE h.user_id = $2 AND h.conversation_id = $1 AND h.seq = ",
            $m,
            ".seq) AND NOT ($4 AND EXISTS (SELECT 1 FROM chat_blocks b \
             WHERE b.blocker = $2 AND b.blocked = ",
            $m,
            ".sender_id AND b.active))"
        )
    };
}
pub(super) use viewer_saw;

/// Parameters 1 to 4 of a query with [`viewer_sees`]: conversation, user, time, whether blocked senders are hidden.
pub(super) fn bind_viewer(query: Statement, viewer: &Viewer) -> Statement {
    query
        .bind(viewer.member.conversation_id.as_uuid())
        .bind(viewer.member.user_id.as_str())
        .bind(viewer.now.as_millis())
        .bind(viewer.group && hides(viewer.blocked_in_group))
}

/// Whether messages of blocked users are out of sight in groups.
pub(super) fn hides(policy: BlockedInGroup) -> bool {
    policy == BlockedInGroup::Hide
}

/// Whether messages of blocked users count as unread in groups.
pub(super) fn counts(policy: BlockedInGroup) -> bool {
    policy == BlockedInGroup::Show
}

/// Disjoint ranges of seqs, both ends inclusive, as two parameters.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    pub(super) low: Vec<i64>,
    pub(super) high: Vec<i64>,
}

/// The seqs between `from` and `to` that a member's intervals cover and he has not cleared.
pub(super) fn ranges(member: &Member, from: i64, to: i64) -> Ranges {
    let mut merged = Ranges::default();
    if !member.is_active() {
        return merged;
    }
    let from = from.max(int(member.visible_from));
    let mut ranges: Vec<(i64, i64)> = member
        .intervals
        .iter()
        .map(|i| (int(i.from).max(from), i.to.map_or(i64::MAX, int).min(to)))
        .filter(|(low, high)| low <= high)
        .collect();
    ranges.sort_unstable();
    for (low, high) in ranges {
        match merged.high.last_mut() {
            Some(last) if low <= *last => *last = high.max(*last),
            _ => {
                merged.low.push(low);
                merged.high.push(high);
            }
        }
    }
    merged
}

/// The intervals of a member as a multirange.
pub(super) fn covers(member: &Member) -> String {
    let ranges: Vec<String> = member
        .intervals
        .iter()
        .filter(|i| i.to.is_none_or(|to| i.from <= to))
        .map(|i| match i.to {
            Some(to) => format!("[{},{}]", int(i.from), int(to)),
            None => format!("[{},)", int(i.from)),
        })
        .collect();
    format!("{{{}}}", ranges.join(","))
}

//! Pages of one conversation, in one statement each.

use chat_core::model::{Message, MessageKind};
use chat_core::store::{Anchor, History, HistoryQuery};

use super::PostgresStore;
use super::rows::{self, message_columns};
use super::sight::{Ranges, bind_viewer, ranges, viewer_sees};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{int, size, statement};

/// One side of the anchor: of every range the visible messages nearest to it, found by index, and of those the
/// nearest. Without a gap in the membership there is one range.
macro_rules! side {
    ($side:literal, $kind:literal, $low:literal, $high:literal, $order:literal, $limit:literal) => {
        concat!(
            "(SELECT ",
            $side,
            " AS side, ",
            message_columns!(),
            " FROM unnest(",
            $low,
            "::int8[], ",
            $high,
            "::int8[]) r(low, high) CROSS JOIN LATERAL (SELECT v.* FROM chat_messages v \
             WHERE v.conversation_id = $1 AND v.seq BETWEEN r.low AND r.high",
            $kind,
            " AND ",
            viewer_sees!("v"),
            " ORDER BY v.seq ",
            $order,
            " LIMIT ",
            $limit,
            ") m ORDER BY m.seq ",
            $order,
            " LIMIT ",
            $limit,
            ")"
        )
    };
}

/// What lies before the anchor, newest first, and what lies from it on, oldest first.
macro_rules! page {
    ($kind:literal) => {
        concat!(
            side!("false", $kind, "$5", "$6", "DESC", "$7"),
            " UNION ALL ",
            side!("true", $kind, "$8", "$9", "ASC", "$10")
        )
    };
}

pub(super) const ANY: &str = page!("");
pub(super) const TEXT: &str = page!(" AND v.kind = 'text'");
/// The index over kinds has no texts, and the statement says so for the planner to see that it fits.
pub(super) const OTHER: &str = page!(" AND v.kind = $11 AND v.kind <> 'text'");

/// What is asked of each side of an anchor.
struct Sides {
    /// The highest seq of what lies before, and how many of them.
    before: (i64, usize),
    /// The lowest seq of what follows, and how many of them.
    after: (i64, usize),
}

impl PostgresStore {
    pub(super) async fn history_page(&self, query: &HistoryQuery) -> Result<History, Error> {
        let limit = query.limit;
        // One more than wanted tells whether there is more; one alone tells whether there is anything.
        let more = limit.saturating_add(1);
        let sides = match query.anchor {
            Anchor::Newest => Sides {
                before: (i64::MAX, more),
                after: (i64::MAX, 0),
            },
            Anchor::Before(seq) => Sides {
                before: (int(seq).saturating_sub(1), more),
                after: (int(seq), 1),
            },
            Anchor::After(seq) => Sides {
                before: (int(seq), 1),
                after: (int(seq).saturating_add(1), more),
            },
            Anchor::Around(seq) => Sides {
                before: (int(seq).saturating_sub(1), more),
                after: (int(seq), more),
            },
        };
        let (mut before, mut after) = self.sides(query, &sides).await?;
        let (to_precede, to_follow) = match query.anchor {
            Anchor::Newest | Anchor::Before(_) => (limit, 0),
            Anchor::After(_) => (0, limit),
            Anchor::Around(_) => {
                let to_follow = after.len().min(limit - before.len().min(limit / 2));
                (before.len().min(limit - to_follow), to_follow)
            }
        };
        let has_more_before = cut(&mut before, to_precede);
        let has_more_after = cut(&mut after, to_follow);
        before.reverse();
        before.append(&mut after);
        Ok(History {
            messages: before,
            has_more_before,
            has_more_after,
        })
    }

    async fn sides(
        &self,
        query: &HistoryQuery,
        sides: &Sides,
    ) -> Result<(Vec<Message>, Vec<Message>), Error> {
        let member = &query.viewer.member;
        let side = |from: i64, to: i64, limit: usize| {
            if limit == 0 {
                Ranges::default()
            } else {
                ranges(member, from, to)
            }
        };
        let (to, preceding) = sides.before;
        let (from, following) = sides.after;
        let (before, after) = (side(0, to, preceding), side(from, i64::MAX, following));
        if before.low.is_empty() && after.low.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (text, kind) = match query.kind {
            None => (ANY, None),
            Some(MessageKind::Text) => (TEXT, None),
            Some(kind) => (OTHER, Some(kind.column())),
        };
        let mut page = bind_viewer(statement(text), &query.viewer)
            .bind(before.low)
            .bind(before.high)
            .bind(size(preceding))
            .bind(after.low)
            .bind(after.high)
            .bind(size(following));
        if let Some(kind) = kind {
            page = page.bind(kind);
        }
        let found = self
            .database()
            .list(page, |cells| Ok((cells.flag()?, rows::message(cells)?)))
            .await?;
        let (after, before): (Vec<_>, Vec<_>) = found.into_iter().partition(|(follows, _)| *follows);
        let messages = |side: Vec<(bool, Message)>| side.into_iter().map(|(_, message)| message).collect();
        let (mut before, mut after): (Vec<Message>, Vec<Message>) = (messages(before), messages(after));
        // A union keeps no order by itself.
        before.sort_unstable_by_key(|message| std::cmp::Reverse(message.seq));
        after.sort_unstable_by_key(|message| message.seq);
        Ok((before, after))
    }
}

/// Cuts a list to `limit`; returns whether there was more.
fn cut(messages: &mut Vec<Message>, limit: usize) -> bool {
    let more = messages.len() > limit;
    messages.truncate(limit);
    more
}

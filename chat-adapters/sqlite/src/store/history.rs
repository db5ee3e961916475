//! Pages of one conversation.

use std::ops::DerefMut;

use chat_core::model::{Message, MessageKind};
use chat_core::store::{Anchor, History, HistoryQuery};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::rows::{self, message_columns};
use super::sight::{bind_viewer, ranges, viewer_sees};
use crate::error::Error;
use crate::names::Named;
use crate::statement::{Session, int, size, statement};

/// A page: of every range the visible messages nearest to the anchor, found in the index, and of those the nearest.
/// Without a gap in the membership there is one range.
macro_rules! page {
    ($kind:literal, $order:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            " FROM json_each(?5) r CROSS JOIN chat_messages m WHERE m.row_id IN (SELECT v.row_id FROM chat_messages v \
             WHERE v.conversation_id = ?1 AND v.seq BETWEEN r.value ->> 0 AND r.value ->> 1",
            $kind,
            " AND ",
            viewer_sees!("v"),
            " ORDER BY v.seq ",
            $order,
            " LIMIT ",
            $limit,
            ") ORDER BY m.seq ",
            $order,
            " LIMIT ",
            $limit
        )
    };
}

/// The same question without the messages.
macro_rules! exists {
    ($kind:literal) => {
        concat!(
            "SELECT 1 FROM json_each(?5) r WHERE EXISTS (SELECT 1 FROM chat_messages v \
             WHERE v.conversation_id = ?1 AND v.seq BETWEEN r.value ->> 0 AND r.value ->> 1",
            $kind,
            " AND ",
            viewer_sees!("v"),
            ") LIMIT 1"
        )
    };
}

/// The texts for one sort of filter. The index over kinds has no texts, and says so for SQLite to see that it fits.
pub(super) struct Texts {
    pub(super) down: &'static str,
    pub(super) up: &'static str,
    pub(super) exists: &'static str,
}

pub(super) const ANY: Texts = Texts {
    down: page!("", "DESC", "?6"),
    up: page!("", "ASC", "?6"),
    exists: exists!(""),
};
pub(super) const TEXT: Texts = Texts {
    down: page!(" AND v.kind = 'text'", "DESC", "?6"),
    up: page!(" AND v.kind = 'text'", "ASC", "?6"),
    exists: exists!(" AND v.kind = 'text'"),
};
pub(super) const OTHER: Texts = Texts {
    down: page!(" AND v.kind = ?6 AND v.kind <> 'text'", "DESC", "?7"),
    up: page!(" AND v.kind = ?6 AND v.kind <> 'text'", "ASC", "?7"),
    exists: exists!(" AND v.kind = ?6 AND v.kind <> 'text'"),
};

impl SqliteStore {
    pub(super) async fn history_page(&self, query: &HistoryQuery) -> Result<History, Error> {
        match query.anchor {
            // One statement sees one state by itself.
            Anchor::Newest => page(self.read().await?, query).await,
            _ => page(self.snapshot().await?, query).await,
        }
    }
}

async fn page<C>(session: Session<C>, query: &HistoryQuery) -> Result<History, Error>
where
    C: DerefMut<Target = SqliteConnection>,
{
    let mut page = Page { session, query };
    let limit = query.limit;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (has_more_before, has_more_after);
    match query.anchor {
        Anchor::Newest => {
            before = page.down(i64::MAX, limit).await?;
            has_more_before = cut(&mut before, limit);
            has_more_after = false;
        }
        Anchor::Before(seq) => {
            before = page.down(below(seq), limit).await?;
            has_more_before = cut(&mut before, limit);
            has_more_after = page.any(int(seq), i64::MAX).await?;
        }
        Anchor::After(seq) => {
            after = page.up(int(seq).saturating_add(1), limit).await?;
            has_more_after = cut(&mut after, limit);
            has_more_before = page.any(0, int(seq)).await?;
        }
        Anchor::Around(seq) => {
            before = page.down(below(seq), limit).await?;
            after = page.up(int(seq), limit).await?;
            let to_follow = after.len().min(limit - before.len().min(limit / 2));
            let to_precede = before.len().min(limit - to_follow);
            has_more_before = cut(&mut before, to_precede);
            has_more_after = cut(&mut after, to_follow);
        }
    }
    before.reverse();
    before.append(&mut after);
    Ok(History {
        messages: before,
        has_more_before,
        has_more_after,
    })
}

/// Cuts a list to `limit`; returns whether there was more.
fn cut(messages: &mut Vec<Message>, limit: usize) -> bool {
    let more = messages.len() > limit;
    messages.truncate(limit);
    more
}

fn below(seq: u64) -> i64 {
    int(seq).saturating_sub(1)
}

struct Page<'q, C> {
    session: Session<C>,
    query: &'q HistoryQuery,
}

impl<C: DerefMut<Target = SqliteConnection>> Page<'_, C> {
    /// Up to `limit` and one more, from `to` downwards.
    async fn down(&mut self, to: i64, limit: usize) -> Result<Vec<Message>, Error> {
        self.read(self.texts().down, 0, to, limit).await
    }

    /// Up to `limit` and one more, from `from` upwards.
    async fn up(&mut self, from: i64, limit: usize) -> Result<Vec<Message>, Error> {
        self.read(self.texts().up, from, i64::MAX, limit).await
    }

    fn texts(&self) -> &'static Texts {
        match self.query.kind {
            None => &ANY,
            Some(MessageKind::Text) => &TEXT,
            Some(_) => &OTHER,
        }
    }

    fn kind(&self) -> Option<&'static str> {
        match self.query.kind {
            None | Some(MessageKind::Text) => None,
            Some(kind) => Some(kind.column()),
        }
    }

    async fn read(
        &mut self,
        text: &'static str,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<Vec<Message>, Error> {
        let viewer = &self.query.viewer;
        let ranges = ranges(&viewer.member, from, to);
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = bind_viewer(statement(text), viewer, &ranges)?;
        if let Some(kind) = self.kind() {
            query = query.bind(kind);
        }
        let query = query.bind(size(limit).saturating_add(1));
        self.session.list(query, rows::message).await
    }

    /// Whether there is a visible message between `from` and `to`, both inclusive.
    async fn any(&mut self, from: i64, to: i64) -> Result<bool, Error> {
        let viewer = &self.query.viewer;
        let ranges = ranges(&viewer.member, from, to);
        if ranges.is_empty() {
            return Ok(false);
        }
        let mut query = bind_viewer(statement(self.texts().exists), viewer, &ranges)?;
        if let Some(kind) = self.kind() {
            query = query.bind(kind);
        }
        Ok(self.session.one(query).await?.is_some())
    }
}

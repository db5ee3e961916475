//! Pages of one conversation.

use chat_core::access::{Visibility, visible};
use chat_core::model::{Message, Seq};
use chat_core::store::{Anchor, History, HistoryQuery};
use mongodb::bson::{Document, doc};

use super::MongoStore;
use super::eyes::{Eyes, Looker, ranges, within};
use crate::codec::message;
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::names::Named;
use crate::row::Row;

/// Seqs that are looked at first beyond twice those that are wanted: some may be out of sight.
const NEAR: usize = 10;

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl MongoStore {
    pub(super) async fn page(&self, query: &HistoryQuery) -> Result<History, Error> {
        let page = Page {
            store: self,
            query,
            known: self.settled().await?,
        };
        let limit = query.limit;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let (has_more_before, has_more_after);
        match query.anchor {
            Anchor::Newest => {
                before = page.down(Seq::MAX, limit).await?;
                has_more_before = cut(&mut before, limit);
                has_more_after = false;
            }
            Anchor::Before(seq) => {
                before = page.down_before(seq, limit).await?;
                has_more_before = cut(&mut before, limit);
                has_more_after = page.any_from(seq).await?;
            }
            Anchor::After(seq) => {
                after = page.up(seq.saturating_add(1), limit).await?;
                has_more_after = cut(&mut after, limit);
                has_more_before = page.any_until(seq).await?;
            }
            Anchor::Around(seq) => {
                before = page.down_before(seq, limit).await?;
                after = page.up(seq, limit).await?;
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
}

/// Cuts a list to `limit`; returns whether there was more.
fn cut(messages: &mut Vec<Message>, limit: usize) -> bool {
    let more = messages.len() > limit;
    messages.truncate(limit);
    more
}

struct Page<'q> {
    store: &'q MongoStore,
    query: &'q HistoryQuery,
    /// The newest commit that is settled: messages of later ones are left out, so that no gap is seen.
    known: i64,
}

impl Page<'_> {
    /// Up to `limit` and one more, from `to` downwards.
    async fn down(&self, to: Seq, limit: usize) -> Result<Vec<Message>, Error> {
        self.read(0, to, limit.saturating_add(1), Way::Down).await
    }

    async fn down_before(&self, seq: Seq, limit: usize) -> Result<Vec<Message>, Error> {
        match seq.checked_sub(1) {
            Some(to) => self.down(to, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// Up to `limit` and one more, from `from` upwards.
    async fn up(&self, from: Seq, limit: usize) -> Result<Vec<Message>, Error> {
        self.read(from, Seq::MAX, limit.saturating_add(1), Way::Up).await
    }

    /// Whether there is a visible message at this seq or after it.
    async fn any_from(&self, seq: Seq) -> Result<bool, Error> {
        Ok(!self.read(seq, Seq::MAX, 1, Way::Up).await?.is_empty())
    }

    /// Whether there is a visible message at this seq or before it.
    async fn any_until(&self, seq: Seq) -> Result<bool, Error> {
        Ok(!self.read(0, seq, 1, Way::Down).await?.is_empty())
    }

    /// How far to look first. Seqs are dense, so what is wanted mostly lies within a few seqs of where the reading
    /// begins; the newest ones begin near what he has read. A server that sorts everything it finds before it cuts off
    /// then reads a page and not a conversation. `None` where the messages of a kind may lie far apart.
    fn near(&self, from: Seq, to: Seq, wanted: usize, way: Way) -> Option<Seq> {
        let member = &self.query.viewer.member;
        let width = u64::try_from(wanted.saturating_mul(2).saturating_add(NEAR)).unwrap_or(u64::MAX);
        let edge = match way {
            Way::Up => from.max(member.visible_from).saturating_add(width),
            Way::Down => {
                let known = member.read_seq.max(member.delivered_seq);
                let begin = if to == Seq::MAX { known } else { to };
                begin.saturating_sub(width)
            }
        };
        self.query.kind.is_none().then_some(edge)
    }

    /// Visible messages between two seqs. What is out of sight for reasons that no index knows is passed over.
    async fn read(&self, mut from: Seq, mut to: Seq, wanted: usize, way: Way) -> Result<Vec<Message>, Error> {
        let mut near = self.near(from, to, wanted, way);
        let mut found: Vec<Message> = Vec::new();
        loop {
            let (low, high) = match (near, way) {
                (Some(edge), Way::Up) => (from, edge.min(to)),
                (Some(edge), Way::Down) => (edge.max(from), to),
                (None, _) => (from, to),
            };
            let (mut some, last) = self.some(low, high, wanted, way).await?;
            found.append(&mut some);
            if found.len() >= wanted {
                found.truncate(wanted);
                return Ok(found);
            }
            // Where to go on: after the last one, or beyond what was near.
            match (way, last) {
                (Way::Up, Some(last)) => from = last.saturating_add(1),
                (Way::Down, Some(last)) => to = last.saturating_sub(1),
                (_, None) => {
                    if near.take().is_none() || (low, high) == (from, to) {
                        return Ok(found);
                    }
                    match way {
                        Way::Up => from = high.saturating_add(1),
                        Way::Down => to = low.saturating_sub(1),
                    }
                }
            }
            if from > to {
                return Ok(found);
            }
        }
    }

    /// Those of the next `wanted` messages between two seqs that are visible, and the seq of the last of them all when
    /// there may be more.
    async fn some(
        &self,
        from: Seq,
        to: Seq,
        wanted: usize,
        way: Way,
    ) -> Result<(Vec<Message>, Option<Seq>), Error> {
        let viewer = &self.query.viewer;
        let Some(mut filter) = within(&viewer.member, &ranges(&viewer.member, from, to)) else {
            return Ok((Vec::new(), None));
        };
        if let Some(kind) = self.query.kind {
            filter.insert("kind", kind.column());
        }
        let order = match way {
            Way::Up => 1,
            Way::Down => -1,
        };
        let find = Find::all(filter).sorted(doc! { "seq": order }).limited(wanted);
        let database = self.store.database();
        let read = |row: &Document| Ok((Row(row).int("born")?, message::from_document(row)?));
        let some = database.list(Collection::Messages, find, read).await?;
        let last = some.last().map(|(_, message)| message.seq);
        let last = last.filter(|_| some.len() >= wanted);
        let some: Vec<Message> = some
            .into_iter()
            .filter_map(|(born, message)| (born <= self.known).then_some(message))
            .collect();
        let eyes = Eyes::on(database, &Looker::from(viewer), &some).await?;
        let seen = some
            .into_iter()
            .filter(|m| visible(&eyes.sight(&viewer.member, viewer.group, m), m) != Visibility::Gone);
        Ok((seen.collect(), last))
    }
}

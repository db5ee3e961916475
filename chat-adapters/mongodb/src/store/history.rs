//! Pages of one conversation.

use chat_core::access::{Visibility, visible};
use chat_core::model::{Message, Seq};
use chat_core::store::{Anchor, History, HistoryQuery};
use mongodb::bson::doc;

use super::MongoStore;
use super::eyes::{Eyes, Looker, ranges, unexpired, within};
use crate::codec::message;
use crate::collection::Collection;
use crate::database::Find;
use crate::error::Error;
use crate::names::Named;

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
                has_more_after = page.any(seq, Seq::MAX).await?;
            }
            Anchor::After(seq) => {
                after = page.up(seq.saturating_add(1), limit).await?;
                has_more_after = cut(&mut after, limit);
                has_more_before = page.any(0, seq).await?;
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

    /// Whether there is a visible message between `from` and `to`, both inclusive.
    async fn any(&self, from: Seq, to: Seq) -> Result<bool, Error> {
        Ok(!self.read(from, to, 1, Way::Down).await?.is_empty())
    }

    /// Visible messages between two seqs. What is out of sight for reasons that no index knows is passed over.
    async fn read(&self, mut from: Seq, mut to: Seq, wanted: usize, way: Way) -> Result<Vec<Message>, Error> {
        let viewer = &self.query.viewer;
        let looker = Looker::from(viewer);
        let mut found: Vec<Message> = Vec::new();
        loop {
            let Some(mut filter) = within(&viewer.member, &ranges(&viewer.member, from, to)) else {
                return Ok(found);
            };
            filter.insert("born", doc! { "$lte": self.known });
            filter.insert("expires_at", unexpired(viewer.now));
            if let Some(kind) = self.query.kind {
                filter.insert("kind", kind.column());
            }
            let order = match way {
                Way::Up => 1,
                Way::Down => -1,
            };
            let find = Find::all(filter).sorted(doc! { "seq": order }).limited(wanted);
            let database = self.store.database();
            let some = database
                .list(Collection::Messages, find, message::from_document)
                .await?;
            let is_last = some.len() < wanted;
            match (way, some.last()) {
                (Way::Up, Some(last)) => from = last.seq.saturating_add(1),
                (Way::Down, Some(last)) => to = last.seq.saturating_sub(1),
                (_, None) => {}
            }
            let eyes = Eyes::on(database, &looker, &some).await?;
            found
                .extend(some.into_iter().filter(|m| {
                    visible(&eyes.sight(&viewer.member, viewer.group, m), m) != Visibility::Gone
                }));
            if is_last || found.len() >= wanted {
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }
}

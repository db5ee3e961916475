//! What reading costs with few and with many stored messages.
//!
//! A program of an adapter opens an empty store and lets [`Growth`] fill and measure it; costs that grow with what is
//! stored show as ratios above one.

use std::fmt;
use std::time::{Duration, Instant};

use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::NewUser;
use chat_core::store::{
    Anchor, Change, HistoryQuery, InboxList, InboxQuery, MembersNeeded, Needs, Target, Viewer, Writes,
};
use chat_core::time::{Clock, SystemClock};

use crate::fixtures::{AnyStore, append, direct_conversation, group_conversation, member, text, user};

/// Conversations of the user whose reading is measured.
const MINE: usize = 200;
/// Messages in each conversation of others.
const EACH: usize = 200;
/// Messages he has not read, in each of his conversations, however many there are.
const UNREAD: u64 = 20;
/// Changes that are committed at a time.
const BATCH: usize = 512;
const PEERS: usize = 2_000;

/// A store that is filled step by step. A fifth of what is stored is one user's, in 200 conversations; the rest is in
/// conversations of others.
#[derive(Debug)]
pub struct Growth {
    store: AnyStore,
    me: UserId,
    rooms: Vec<ConversationId>,
    changes: Vec<Change>,
    stored: usize,
    /// Calls of each sort that are measured.
    calls: usize,
    measured: Vec<(usize, Vec<(&'static str, Duration)>)>,
}

impl Growth {
    /// Users and conversations in an empty store, and no messages yet.
    pub async fn new(store: AnyStore, calls: usize) -> Self {
        let me = user("me");
        let now = SystemClock.now();
        store.ensure_user(NewUser::new(me.clone()), now).await.unwrap();
        for number in 0..PEERS {
            store.ensure_user(NewUser::new(peer(number)), now).await.unwrap();
        }
        let mut growth = Self {
            store,
            me: me.clone(),
            rooms: Vec::with_capacity(MINE),
            changes: Vec::new(),
            stored: 0,
            calls,
            measured: Vec::new(),
        };
        for number in 0..MINE {
            let users = if number % 2 == 0 {
                vec![me.clone(), peer(number)]
            } else {
                vec![me.clone(), peer(number), peer(number + 1), peer(number + 2)]
            };
            let room = growth.conversation(&users).await;
            growth.rooms.push(room);
        }
        growth.flush().await;
        growth
    }

    /// Stores messages until there are so many.
    pub async fn grow(&mut self, total: usize) {
        let others = if self.stored == 0 {
            0
        } else {
            (total - self.stored) / 5 * 4 / EACH
        };
        for other in 0..others {
            let users = [peer(other % (PEERS / 2)), peer(PEERS / 2 + other % 997)];
            let room = self.conversation(&users).await;
            for number in 0..EACH {
                self.say(room, &users[number % 2], number).await;
            }
        }
        let mut number = 0;
        while self.stored < total {
            let place = number % MINE;
            self.say(self.rooms[place], &peer(place), number).await;
            number += 1;
        }
        for room in self.rooms.clone() {
            self.read(room).await;
        }
        self.flush().await;
    }

    /// Measures every sort of reading with what is stored now.
    pub async fn measure(&mut self) {
        let mut medians = Vec::new();
        for (what, anchor) in [
            ("history, newest page", newest as fn(u64) -> Anchor),
            ("history, a page in the middle", middle),
        ] {
            medians.push((
                what,
                self.median(async |call| self.page(call, anchor).await).await,
            ));
        }
        let list = self.median(async |_| self.list().await).await;
        let unread = self.median(async |call| self.unread(call).await).await;
        let badge = self.median(async |_| self.badge().await).await;
        medians.push(("chat list, first page", list));
        medians.push(("unread of one conversation", unread));
        medians.push(("unread of all (badge)", badge));
        self.measured.push((self.stored, medians));
    }

    async fn page(&self, call: usize, anchor: fn(u64) -> Anchor) {
        let room = self.rooms[call % MINE];
        let row = self.store.conversations(&[room]).await.unwrap().remove(0);
        let query = HistoryQuery {
            viewer: Viewer {
                member: self.store.member(room, &self.me).await.unwrap().unwrap(),
                now: SystemClock.now(),
                blocked_in_group: BlockedInGroup::default(),
                group: row.pair.is_none(),
            },
            anchor: anchor(row.last_seq),
            limit: 20,
            kind: None,
        };
        let found = self.store.history(&query).await.unwrap();
        assert_eq!(found.messages.len(), 20, "a page of history");
    }

    async fn list(&self) {
        let list = InboxList {
            limit: 50,
            ..InboxList::default()
        };
        let found = self
            .store
            .inbox(&self.inbox(Some(list), Vec::new()))
            .await
            .unwrap();
        assert!(
            found.len() == 50 && found.iter().all(|entry| entry.unread_count == UNREAD),
            "a page of the list"
        );
    }

    async fn unread(&self, call: usize) {
        let query = self.inbox(None, vec![self.rooms[call % MINE]]);
        let found = self.store.inbox(&query).await.unwrap();
        assert_eq!(found[0].unread_count, UNREAD, "unread of one conversation");
    }

    async fn badge(&self) {
        let policy = BlockedInGroup::default();
        let found = self
            .store
            .badge(&self.me, SystemClock.now(), policy)
            .await
            .unwrap();
        assert_eq!(found.unread_messages, UNREAD * MINE as u64, "unread of all");
    }

    fn inbox(&self, list: Option<InboxList>, ids: Vec<ConversationId>) -> InboxQuery {
        InboxQuery {
            user: self.me.clone(),
            now: SystemClock.now(),
            blocked_in_group: BlockedInGroup::default(),
            list,
            ids,
        }
    }

    /// Median of the times of a call, after some calls that are not measured.
    async fn median(&self, call: impl AsyncFn(usize)) -> Duration {
        for warm in 0..20 {
            call(warm).await;
        }
        let mut times = Vec::with_capacity(self.calls);
        for number in 0..self.calls {
            let began = Instant::now();
            call(number).await;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        times[self.calls / 2]
    }

    async fn add(&mut self, change: Change) {
        self.changes.push(change);
        if self.changes.len() == BATCH {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        for answer in self.store.commit(&self.changes).await.unwrap() {
            answer.unwrap();
        }
        self.changes.clear();
    }

    /// A conversation of these users: a direct of two, a group of more.
    async fn conversation(&mut self, users: &[UserId]) -> ConversationId {
        let conversation = match users {
            [one, other] => direct_conversation(one, other),
            _ => group_conversation(&users[0]),
        };
        let id = conversation.id;
        let rows: Vec<_> = users.iter().map(|user| member(id, user)).collect();
        self.add(Change::new(Needs::new(Target::Conversation(id)), move |_| {
            Ok(Writes {
                conversation: Some(conversation.clone()),
                members: rows.clone(),
                ..Writes::default()
            })
        }))
        .await;
        id
    }

    async fn say(&mut self, room: ConversationId, sender: &UserId, number: usize) {
        let words = format!(
            "message number {number} about {} and {}",
            number % 977,
            number % 31
        );
        self.add(append(room, text(sender, &words))).await;
        self.stored += 1;
    }

    /// The user has read all but the newest messages.
    async fn read(&mut self, room: ConversationId) {
        let mut needs = Needs::new(Target::Conversation(room));
        needs.members = MembersNeeded::Of(vec![self.me.clone()]);
        let me = self.me.clone();
        self.add(Change::new(needs, move |facts| {
            let last_seq = facts.conversation.as_ref().map_or(0, |row| row.last_seq);
            let mut row = facts.members[&me].clone();
            row.read_seq = last_seq.saturating_sub(UNREAD);
            row.unread_floor = row.read_seq;
            Ok(Writes {
                members: vec![row],
                ..Writes::default()
            })
        }))
        .await;
    }
}

/// What was measured, with the ratio of the last to the first.
impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32}", "median of one call, ms")?;
        for (stored, _) in &self.measured {
            write!(f, " {stored:>12}")?;
        }
        writeln!(f, "  ratio")?;
        let (Some((_, first)), Some((_, last))) = (self.measured.first(), self.measured.last()) else {
            return Ok(());
        };
        for (row, (what, small)) in first.iter().enumerate() {
            write!(f, "{what:<32}")?;
            for (_, medians) in &self.measured {
                write!(f, " {:>12.2}", medians[row].1.as_secs_f64() * 1e3)?;
            }
            writeln!(f, "  {:.2}", last[row].1.as_secs_f64() / small.as_secs_f64())?;
        }
        Ok(())
    }
}

fn newest(_: u64) -> Anchor {
    Anchor::Newest
}

fn middle(last: u64) -> Anchor {
    Anchor::Before(last / 2 + 10)
}

fn peer(number: usize) -> UserId {
    user(&format!("user-{number:05}"))
}

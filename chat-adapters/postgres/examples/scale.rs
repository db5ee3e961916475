//! What reading costs with 10,000 and with 1,000,000 stored messages.
//!
//! `DATABASE_URL=postgres://… cargo run --release -p chat-postgres --example scale [-- messages]`
//!
//! Makes the schema `chat_scale` anew, fills and measures it twice, and leaves it there: `CHAT_PLANS_SCHEMA=chat_scale`
//! makes the ignored test `plans_of_a_filled_schema` print the plans of the hot statements on it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for developers: what goes wrong ends it, and its output is what it is for"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_conformance::fixtures::{append, direct_conversation, group_conversation, member, text, user};
use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::NewUser;
use chat_core::store::{
    Anchor, Change, ConversationStore, HistoryQuery, InboxList, InboxQuery, MembersNeeded, MessageStore,
    Needs, Target, UserStore, Viewer, Writes,
};
use chat_core::time::{Clock, SystemClock};
use chat_postgres::{PostgresConfig, PostgresStore, SchemaName};
use sqlx::{AssertSqlSafe, ConnectOptions};

/// Conversations of the user whose reading is measured.
const MINE: usize = 200;
/// Messages in each conversation of others.
const EACH: usize = 200;
/// Messages he has not read, in each of his conversations, however many there are.
const UNREAD: u64 = 20;
/// Calls of each sort that are measured.
const CALLS: usize = 300;
const SMALL: usize = 10_000;

struct Filling {
    store: PostgresStore,
    changes: Vec<Change>,
}

impl Filling {
    async fn add(&mut self, change: Change) {
        self.changes.push(change);
        if self.changes.len() == 512 {
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
    }

    /// The user has read all but the newest messages.
    async fn read(&mut self, room: ConversationId, me: &UserId) {
        let mut needs = Needs::new(Target::Conversation(room));
        needs.members = MembersNeeded::Of(vec![me.clone()]);
        let me = me.clone();
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

fn peer(number: usize) -> UserId {
    user(&format!("user-{number:05}"))
}

/// Median of the times of a call.
async fn median<F: Future<Output = ()>>(call: impl Fn(usize) -> F) -> Duration {
    for warm in 0..20 {
        call(warm).await;
    }
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..CALLS {
        let began = Instant::now();
        call(number).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[CALLS / 2]
}

async fn measure(
    store: &PostgresStore,
    me: &UserId,
    rooms: &[ConversationId],
) -> Vec<(&'static str, Duration)> {
    let now = SystemClock.now();
    let inbox = |list: bool, ids: Vec<ConversationId>| InboxQuery {
        user: me.clone(),
        now,
        blocked_in_group: BlockedInGroup::default(),
        list: list.then(|| InboxList {
            limit: 50,
            ..InboxList::default()
        }),
        ids,
    };
    let page = async |number: usize, anchor: fn(u64) -> Anchor| {
        let room = rooms[number % rooms.len()];
        let row = store.conversations(&[room]).await.unwrap().remove(0);
        let query = HistoryQuery {
            viewer: Viewer {
                member: store.member(room, me).await.unwrap().unwrap(),
                now,
                blocked_in_group: BlockedInGroup::default(),
                group: row.pair.is_none(),
            },
            anchor: anchor(row.last_seq),
            limit: 20,
            kind: None,
        };
        assert_eq!(store.history(&query).await.unwrap().messages.len(), 20);
    };
    vec![
        (
            "history, newest page",
            median(|number| page(number, |_| Anchor::Newest)).await,
        ),
        (
            "history, a page in the middle",
            median(|number| page(number, |last| Anchor::Before(last / 2 + 10))).await,
        ),
        (
            "chat list, first page",
            median(async |_| {
                let list = store.inbox(&inbox(true, Vec::new())).await.unwrap();
                assert!(list.len() == 50 && list.iter().all(|entry| entry.unread_count == UNREAD));
            })
            .await,
        ),
        (
            "unread of one conversation",
            median(async |number: usize| {
                let entry = store
                    .inbox(&inbox(false, vec![rooms[number % rooms.len()]]))
                    .await
                    .unwrap();
                assert_eq!(entry[0].unread_count, UNREAD);
            })
            .await,
        ),
        (
            "unread of all (badge)",
            median(async |_| {
                let badge = store.badge(me, now, BlockedInGroup::default()).await.unwrap();
                assert_eq!(badge.unread_messages, UNREAD * MINE as u64);
            })
            .await,
        ),
    ]
}

#[tokio::main]
async fn main() {
    let large: usize = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let url = std::env::var("DATABASE_URL").unwrap();
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut raw = options.disable_statement_logging().connect().await.unwrap();
    let schema = SchemaName::new("chat_scale").unwrap();
    let anew = AssertSqlSafe(format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"));
    sqlx::raw_sql(anew).execute(&mut raw).await.unwrap();
    let config = PostgresConfig::default()
        .with_schema(schema.clone())
        .with_migrate(true);
    let store = PostgresStore::connect(&url, config, Arc::new(SystemClock))
        .await
        .unwrap();
    let me = user("me");
    store
        .ensure_user(NewUser::new(me.clone()), SystemClock.now())
        .await
        .unwrap();
    for number in 0..2_000 {
        store
            .ensure_user(NewUser::new(peer(number)), SystemClock.now())
            .await
            .unwrap();
    }
    let mut filling = Filling {
        store: store.clone(),
        changes: Vec::new(),
    };
    let mut rooms = Vec::with_capacity(MINE);
    for number in 0..MINE {
        let users = if number % 2 == 0 {
            vec![me.clone(), peer(number)]
        } else {
            vec![me.clone(), peer(number), peer(number + 1), peer(number + 2)]
        };
        rooms.push(filling.conversation(&users).await);
    }
    let vacuum = format!(
        "VACUUM ANALYZE \"{schema}\".chat_messages; VACUUM ANALYZE \"{schema}\".chat_conversations; \
         VACUUM ANALYZE \"{schema}\".chat_members; VACUUM ANALYZE \"{schema}\".chat_users"
    );
    let (mut stored, mut measured) = (0, Vec::new());
    for total in [SMALL, large] {
        // A fifth of what is new is his, the rest is others'.
        let others = if total == SMALL {
            0
        } else {
            (total - stored) / 5 * 4 / EACH
        };
        let began = Instant::now();
        for other in 0..others {
            let users = [peer(other % 1_000), peer(1_000 + other % 997)];
            let room = filling.conversation(&users).await;
            for number in 0..EACH {
                filling.say(room, &users[number % 2], number).await;
            }
            stored += EACH;
        }
        let mut number = 0;
        while stored < total {
            let place = number % MINE;
            filling.say(rooms[place], &peer(place), number).await;
            (number, stored) = (number + 1, stored + 1);
        }
        for room in &rooms {
            filling.read(*room, &me).await;
        }
        filling.flush().await;
        for part in vacuum.split(';') {
            let text = AssertSqlSafe(part.to_owned());
            sqlx::raw_sql(text).execute(&mut raw).await.unwrap();
        }
        println!(
            "{stored} messages stored after {} s more",
            began.elapsed().as_secs()
        );
        measured.push(measure(&store, &me, &rooms).await);
    }
    println!(
        "\n{:<32} {SMALL:>12} {large:>12}  ratio",
        "median of one call, ms"
    );
    for ((what, small), (_, large)) in measured[0].iter().zip(&measured[1]) {
        let millis = |time: &Duration| time.as_secs_f64() * 1e3;
        let (small, large) = (millis(small), millis(large));
        println!("{what:<32} {small:>12.2} {large:>12.2}  {:.2}", large / small);
    }
    store.close().await;
}

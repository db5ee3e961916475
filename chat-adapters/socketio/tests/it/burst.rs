//! Twenty thousand messages to one socket: everything arrives, or the client is told and catches up. Nothing grows.

use std::collections::BTreeSet;

use chat_core::command::{HistoryOrder, HistoryRequest, OpenDirect, SendMessage};
use chat_core::config::Rate;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::NewUser;
use chat_socketio::SocketIoConfig;
use serde_json::{Value, json};

use crate::client::{Client, Got};
use crate::server::{Server, generous};

const MESSAGES: u64 = 20_000;

struct Burst {
    server: Server,
    direct: ConversationId,
}

impl Burst {
    /// Ada and Bob, with nothing said yet.
    async fn new() -> Self {
        let mut chat = generous();
        chat.limits.sends_per_conversation = Rate::new(100_000, 6_000_000);
        let server = Server::with(chat, SocketIoConfig::default()).await;
        for name in ["ada", "bob"] {
            let user = NewUser::new(id(name));
            let now = server.engine.now();
            server.engine.store().ensure_user(user, now).await.unwrap();
        }
        let open = OpenDirect { user_id: id("bob") };
        let opened = server.engine.as_user(&id("ada")).open_direct(open).await.unwrap();
        Self {
            direct: opened.conversation.id,
            server,
        }
    }

    /// Ada says it all, as fast as the store takes it. What waits for Bob's sessions stays within their bounds.
    async fn send(&self) {
        let limits = &self.server.engine.config().limits;
        let ada = self.server.engine.as_user(&id("ada"));
        for first in (0..MESSAGES).step_by(100) {
            let sends = (first..first + 100)
                .map(|n| ada.send(SendMessage::text(self.direct, format!("{n} {}", "x".repeat(200)))));
            for sent in futures::future::join_all(sends).await {
                sent.unwrap();
            }
            let stats = self.server.engine.stats();
            // One session at a time, and one that is just being replaced.
            assert!(
                stats.waiting_events <= 2 * limits.outbound_events as u64,
                "{stats:?}"
            );
            assert!(
                stats.waiting_bytes <= 2 * limits.outbound_bytes as u64,
                "{stats:?}"
            );
        }
    }

    /// What Bob has after a reconnect: pages of sync to the end, and history where sync says that it is limited.
    async fn catch_up(&self, client: &mut Client, token: &mut Option<String>, have: &mut BTreeSet<u64>) {
        loop {
            let request = token
                .as_ref()
                .map_or(json!({}), |token| json!({ "token": token }));
            let answer = client.ask(&json!(["sync", request])).await;
            let page = &answer["data"];
            for entry in page["conversations"].as_array().unwrap() {
                for message in entry["messages"].as_array().unwrap() {
                    have.insert(message["seq"].as_u64().unwrap());
                }
                if entry["limited"] == true {
                    self.read_history(have).await;
                }
            }
            *token = Some(page["token"].as_str().unwrap().to_owned());
            if page["has_more"] == false {
                return;
            }
        }
    }

    async fn read_history(&self, have: &mut BTreeSet<u64>) {
        let bob = self.server.engine.as_user(&id("bob"));
        let mut after = (1..).find(|seq| !have.contains(seq)).unwrap() - 1;
        loop {
            let request = HistoryRequest {
                after: Some(after),
                limit: Some(100),
                order: HistoryOrder::Ascending,
                ..HistoryRequest::default()
            };
            let page = bob.history(self.direct, request).await.unwrap();
            have.extend(page.items.iter().map(|message| message.seq));
            if !page.has_more_after {
                return;
            }
            after = page.range.to;
        }
    }
}

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// How a session's live events ended.
enum Ended {
    Told,
    HasAll,
}

/// Takes live events in order and without gap, until all are there or the client is told that it lags.
async fn follow(client: &mut Client, have: &mut BTreeSet<u64>) -> Ended {
    let mut last: Option<u64> = None;
    loop {
        if have.len() as u64 == MESSAGES {
            return Ended::HasAll;
        }
        match client.got_event().await {
            Got::Event(name, payload) if name == "message_created" => {
                let seq = payload["seq"].as_u64().unwrap();
                assert!(last.is_none_or(|last| seq == last + 1), "{seq} after {last:?}");
                last = Some(seq);
                have.insert(seq);
            }
            Got::Event(name, payload) if name == "session_ending" => {
                assert_eq!(payload, json!({ "reason": "lagged" }));
                return Ended::Told;
            }
            Got::Event(..) => {}
            other => panic!("an end without a word: {other:?}"),
        }
    }
}

fn all() -> BTreeSet<u64> {
    (1..=MESSAGES).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_reaches_a_client_that_reads_whole_or_it_is_told_and_catches_up() {
    let burst = Burst::new().await;
    let mut have = BTreeSet::new();
    let reading = async {
        let mut token = None;
        loop {
            let mut client = Client::connect(&burst.server, "bob").await;
            burst.catch_up(&mut client, &mut token, &mut have).await;
            match follow(&mut client, &mut have).await {
                Ended::HasAll => return,
                Ended::Told => assert!(matches!(client.got_event().await, Got::Closed)),
            }
        }
    };
    tokio::join!(burst.send(), reading);
    assert_eq!(have, all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_to_a_client_that_does_not_read_costs_its_bounds_and_it_catches_up_later() {
    let burst = Burst::new().await;
    let (mut have, mut token) = (BTreeSet::new(), None);
    let mut client = Client::connect(&burst.server, "bob").await;
    burst.catch_up(&mut client, &mut token, &mut have).await;
    burst.send().await;
    assert!(matches!(follow(&mut client, &mut have).await, Ended::Told));
    assert!((have.len() as u64) < MESSAGES, "more than the queue holds");
    assert_eq!(have, (1..=have.len() as u64).collect(), "what arrived has no gap");
    assert!(matches!(client.got_event().await, Got::Closed));
    let mut client = Client::connect(&burst.server, "bob").await;
    burst.catch_up(&mut client, &mut token, &mut have).await;
    assert_eq!(have, all());
    assert_eq!(unread(&mut client).await, MESSAGES);
}

async fn unread(client: &mut Client) -> u64 {
    let answer: Value = client.ask(&json!(["sync", {}])).await;
    answer["data"]["badge"]["unread_messages"].as_u64().unwrap()
}

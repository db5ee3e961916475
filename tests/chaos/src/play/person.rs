//! One recorder client: a device of a user, with a live connection while it can have one, and a replica.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::{Connection, Frame, Sent, write_end};
use super::recorder::{Recorder, Source};
use super::replica::{Next, Replica};
use super::rest::{Outcome, Rest, outcome};
use super::set;
use crate::history::{Kind, Seen};

/// A message somebody wants to send, until he knows what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) key: String,
    pub(crate) conversation: String,
    pub(crate) payload: Value,
}

/// What everybody shares.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) recorder: Recorder,
    pub(crate) rest: Rest,
    pub(crate) port: u16,
    pub(crate) users: Vec<String>,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) shared: Shared,
    pub(crate) source: Source,
    pub(crate) user: String,
    number: u16,
    token: String,
    pub(crate) rng: fastrand::Rng,
    connection: Option<Connection>,
    pub(crate) replica: Replica,
    /// What it had some time ago.
    pub(crate) old: Option<Replica>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) written: u64,
    /// Something happened that only a sync tells.
    behind: bool,
}

impl Person {
    pub(crate) fn new(
        shared: Shared,
        number: u16,
        user: String,
        device: String,
        token: String,
        seed: u64,
    ) -> Self {
        Self {
            source: Source {
                process: format!("c{number}"),
                user: Some(user.clone()),
                device: Some(device),
                connection: None,
            },
            shared,
            user,
            number,
            token,
            rng: fastrand::Rng::with_seed(seed),
            connection: None,
            replica: Replica::default(),
            old: None,
            letters: Vec::new(),
            written: 0,
            behind: false,
        }
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Which connection it has.
    pub(crate) fn connection_number(&self) -> Option<u64> {
        self.connection.as_ref()?.source().connection
    }

    /// Gets a connection and catches up; whether it has both now.
    pub(crate) async fn connect(&mut self) -> bool {
        if self.connection.is_some() {
            return true;
        }
        let Shared { recorder, port, .. } = &self.shared;
        self.connection = Connection::open(recorder, &self.source, self.number, *port, &self.token).await;
        if self.connection.is_none() {
            return false;
        }
        if !self.synchronise().await {
            self.disconnect();
            return false;
        }
        true
    }

    /// Lets go of the connection, without a word.
    pub(crate) fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Catches up from the place of the replica; whether it came to the end.
    pub(crate) async fn synchronise(&mut self) -> bool {
        // Far more pages than there can be.
        for _ in 0..200 {
            let request =
                (self.replica.token.as_ref()).map_or_else(|| json!({}), |token| json!({ "token": token }));
            let first = self.replica.token.is_none();
            match self.ws("sync", "sync", &request, json!({ "first": first })).await {
                Outcome::Ok(answer) => {
                    for conversation in self.replica.synced(&answer) {
                        match self.whole_history(&conversation).await {
                            Some(messages) => self.replica.read(&conversation, messages),
                            // Half of it would be taken for the whole, and a first sync tells nothing of what is gone.
                            None => {
                                self.replica = Replica::default();
                                return false;
                            }
                        }
                    }
                    if answer.get("has_more") != Some(&Value::Bool(true)) {
                        return true;
                    }
                }
                Outcome::Fail(code) if code == "reset_required" || code == "invalid_cursor" => {
                    self.replica = Replica::default();
                }
                Outcome::Fail(_) | Outcome::Info => return false,
            }
        }
        false
    }

    /// Every message of a conversation, read page by page; `None` when a page could not be read. One that is gone
    /// meanwhile has none.
    async fn whole_history(&mut self, conversation: &str) -> Option<Vec<Seen>> {
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let path = format!("/conversations/{conversation}/messages?after={after}&limit=100&order=asc");
            let a = json!({ "c": conversation, "after": after });
            let page = match self.rest("history", &Method::GET, &path, None, a).await {
                Outcome::Ok(page) => page,
                Outcome::Fail(code) if code.ends_with("not_found") || code == "conversation_gone" => {
                    return Some(all);
                }
                Outcome::Fail(_) | Outcome::Info => return None,
            };
            let items = page.get("items").and_then(Value::as_array);
            all.extend(items.into_iter().flatten().filter_map(Seen::of));
            if page.get("has_more_after") != Some(&Value::Bool(true)) {
                return Some(all);
            }
            after = page.pointer("/range/to")?.as_u64()?;
        }
    }

    /// A command over the live connection; nothing is sent where there is none.
    pub(crate) async fn ws(&mut self, op: &str, command: &str, data: &Value, a: Value) -> Outcome {
        let Some(connection) = &mut self.connection else {
            return Outcome::Info;
        };
        let sent = connection.begin(command, data, op, a).await;
        connection.finish(sent).await
    }

    /// Commands over the live connection without waiting in between.
    pub(crate) async fn ws_at_once(&mut self, commands: Vec<(&str, &str, Value, Value)>) -> Vec<Outcome> {
        let Some(connection) = &mut self.connection else {
            return Vec::new();
        };
        let mut sent: Vec<Sent> = Vec::new();
        for (op, command, data, a) in commands {
            sent.push(connection.begin(command, &data, op, a).await);
        }
        let mut outcomes = Vec::new();
        for sent in sent {
            outcomes.push(connection.finish(sent).await);
        }
        outcomes
    }

    /// Sends a command and cuts the connection at once: nobody will know what became of it.
    pub(crate) async fn ws_and_cut(&mut self, op: &str, command: &str, data: &Value, a: Value) {
        if let Some(connection) = &mut self.connection {
            drop(connection.begin(command, data, op, a).await);
        }
        self.disconnect();
    }

    /// A command over HTTP; `path` is behind the prefix of the API.
    pub(crate) async fn rest(
        &mut self,
        op: &str,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        a: Value,
    ) -> Outcome {
        let recorder = &self.shared.recorder;
        let id = format!("{}-{}", self.source.process, recorder.number());
        recorder.write(&self.source, Kind::Invoke, op, Some(&id), a, Value::Null);
        let path = format!("/api{path}");
        let answer = self.shared.rest.ask(&self.token, method, &path, body).await;
        let outcome = outcome(answer.as_ref());
        let raw = answer.as_ref().map_or("", |answer| &answer.raw);
        write_end(recorder, &self.source, op, Some(&id), &outcome, raw);
        outcome
    }

    /// Takes what has come in; catches up where events do not tell all.
    pub(crate) async fn take_events(&mut self) {
        let mut behind = std::mem::take(&mut self.behind);
        while let Some(frame) = self.connection.as_mut().and_then(Connection::try_next) {
            behind |= self.take_frame(frame) == Next::Sync;
        }
        if behind && self.is_connected() && !self.synchronise().await {
            self.disconnect();
        }
    }

    /// Takes events until then.
    pub(crate) async fn listen_until(&mut self, deadline: Instant) {
        while let Some(connection) = &mut self.connection {
            let Ok(frame) = timeout_at(deadline, connection.next()).await else {
                return;
            };
            if self.take_frame(frame) == Next::Sync && !self.synchronise().await {
                self.disconnect();
            }
        }
        sleep(deadline.saturating_duration_since(Instant::now())).await;
    }

    fn take_frame(&mut self, frame: Frame) -> Next {
        match frame {
            Frame::Event(name, data) => self.replica.event(&name, &data),
            Frame::Closed => {
                self.disconnect();
                Next::Nothing
            }
        }
    }

    /// Sends a letter until what became of it is known, or patience ends; the message, if it was sent.
    pub(crate) async fn post(&mut self, letter: &Letter, attempts: u32) -> Option<Seen> {
        let a = json!({ "c": letter.conversation, "key": letter.key, "body": letter.payload.get("text"),
                        "silent": letter.payload.get("silent"), "mentions": letter.payload.get("mentions") });
        for attempt in 0..attempts {
            if attempt > 0 {
                sleep(Duration::from_millis(200 * u64::from(attempt))).await;
                self.connect().await;
            }
            let live = self.is_connected() && self.rng.u8(..10) < 7;
            let outcome = if live {
                let mut payload = letter.payload.clone();
                set(&mut payload, "conversation_id", json!(letter.conversation));
                self.ws("send", "send_message", &payload, a.clone()).await
            } else {
                let path = format!("/conversations/{}/messages", letter.conversation);
                self.rest("send", &Method::POST, &path, Some(&letter.payload), a.clone())
                    .await
            };
            match outcome {
                Outcome::Ok(answer) => return self.taken(&answer),
                Outcome::Fail(code) if is_passing(&code) => {}
                Outcome::Fail(_) => return None,
                Outcome::Info => {}
            }
        }
        None
    }

    /// Takes the message of an answer.
    pub(crate) fn taken(&mut self, answer: &Value) -> Option<Seen> {
        let seen = answer
            .get("message")
            .and_then(Seen::of)
            .or_else(|| Seen::of(answer))?;
        // A repetition shows the message as its sender wrote it, also when he has put it out of his sight since.
        let replayed = answer.get("replayed") == Some(&Value::Bool(true));
        if replayed && !self.replica.has(&seen) {
            self.behind = true;
        } else if self.is_connected() && !replayed {
            // A conversation it does not know yet comes with an event of its own.
            let _known = self.replica.take(seen.clone());
        }
        Some(seen)
    }
}

/// Whether the same may succeed a moment later.
pub(crate) fn is_passing(code: &str) -> bool {
    matches!(code, "unavailable" | "overloaded" | "rate_limited")
}

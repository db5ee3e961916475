//! A live connection over the plain WebSocket. A task of its own takes frames in as fast as they come, so what is
//! written down is when they came and not when the client had time for them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::SplitSink;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::recorder::{Recorder, Source};
use super::rest::{Outcome, PATIENCE, refusal};
use crate::history::{Kind, digest};

/// Getting a connection and its session.
const OPENING: Duration = Duration::from_secs(5);

/// Something that came in.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A live event.
    Event(String, Value),
    /// The connection is over.
    Closed,
}

/// A command that waits for its answer.
#[derive(Debug)]
struct Pending {
    op: String,
    answer: oneshot::Sender<Outcome>,
}

type Waiting = Arc<Mutex<HashMap<String, Pending>>>;

/// A connection with a session.
#[derive(Debug)]
pub(crate) struct Connection {
    source: Source,
    recorder: Recorder,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    waiting: Waiting,
    frames: mpsc::UnboundedReceiver<Frame>,
    reader: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
        end(&self.recorder, &self.source, &self.waiting, "dropped");
    }
}

impl Connection {
    /// Connects, shows the token and waits until the session is ready.
    pub(crate) async fn open(
        recorder: &Recorder,
        who: &Source,
        number: u16,
        port: u16,
        token: &str,
    ) -> Option<Self> {
        tokio::time::timeout(OPENING, Self::try_open(recorder, who, number, port, token))
            .await
            .ok()?
    }

    async fn try_open(
        recorder: &Recorder,
        who: &Source,
        number: u16,
        port: u16,
        token: &str,
    ) -> Option<Self> {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = TcpSocket::new_v4().ok()?;
        // Connections are counted by address. Every client has its own where the whole 127/8 is this machine.
        if cfg!(target_os = "linux") {
            let [high, low] = number.to_be_bytes();
            let from = Ipv4Addr::new(127, 1, high, low.max(1));
            socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).ok()?;
        }
        let stream = socket.connect(server).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}/ws"), stream)
            .await
            .ok()?;
        let (mut sink, mut stream) = socket.split();
        let auth = json!({ "id": "auth", "op": "auth", "data": { "token": token } });
        sink.send(Message::text(auth.to_string())).await.ok()?;
        let source = Source {
            connection: Some(recorder.number()),
            ..who.clone()
        };
        loop {
            let Message::Text(text) = stream.next().await?.ok()? else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text).ok()?;
            if frame.get("event").and_then(Value::as_str) == Some("ready") {
                break;
            }
            if frame.get("ok").and_then(Value::as_bool) == Some(false) {
                return None;
            }
        }
        recorder.write(&source, Kind::Event, "ready", None, Value::Null, Value::Null);
        let (sender, frames) = mpsc::unbounded_channel();
        let waiting = Waiting::default();
        let reader = {
            let (recorder, source, waiting) = (recorder.clone(), source.clone(), Arc::clone(&waiting));
            tokio::spawn(async move {
                let mut why = "broken";
                while let Some(Ok(message)) = stream.next().await {
                    match message {
                        Message::Text(text) => {
                            take(&recorder, &source, &waiting, &sender, &text);
                        }
                        Message::Close(_) => why = "closed",
                        _ => {}
                    }
                }
                end(&recorder, &source, &waiting, why);
                // The client may have let go already.
                drop(sender.send(Frame::Closed));
            })
        };
        Some(Self {
            source,
            recorder: recorder.clone(),
            sink,
            waiting,
            frames,
            reader,
        })
    }

    pub(crate) const fn source(&self) -> &Source {
        &self.source
    }

    /// What has come in; waits for the next when there is nothing.
    pub(crate) async fn next(&mut self) -> Frame {
        self.frames.recv().await.unwrap_or(Frame::Closed)
    }

    /// What has come in, if anything has.
    pub(crate) fn try_next(&mut self) -> Option<Frame> {
        match self.frames.try_recv() {
            Ok(frame) => Some(frame),
            Err(mpsc::error::TryRecvError::Empty) => None,
            Err(mpsc::error::TryRecvError::Disconnected) => Some(Frame::Closed),
        }
    }

    /// Sends a command and does not wait for its answer.
    pub(crate) async fn begin(&mut self, command: &str, data: &Value, op: &str, a: Value) -> Sent {
        let id = format!("{}-{}", self.source.process, self.recorder.number());
        let (answer, answered) = oneshot::channel();
        self.recorder
            .write(&self.source, Kind::Invoke, op, Some(&id), a, Value::Null);
        lock(&self.waiting).insert(
            id.clone(),
            Pending {
                op: op.to_owned(),
                answer,
            },
        );
        let frame = json!({ "id": id, "op": command, "data": data }).to_string();
        if self.sink.send(Message::text(frame)).await.is_err() || self.reader.is_finished() {
            give_up(&self.recorder, &self.source, &self.waiting, &id);
        }
        Sent { id, answered }
    }

    /// Waits for the answer, for as long as a client is patient.
    pub(crate) async fn finish(&self, sent: Sent) -> Outcome {
        match tokio::time::timeout(PATIENCE, sent.answered).await {
            Ok(outcome) => outcome.unwrap_or(Outcome::Info),
            Err(_) => {
                give_up(&self.recorder, &self.source, &self.waiting, &sent.id);
                Outcome::Info
            }
        }
    }
}

/// A command on its way.
#[derive(Debug)]
pub(crate) struct Sent {
    id: String,
    answered: oneshot::Receiver<Outcome>,
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, Pending>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One frame of the server.
fn take(
    recorder: &Recorder,
    source: &Source,
    waiting: &Waiting,
    sender: &mpsc::UnboundedSender<Frame>,
    text: &str,
) {
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
        recorder.write(source, Kind::Event, "unreadable", None, Value::Null, Value::Null);
        return;
    };
    let mut field = |name: &str| frame.get_mut(name).map(Value::take).unwrap_or_default();
    let (data, event, id, ok) = (field("data"), field("event"), field("id"), field("ok"));
    if let Some(event) = event.as_str() {
        recorder.write(source, Kind::Event, event, None, Value::Null, digest(&data, text));
        // The client may have let go already.
        drop(sender.send(Frame::Event(event.to_owned(), data)));
        return;
    }
    let Some(pending) = id.as_str().and_then(|id| lock(waiting).remove(id)) else {
        return;
    };
    let outcome = if ok == true {
        Outcome::Ok(data)
    } else {
        refusal(frame.pointer("/error/code"), 0)
    };
    write_end(recorder, source, &pending.op, id.as_str(), &outcome, text);
    drop(pending.answer.send(outcome));
}

/// Writes down how a command ended.
pub(crate) fn write_end(
    recorder: &Recorder,
    source: &Source,
    op: &str,
    id: Option<&str>,
    outcome: &Outcome,
    raw: &str,
) {
    let (kind, v) = match outcome {
        Outcome::Ok(value) => (Kind::Ok, digest(value, raw)),
        Outcome::Fail(code) => (Kind::Fail, json!({ "code": code })),
        Outcome::Info => (Kind::Info, Value::Null),
    };
    recorder.write(source, kind, op, id, Value::Null, v);
}

fn give_up(recorder: &Recorder, source: &Source, waiting: &Waiting, id: &str) {
    if let Some(pending) = lock(waiting).remove(id) {
        write_end(recorder, source, &pending.op, Some(id), &Outcome::Info, "");
        drop(pending.answer.send(Outcome::Info));
    }
}

/// The connection is over: nobody will hear what became of its commands.
fn end(recorder: &Recorder, source: &Source, waiting: &Waiting, why: &str) {
    let ids: Vec<String> = lock(waiting).keys().cloned().collect();
    for id in ids {
        give_up(recorder, source, waiting, &id);
    }
    recorder.write(
        source,
        Kind::Event,
        "closed",
        None,
        Value::Null,
        json!({ "reason": why }),
    );
}

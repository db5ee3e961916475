//! What the official Engine.IO and Socket.IO test suites ask of a server, on the transport that carries the chat.
//!
//! `/engine.io` sends back whatever it gets. `/socket.io` has the namespaces `/` and `/custom`, greets with `auth` and
//! what the client sent along, answers `message` with `message-back` and `message-with-ack` with its own arguments.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::request::Parts;
use chat_socketio::SocketIoConfig;
use chat_socketio::protocol::{
    Arguments, Bounds, Event, Events, Item, Lobby, Service, Session, Text, Transport, socket_io,
};
use engineioxide::handler::EngineIoHandler;
use engineioxide::{DisconnectReason, Socket, Str};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Sends messages back, below Socket.IO.
#[derive(Debug)]
struct MessageEcho;

impl MessageEcho {
    fn back<E>(client: &Socket<()>, sent: Result<(), E>) {
        if sent.is_err() {
            client.close(DisconnectReason::TransportError);
        }
    }
}

impl EngineIoHandler for MessageEcho {
    type Data = ();

    fn on_connect(self: Arc<Self>, _: Arc<Socket<()>>) {}

    fn on_disconnect(&self, _: Arc<Socket<()>>, _: DisconnectReason) {}

    fn on_message(self: &Arc<Self>, message: Str, client: Arc<Socket<()>>) {
        Self::back(&client, client.emit(message));
    }

    fn on_binary(self: &Arc<Self>, data: Bytes, client: Arc<Socket<()>>) {
        Self::back(&client, client.emit_binary(data));
    }
}

/// Sends events back.
#[derive(Debug)]
struct EventEcho;

struct Client {
    id: String,
    events: mpsc::Sender<Arguments>,
}

struct Told(mpsc::Receiver<Arguments>);

impl Service for EventEcho {
    type Session = Client;
    type Events = Told;

    fn no_namespace(&self, name: &str) -> Option<Value> {
        (!matches!(name, "/" | "/custom")).then(|| json!({ "message": "Invalid namespace" }))
    }

    async fn connect(&self, namespace: &str, _: &Parts, auth: Option<&str>) -> Result<(Client, Told), Value> {
        let (events, told) = mpsc::channel(16);
        let auth: Value = match auth {
            None => json!({}),
            Some(auth) => serde_json::from_str(auth).map_err(|_| json!({ "message": "not JSON" }))?,
        };
        let greeting = Arguments::text(json!(["auth", auth]).to_string());
        events
            .send(greeting)
            .await
            .map_err(|_| json!({ "message": "gone" }))?;
        let id = format!("client of {namespace}");
        Ok((Client { id, events }, Told(told)))
    }

    fn overloaded(&self) -> Arguments {
        Arguments::text(json!(["overloaded"]).to_string())
    }
}

impl Session for Client {
    fn id(&self) -> String {
        self.id.clone()
    }

    async fn execute(&mut self, event: Event) -> Arguments {
        let nothing = Arguments::text("[]".to_owned());
        let Arguments { text, binary } = event.arguments;
        let Some((name, arguments)) = read(&text) else {
            return nothing;
        };
        match name.as_str() {
            "message" => {
                let mut back = vec![r#""message-back""#];
                back.extend(arguments.iter().map(|argument| argument.get()));
                let back = Arguments {
                    text: format!("[{}]", back.join(",")).into(),
                    binary,
                };
                // The client may have gone.
                drop(self.events.send(back).await);
                nothing
            }
            "message-with-ack" => {
                let same: Vec<_> = arguments.iter().map(|argument| argument.get()).collect();
                Arguments {
                    text: format!("[{}]", same.join(",")).into(),
                    binary,
                }
            }
            _ => nothing,
        }
    }
}

/// Name and arguments of an event.
fn read(text: &Text) -> Option<(String, Vec<&RawValue>)> {
    let mut arguments: Vec<&RawValue> = serde_json::from_str(text.as_str()).ok()?;
    if arguments.is_empty() {
        return None;
    }
    let name = serde_json::from_str(arguments.remove(0).get()).ok()?;
    Some((name, arguments))
}

impl Events for Told {
    async fn next(&mut self) -> Option<Item> {
        self.0.recv().await.map(Item::Event)
    }
}

/// Both, with the timing and sizes the suites ask for.
pub(crate) fn app() -> axum::Router {
    let bounds = Bounds {
        frame_bytes: 1_000_000,
        connections: 1_000,
        last_event: Duration::from_secs(1),
    };
    let config = SocketIoConfig::default()
        .with_heartbeat(Duration::from_millis(300), Duration::from_millis(200))
        .with_connect_timeout(Duration::from_secs(1));
    let events = socket_io(EventEcho, config.clone(), bounds);
    let messages = Transport::new(
        Arc::new(MessageEcho),
        Arc::<Lobby<()>>::default(),
        config.with_path("/engine.io"),
        bounds,
    );
    events.router::<()>().merge(messages.router())
}

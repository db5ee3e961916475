//! A small client: Engine.IO v4 and Socket.IO v5 over WebSocket.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::Server;

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<(String, Value)>,
    next: u32,
}

/// What a server sent.
#[derive(Debug)]
pub(crate) enum Got {
    Event(String, Value),
    Ack(u32, Value),
    Connected(Value),
    Refused(String),
    Disconnected,
    Closed,
    Silence,
}

impl Client {
    /// Opens the transport; the HTTP status when it is refused.
    pub(crate) async fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut client = Self::upgrade(server, "", headers).await?;
        let open = client.socket.next().await.unwrap().unwrap().into_text().unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["maxPayload"], 131_072);
        Ok(client)
    }

    /// Opens a WebSocket, for a new connection or for one that polls.
    pub(crate) async fn upgrade(
        server: &Server,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket{query}",
            server.address
        );
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let socket = match connect_async(request).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(response)) => {
                assert_eq!(response.headers()["content-type"], "application/problem+json");
                return Err(response.status().as_u16());
            }
            Err(error) => panic!("{error}"),
        };
        Ok(Self {
            socket,
            events: VecDeque::new(),
            next: 0,
        })
    }

    /// Connects and takes `ready`.
    pub(crate) async fn connect(server: &Server, user: &str) -> Self {
        let mut client = Self::open(server, &[]).await.unwrap();
        client.raw(format!("40{}", json!({ "token": user }))).await;
        let Got::Connected(connected) = client.got().await else {
            panic!("not connected");
        };
        let ready = client.event("ready").await;
        assert_eq!(ready["user_id"], user);
        assert_eq!(ready["session_id"], connected["sid"]);
        client
    }

    /// Connects and is refused with this error.
    pub(crate) async fn refused(server: &Server, auth: Value) -> Value {
        let mut client = Self::open(server, &[]).await.unwrap();
        client.raw(format!("40{auth}")).await;
        match client.got().await {
            Got::Refused(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn raw(&mut self, text: impl Into<String>) {
        self.socket.send(Message::Text(text.into().into())).await.unwrap();
    }

    pub(crate) async fn got(&mut self) -> Got {
        loop {
            let text = match timeout(Duration::from_secs(8), self.socket.next()).await {
                Err(_) => return Got::Silence,
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Got::Closed,
                Ok(Some(Ok(_))) => continue,
            };
            let (kind, rest) = text.split_at(text.len().min(2));
            match kind {
                "2" => self.raw("3").await,
                "1" => return Got::Closed,
                "40" => return Got::Connected(serde_json::from_str(rest).unwrap()),
                "41" => return Got::Disconnected,
                "42" => {
                    let (name, payload) = serde_json::from_str(rest).unwrap();
                    return Got::Event(name, payload);
                }
                "43" => {
                    let (id, answer) = rest.split_at(rest.find('[').unwrap());
                    let [answer]: [Value; 1] = serde_json::from_str(answer).unwrap();
                    return Got::Ack(id.parse().unwrap(), answer);
                }
                "44" => return Got::Refused(rest.to_owned()),
                _ => panic!("{text}"),
            }
        }
    }

    /// What comes next, after the events that were kept.
    pub(crate) async fn got_event(&mut self) -> Got {
        match self.events.pop_front() {
            Some((name, payload)) => Got::Event(name, payload),
            None => self.got().await,
        }
    }

    /// Sends an event with an ack id and returns that.
    pub(crate) async fn emit(&mut self, arguments: &Value) -> u32 {
        self.next += 1;
        self.raw(format!("42{}{arguments}", self.next)).await;
        self.next
    }

    /// The next ack; events are kept for later.
    pub(crate) async fn ack(&mut self) -> (u32, Value) {
        loop {
            match self.got().await {
                Got::Event(name, payload) => self.events.push_back((name, payload)),
                Got::Ack(id, answer) => return (id, answer),
                other => panic!("waited for an ack, got {other:?}"),
            }
        }
    }

    pub(crate) async fn ask(&mut self, arguments: &Value) -> Value {
        let id = self.emit(arguments).await;
        let (acked, answer) = self.ack().await;
        assert_eq!(acked, id);
        answer
    }

    /// The payload of the next event, which has this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let (got, payload) = match self.events.pop_front() {
            Some(event) => event,
            None => match self.got().await {
                Got::Event(name, payload) => (name, payload),
                other => panic!("waited for {name}, got {other:?}"),
            },
        };
        assert_eq!(got, name, "{payload}");
        payload
    }

    /// Waits until it is closed; everything before is skipped.
    pub(crate) async fn closed(&mut self) {
        loop {
            match self.got().await {
                Got::Closed => return,
                Got::Silence => panic!("not closed"),
                _ => {}
            }
        }
    }

    /// Takes the answer to CONNECT, and `ready`.
    pub(crate) async fn event_after_connect(&mut self) {
        assert!(matches!(self.got().await, Got::Connected(_)));
        self.event("ready").await;
    }

    /// That it works.
    pub(crate) async fn alive(&mut self) {
        let answer = self.ask(&json!(["set_foreground", { "foreground": true }])).await;
        assert_eq!(answer, json!({ "ok": true, "data": {} }));
    }
}

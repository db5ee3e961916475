//! A small client.

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
    events: Vec<Value>,
    next: u32,
}

/// What a server sent.
#[derive(Debug)]
pub(crate) enum Got {
    Json(Value),
    Closed(u16),
    Lost,
    Silence,
}

impl Client {
    /// Connects without authenticating; the HTTP status when it is refused.
    pub(crate) async fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}/ws", server.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                events: Vec::new(),
                next: 0,
            }),
            Err(Error::Http(response)) => {
                assert_eq!(response.headers()["content-type"], "application/problem+json");
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects, authenticates, and takes `ready`.
    pub(crate) async fn connect(server: &Server, user: &str) -> Self {
        let mut client = Self::open(server, &[]).await.unwrap();
        let answer = client.ask("auth", json!({ "token": user })).await;
        assert_eq!(answer["ok"], true, "{answer}");
        let ready = client.event("ready").await;
        assert_eq!(ready["user_id"], user);
        client
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::Text(text.into().into())).await.unwrap();
    }

    pub(crate) async fn got(&mut self) -> Got {
        loop {
            return match timeout(Duration::from_secs(8), self.socket.next()).await {
                Err(_) => Got::Silence,
                Ok(None | Some(Err(_))) => Got::Lost,
                Ok(Some(Ok(Message::Text(text)))) => Got::Json(serde_json::from_str(&text).unwrap()),
                Ok(Some(Ok(Message::Close(frame)))) => Got::Closed(frame.map_or(1005, |f| f.code.into())),
                Ok(Some(Ok(_))) => continue,
            };
        }
    }

    /// The next answer; events are kept for later.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            match self.got().await {
                Got::Json(json) if json.get("event").is_some() => self.events.push(json),
                Got::Json(json) => return json,
                other => panic!("waited for an answer, got {other:?}"),
            }
        }
    }

    pub(crate) async fn ask(&mut self, op: &str, data: Value) -> Value {
        self.next += 1;
        let id = self.next.to_string();
        self.send(json!({ "id": id, "op": op, "data": data }).to_string())
            .await;
        let answer = self.answer().await;
        assert_eq!(answer["id"], id.as_str());
        answer
    }

    /// The code and field of a refusal.
    pub(crate) async fn refused(&mut self, frame: &str) -> (Value, Value, Value) {
        self.send(frame).await;
        let answer = self.answer().await;
        assert_eq!(answer["ok"], false, "{frame}: {answer}");
        assert!(answer["error"]["detail"].is_string());
        assert!(answer["error"]["request_id"].is_string());
        (
            answer["id"].clone(),
            answer["error"]["code"].clone(),
            answer["error"]["field"].clone(),
        )
    }

    /// The payload of the next event, which has this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let event = if self.events.is_empty() {
            match self.got().await {
                Got::Json(json) => json,
                other => panic!("waited for {name}, got {other:?}"),
            }
        } else {
            self.events.remove(0)
        };
        assert_eq!(event["event"], name, "{event}");
        event["data"].clone()
    }

    /// The code it is closed with; everything before is skipped.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.got().await {
                Got::Json(_) => {}
                Got::Closed(code) => return code,
                other => panic!("waited for a close, got {other:?}"),
            }
        }
    }

    /// That it works.
    pub(crate) async fn alive(&mut self) {
        let answer = self.ask("set_foreground", json!({ "foreground": true })).await;
        assert_eq!(answer["ok"], true, "{answer}");
    }
}

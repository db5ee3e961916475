//! Bare Engine.IO clients.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{echo, http};

const PATIENCE: Duration = Duration::from_secs(8);

pub(crate) async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let app = echo::app().into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).await.unwrap();
    });
    address
}

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Binary(Vec<u8>),
    End,
}

/// A WebSocket; its pings are answered unless somebody looks for them.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn try_open(address: SocketAddr, target: &str) -> Option<Self> {
        let (socket, _) = connect_async(format!("ws://{address}{target}")).await.ok()?;
        Some(Self(socket))
    }

    /// Opens a connection; the open packet's content.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> (Self, Value) {
        let target = format!("{path}/?EIO=4&transport=websocket");
        let mut socket = Self::try_open(address, &target).await.unwrap();
        let Frame::Text(open) = socket.frame().await else {
            panic!("no open packet");
        };
        let open = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        (socket, open)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, data: &[u8]) {
        self.0.send(Message::binary(data.to_vec())).await.unwrap();
    }

    /// The next frame, whatever it is.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return Frame::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(data))) => return Frame::Binary(data.to_vec()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Frame::End,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame that is no ping.
    pub(crate) async fn packet(&mut self) -> Frame {
        loop {
            match self.frame().await {
                Frame::Text(text) if text == "2" => self.send("3").await,
                other => return other,
            }
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.packet().await {
            Frame::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for the end; nothing but a close packet comes before.
    pub(crate) async fn ends(&mut self) {
        loop {
            match self.packet().await {
                Frame::End => return,
                Frame::Text(text) if text == "1" => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A connection that polls.
pub(crate) struct Poller {
    address: SocketAddr,
    target: String,
    pub(crate) sid: String,
}

impl Poller {
    pub(crate) async fn open(address: SocketAddr, path: &str) -> (Self, Value) {
        let target = format!("{path}/?EIO=4&transport=polling");
        let (status, body) = http::ask(address, "GET", &target, &[], "").await;
        assert_eq!(status, 200, "{body}");
        let open: Value = serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap();
        let sid = open["sid"].as_str().unwrap().to_owned();
        let target = format!("{target}&sid={sid}");
        (Self { address, target, sid }, open)
    }

    pub(crate) async fn get(&self) -> (u16, String) {
        http::ask(self.address, "GET", &self.target, &[], "").await
    }

    pub(crate) async fn post(&self, body: &str) -> (u16, String) {
        http::ask(self.address, "POST", &self.target, &[], body).await
    }

    /// Polls until something else than pings is there; those are answered.
    pub(crate) async fn packets(&self) -> String {
        loop {
            let (status, body) = self.get().await;
            assert_eq!(status, 200, "{body}");
            let packets: Vec<&str> = body.split('\u{1e}').filter(|packet| *packet != "2").collect();
            if packets.len() < body.split('\u{1e}').count() {
                assert_eq!(self.post("3").await, (200, "ok".to_owned()));
            }
            if !packets.is_empty() {
                return packets.join("\u{1e}");
            }
        }
    }

    /// Waits until the server knows it no more.
    pub(crate) async fn is_forgotten(&self) {
        for _ in 0..100 {
            if self.post("4x").await.0 == 400 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("still there");
    }
}

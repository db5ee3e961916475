//! Small clients: one HTTP request per connection, and the plain WebSocket.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::process::{LONG, Server};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// One request, as text, so that nothing between the test and the server makes it nicer than it is.
pub(crate) async fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(&server.authority).await.unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        server.authority
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    timeout(LONG, stream.read_to_end(&mut text))
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: body.to_owned(),
    }
}

pub(crate) async fn get(server: &Server, path: &str) -> Answer {
    request(server, "GET", path, &[], "").await
}

/// A call of the API with a token.
pub(crate) async fn call(server: &Server, token: &str, method: &str, path: &str, body: Value) -> Answer {
    let auth = format!("Bearer {token}");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let headers = [
        ("authorization", auth.as_str()),
        ("content-type", "application/json"),
    ];
    request(server, method, &format!("/api{path}"), &headers, &body).await
}

/// Signs somebody up; his id and token.
pub(crate) async fn sign_up(server: &Server, name: &str) -> (String, String) {
    let body = json!({ "name": name, "email": format!("{name}@example.com"), "password": "a long password" });
    let headers = [("content-type", "application/json")];
    let answer = request(server, "POST", "/api/auth/signup", &headers, &body.to_string()).await;
    assert!(answer.status < 300, "{}", answer.body);
    let login = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&login["user"]["id"]), text(&login["token"]))
}

/// A live session over the plain WebSocket.
pub(crate) struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u32,
}

impl Live {
    pub(crate) async fn open(server: &Server, token: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}/ws", server.authority))
            .await
            .unwrap();
        let mut live = Self { socket, next: 1 };
        live.send("auth", json!({ "token": token })).await;
        live.until(|frame| frame["event"] == "ready").await;
        live
    }

    async fn send(&mut self, op: &str, data: Value) -> String {
        let id = self.next.to_string();
        self.next += 1;
        let frame = json!({ "id": id, "op": op, "data": data }).to_string();
        self.socket.send(Message::text(frame)).await.unwrap();
        id
    }

    /// The next frame that is wanted; others are passed over.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                match self.socket.next().await.expect("the connection ended").unwrap() {
                    Message::Text(text) => {
                        let frame: Value = serde_json::from_str(&text).unwrap();
                        if wanted(&frame) {
                            return frame;
                        }
                    }
                    Message::Close(close) => panic!("closed: {close:?}"),
                    _ => {}
                }
            }
        };
        timeout(LONG, found).await.unwrap()
    }

    /// A command and its ack.
    pub(crate) async fn command(&mut self, op: &str, data: Value) -> Value {
        let id = self.send(op, data).await;
        let ack = self.until(|frame| frame["id"] == id.as_str()).await;
        assert_eq!(ack["ok"], true, "{ack}");
        ack["data"].clone()
    }

    /// Sends without waiting for the ack; `false` when the connection is gone.
    pub(crate) async fn try_command(&mut self, op: &str, data: Value) -> Option<Value> {
        let id = self.next.to_string();
        self.next += 1;
        let frame = json!({ "id": id, "op": op, "data": data }).to_string();
        self.socket.send(Message::text(frame)).await.ok()?;
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).ok()?;
                    if frame["id"] == id.as_str() {
                        return (frame["ok"] == true).then(|| frame["data"].clone());
                    }
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code of the close that comes next.
    pub(crate) async fn close_code(&mut self) -> u16 {
        let closed = async {
            loop {
                match self.socket.next().await.expect("ended without a close").unwrap() {
                    Message::Close(Some(close)) => return close.code.into(),
                    Message::Close(None) => return 1005,
                    _ => {}
                }
            }
        };
        timeout(LONG, closed).await.unwrap()
    }
}

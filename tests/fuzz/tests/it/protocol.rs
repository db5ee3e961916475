//! Bytes nobody asked for, on real sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::campaign::Campaign;
use crate::world::World;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const SEPARATOR: &[u8] = b"\n--\n";
/// Connections that are still being read until the server ends them or says nothing for a while.
const OPEN: usize = 16;
const QUIET: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that is served well all the time.
struct Witness {
    socket: Socket,
    frames: fn(u64) -> (String, String),
    asked: u64,
}

impl Witness {
    async fn socket_io(address: SocketAddr) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (mut socket, _) = connect_async(url).await.unwrap();
        socket.send(Message::text(r#"40{"token":"ben"}"#)).await.unwrap();
        Self {
            socket,
            frames: |n| {
                let ask = format!(r#"42{n}["set_foreground",{{"foreground":true}}]"#);
                (ask, format!("43{n}["))
            },
            asked: 0,
        }
    }

    async fn plain(address: SocketAddr) -> Self {
        let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
        let auth = json!({ "op": "auth", "id": "a", "data": { "token": "ben" } });
        socket.send(Message::text(auth.to_string())).await.unwrap();
        Self {
            socket,
            frames: |n| {
                let ask =
                    json!({ "op": "set_foreground", "id": format!("n{n}"), "data": { "foreground": true } });
                (ask.to_string(), format!("\"n{n}\""))
            },
            asked: 0,
        }
    }

    /// Asks, and gets the answer.
    async fn is_served(&mut self) {
        self.asked += 1;
        let (ask, sign) = (self.frames)(self.asked);
        self.socket.send(Message::text(ask)).await.unwrap();
        let answered = async {
            loop {
                let Message::Text(text) = self.socket.next().await.unwrap().unwrap() else {
                    continue;
                };
                if text.as_str() == "2" {
                    self.socket.send(Message::text("3")).await.unwrap();
                } else if text.as_str().contains(&sign) {
                    return;
                }
            }
        };
        timeout(PATIENCE, answered).await.unwrap();
    }
}

fn pieces(input: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let mut rest = input;
    while let Some((first, more)) = rest.split_first() {
        if rest.starts_with(SEPARATOR) {
            pieces.push(Vec::new());
            rest = &rest[SEPARATOR.len()..];
        } else {
            if let Some(piece) = pieces.last_mut() {
                piece.push(*first);
            }
            rest = more;
        }
    }
    pieces
}

/// Plays an input; what goes wrong on its own connection is its own affair.
async fn play(address: SocketAddr, input: Vec<u8>) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (door, rest) = (String::from_utf8_lossy(&input[..end]).into_owned(), &input[end..]);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let words: Vec<&str> = door.split(' ').collect();
    match words.as_slice() {
        ["WS", path @ ("/socket.io" | "/ws"), login @ ..] => {
            frames(address, path, login == ["login"], pieces(rest)).await;
        }
        ["POLL"] => drop(poll(address, pieces(rest)).await),
        _ => drop(bytes(address, rest).await),
    }
}

async fn bytes(address: SocketAddr, bytes: &[u8]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    drain(&mut stream).await
}

/// Reads until the end, or until nothing has come for a while.
async fn drain(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    while let Ok(read) = timeout(QUIET, stream.read(&mut buffer)).await {
        if read? == 0 {
            break;
        }
    }
    Ok(())
}

async fn frames(address: SocketAddr, path: &str, login: bool, pieces: Vec<Vec<u8>>) {
    let url = match path {
        "/ws" => format!("ws://{address}/ws"),
        _ => format!("ws://{address}/socket.io/?EIO=4&transport=websocket"),
    };
    // Too many connections of one user are refused, as they should be.
    let Ok((mut socket, _)) = connect_async(url).await else {
        return;
    };
    if login {
        let text = match path {
            "/ws" => json!({ "op": "auth", "id": "a", "data": { "token": "ada" } }).to_string(),
            _ => r#"40{"token":"ada"}"#.to_owned(),
        };
        let mut seen = socket.send(Message::text(text)).await.is_ok();
        while seen {
            seen = match timeout(QUIET, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => !text.as_str().contains("ready"),
                Ok(Some(Ok(_))) => true,
                _ => false,
            };
        }
    }
    for piece in pieces {
        let (kind, content) = match piece.strip_prefix(b"B:") {
            Some(content) => (Data::Binary, content.to_vec()),
            None => (Data::Text, piece),
        };
        // As a raw frame: a text frame need not hold text.
        let frame = Frame::message(content, OpCode::Data(kind), true);
        if socket.send(Message::Frame(frame)).await.is_err() {
            return;
        }
    }
    while let Ok(Some(Ok(_))) = timeout(QUIET, socket.next()).await {}
}

async fn poll(address: SocketAddr, bodies: Vec<Vec<u8>>) -> std::io::Result<()> {
    let target = "/socket.io/?EIO=4&transport=polling";
    let open = http(address, "GET", target, &[]).await?;
    let open = String::from_utf8_lossy(&open).into_owned();
    let sid: String = open
        .split_once("\"sid\":\"")
        .map(|(_, rest)| rest.chars().take_while(|c| *c != '"').collect())
        .unwrap_or_default();
    let target = format!("{target}&sid={sid}");
    for body in bodies {
        http(address, "POST", &target, &body).await?;
        http(address, "GET", &target, &[]).await?;
    }
    Ok(())
}

async fn http(address: SocketAddr, method: &str, target: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    // A poll without news is left.
    if let Ok(read) = timeout(QUIET, stream.read_to_end(&mut answer)).await {
        read?;
    }
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_one_connection_sends_another_is_served() {
    let world = World::new().await;
    let address = world.listen().await;
    let mut witnesses = [Witness::socket_io(address).await, Witness::plain(address).await];
    let mut campaign = Campaign::new("protocol", 400);
    let mut open: VecDeque<(Vec<u8>, JoinHandle<()>)> = VecDeque::new();
    let mut round = 0;
    loop {
        let input = campaign.next();
        let is_last = input.is_none();
        if let Some(input) = input {
            open.push_back((input.clone(), tokio::spawn(play(address, world.filled(&input)))));
        }
        while open.len() > OPEN || (is_last && !open.is_empty()) {
            let Some((input, playing)) = open.pop_front() else {
                break;
            };
            campaign
                .judge(&input, async {
                    timeout(PATIENCE * 3, playing).await.unwrap().unwrap()
                })
                .await;
        }
        round += 1;
        if round % 4 == 0 || is_last {
            let together: Vec<u8> = open.iter().flat_map(|(input, _)| input.clone()).collect();
            campaign
                .judge(&together, async {
                    for witness in &mut witnesses {
                        witness.is_served().await;
                    }
                })
                .await;
        }
        if is_last {
            break;
        }
    }
}

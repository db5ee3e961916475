//! Polling by plain HTTP, one connection per request.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

pub(crate) struct Polling<'a> {
    server: &'a Server,
    pub(crate) sid: String,
}

/// Status and body of an answer.
pub(crate) async fn request(
    server: &Server,
    method: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let target = format!("/socket.io/?EIO=4&transport=polling{query}");
    ask(server.address, method, &target, headers, body).await
}

/// Status and body of the answer of any path.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A refused body need not be taken whole.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).map_or(0, |code| code.parse().unwrap());
    (status, body.to_owned())
}

impl<'a> Polling<'a> {
    pub(crate) async fn open(server: &'a Server) -> Self {
        let (status, body) = request(server, "GET", "", &[], "").await;
        assert_eq!(status, 200, "{body}");
        let open: Value = serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap();
        Self {
            server,
            sid: open["sid"].as_str().unwrap().to_owned(),
        }
    }

    fn query(&self) -> String {
        format!("&sid={}", self.sid)
    }

    /// Packets of one poll, without pings.
    pub(crate) async fn poll(&self) -> Result<Vec<String>, u16> {
        let (status, body) = request(self.server, "GET", &self.query(), &[], "").await;
        if status != 200 {
            return Err(status);
        }
        Ok(body
            .split('\u{1e}')
            .filter(|packet| !packet.is_empty() && *packet != "2")
            .map(str::to_owned)
            .collect())
    }

    /// Polls until so many packets are there.
    pub(crate) async fn packets(&self, count: usize) -> Vec<String> {
        let mut packets = Vec::new();
        while packets.len() < count {
            packets.extend(self.poll().await.unwrap());
        }
        packets
    }

    pub(crate) async fn post(&self, body: &str) -> u16 {
        request(self.server, "POST", &self.query(), &[], body).await.0
    }
}

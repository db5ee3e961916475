//! A receiver on loopback that verifies as the specification says and plays a script.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// This status, with these header lines.
    Answer(u16, &'static str),
    /// No answer at all.
    Hang,
    /// The connection is cut.
    Reset,
}

/// One request that came, whatever was answered.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) signatures: String,
    pub(crate) body: String,
    /// Whether it was taken with a 2xx.
    pub(crate) taken: bool,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        let text = self.json()["data"]["message"]["text"].clone();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Verifies as a receiver does; whether one of the signatures is good.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        self.signatures.split(' ').any(|signature| {
            let (version, tag) = signature.split_once(',').unwrap();
            let tag = STANDARD.decode(tag).unwrap();
            version == "v1" && hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
        })
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    script: Arc<Mutex<VecDeque<Act>>>,
    calls: mpsc::UnboundedReceiver<Call>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let script: Arc<Mutex<VecDeque<Act>>> = Arc::default();
        let (told, calls) = mpsc::unbounded_channel();
        tokio::spawn({
            let script = Arc::clone(&script);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&script), told.clone()));
                }
            }
        });
        Self { url, script, calls }
    }

    /// What becomes of the next requests; those after them are taken.
    pub(crate) fn play(&self, acts: &[Act]) {
        self.script.lock().unwrap().extend(acts);
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Call {
        let next = tokio::time::timeout(Duration::from_secs(30), self.calls.recv()).await;
        next.expect("a request within 30 s").unwrap()
    }

    /// The next request that is taken.
    pub(crate) async fn taken(&mut self) -> Call {
        loop {
            let call = self.next().await;
            if call.taken {
                return call;
            }
        }
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<VecDeque<Act>>>, told: mpsc::UnboundedSender<Call>) {
    let mut stream = BufReader::new(stream);
    while let Some((line, headers, body)) = read(&mut stream).await {
        assert_eq!(line, "POST /events HTTP/1.1");
        assert_eq!(headers["content-type"], "application/json");
        let act = script.lock().unwrap().pop_front().unwrap_or(Act::Answer(204, ""));
        let call = Call {
            id: headers["webhook-id"].clone(),
            timestamp: headers["webhook-timestamp"].parse().unwrap(),
            signatures: headers["webhook-signature"].clone(),
            body,
            taken: matches!(act, Act::Answer(200..=299, _)),
        };
        let _ = told.send(call);
        match act {
            Act::Answer(status, more) => {
                let length = if status == 204 {
                    ""
                } else {
                    "content-length: 0\r\n"
                };
                let answer = format!("HTTP/1.1 {status} X\r\n{length}{more}\r\n");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Hang => std::future::pending().await,
            Act::Reset => return,
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, HashMap<String, String>, String)> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some((line.trim_end().to_owned(), headers, String::from_utf8(body).ok()?))
}

//! A server that is killed: what it has acknowledged is there when it is back, once, at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

const SECRET: &str = "a secret of this test and of nothing else";
const WRITERS: u64 = 4;
const KILLS: u32 = 4;

/// The program: named by the environment, or beside this test.
fn server_program() -> Option<PathBuf> {
    let named = std::env::var_os("CHAT_SERVER_BIN").map(PathBuf::from);
    let beside = || {
        let test = std::env::current_exe().ok()?;
        Some(test.parent()?.parent()?.join("chat-server"))
    };
    named.or_else(beside).filter(|program| program.is_file())
}

async fn start(program: &Path, folder: &Path, port: u16) -> Child {
    let mut child = Command::new(program)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("CHAT_STORE", "sqlite")
        .env("CHAT_DATA_DIR", folder)
        .env("CHAT_JWT_SECRET", SECRET)
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("listening on") {
                return;
            }
        }
        panic!("the server ended before it listened");
    };
    tokio::time::timeout(Duration::from_secs(30), ready)
        .await
        .expect("a server that listens");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

fn token(user: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;
    let body = format!(
        "{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(json!({ "sub": user, "name": user, "exp": exp }))
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// One request on a connection of its own; `None` when there was no whole answer.
async fn call(port: u16, user: &str, method: &str, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} /api{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            token(user),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let text = String::from_utf8(answer).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            let (_, rest) = body.split_once("\r\n")?;
            rest.rsplit_once("\r\n0\r\n").map_or(rest, |(body, _)| body)
        } else {
            body
        };
        Some((status, serde_json::from_str(body).ok()?))
    };
    tokio::time::timeout(Duration::from_secs(10), exchange)
        .await
        .ok()?
}

/// What writers know to be stored: client id, with the seq they were told.
type Acknowledged = Arc<Mutex<BTreeMap<String, u64>>>;

async fn write(
    port: u16,
    writer: u64,
    conversation: String,
    acknowledged: Acknowledged,
    stop: Arc<AtomicU64>,
) {
    let (user, mut number) = (if writer.is_multiple_of(2) { "ada" } else { "ben" }, 0);
    while stop.load(Ordering::SeqCst) == 0 {
        let key = format!("w{writer}-{number}");
        let path = format!("/conversations/{conversation}/messages");
        let body = json!({ "text": key, "client_id": key });
        match call(port, user, "POST", &path, Some(body)).await {
            Some((200 | 201, answer)) => {
                let seq = answer["message"]["seq"].as_u64().unwrap();
                acknowledged.lock().await.insert(key, seq);
                number += 1;
            }
            // Too fast, or killed in the middle: the same key again.
            _ => tokio::time::sleep(Duration::from_millis(30)).await,
        }
        // Two writers share a user's room of 20 commands per second.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_every_acknowledged_message_survives_being_killed() {
    let Some(program) = server_program() else {
        let required = std::env::var("CHAT_REQUIRE").is_ok_and(|names| names.contains("server"));
        assert!(
            !required,
            "chat-server is not built and CHAT_SERVER_BIN does not name it"
        );
        eprintln!("skipped: chat-server is not built");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server = start(&program, folder.path(), port).await;
    for user in ["ada", "ben"] {
        assert_eq!(call(port, user, "GET", "/me", None).await.unwrap().0, 200);
    }
    let open = call(
        port,
        "ada",
        "POST",
        "/conversations/direct",
        Some(json!({ "user_id": "ben" })),
    )
    .await
    .unwrap();
    let conversation = open.1["conversation"]["id"].as_str().unwrap().to_owned();

    let (acknowledged, stop) = (Acknowledged::default(), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(write(
                port,
                writer,
                conversation.clone(),
                Arc::clone(&acknowledged),
                Arc::clone(&stop),
            ))
        })
        .collect();
    for kill in 0..KILLS {
        // Not at random, but at moments that fall differently into the writers' rhythm each time.
        tokio::time::sleep(Duration::from_millis(700 + u64::from(kill) * 137)).await;
        server.start_kill().unwrap();
        server.wait().await.unwrap();
        server = start(&program, folder.path(), port).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(1, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }

    let acknowledged = acknowledged.lock().await.clone();
    let (mut stored, mut seqs, mut after) = (BTreeMap::<String, Vec<u64>>::new(), BTreeSet::new(), 0);
    loop {
        let path = format!("/conversations/{conversation}/messages?after={after}&limit=100&order=asc");
        let (status, page) = call(port, "ben", "GET", &path, None).await.unwrap();
        assert_eq!(status, 200);
        for message in page["items"].as_array().unwrap() {
            let seq = message["seq"].as_u64().unwrap();
            assert!(seqs.insert(seq), "seq {seq} twice");
            if let Some(text) = message["text"].as_str() {
                stored.entry(text.to_owned()).or_default().push(seq);
            }
        }
        if page["has_more_after"] != true {
            break;
        }
        after = page["range"]["to"].as_u64().unwrap();
    }
    assert!(
        acknowledged.len() > 40,
        "only {} messages were acknowledged",
        acknowledged.len()
    );
    for (key, seq) in &acknowledged {
        assert_eq!(stored.get(key), Some(&vec![*seq]), "{key}");
    }
    assert!(
        stored.values().all(|seqs| seqs.len() == 1),
        "a message is stored twice"
    );
    let dense: BTreeSet<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, dense, "seqs have gaps");
    server.kill().await.unwrap();
}

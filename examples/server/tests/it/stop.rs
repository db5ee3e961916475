//! The graceful stop.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::process::start;
use crate::wire::{Live, call, sign_up};

#[tokio::test]
async fn a_stop_tells_the_sessions_keeps_what_was_acked_and_exits_with_0() {
    let data = TempDir::new().unwrap();
    let server = start(data.path(), &[]).await;
    let (_, token) = sign_up(&server, "ada").await;
    let (ben, ben_token) = sign_up(&server, "ben").await;
    let mut ada_live = Live::open(&server, &token).await;
    let mut ben_live = Live::open(&server, &ben_token).await;
    let sent = ada_live
        .command(
            "send_message",
            json!({ "recipient_id": ben, "text": "before the stop" }),
        )
        .await;
    let conversation = sent["message"]["conversation_id"].as_str().unwrap().to_owned();
    // A connection that does nothing must not hold the stop up.
    let _idle = TcpStream::connect(&server.authority).await.unwrap();
    let authority = server.authority.clone();

    let started = Instant::now();
    server.signal("TERM");
    for live in [&mut ada_live, &mut ben_live] {
        let ending = live.until(|frame| frame["event"] == "session_ending").await;
        assert_eq!(ending["data"]["reason"], "server_restart");
        assert!(
            ending["data"]["reconnect_after_ms"]
                .as_u64()
                .is_some_and(|ms| ms > 0),
            "{ending}"
        );
        assert_eq!(live.close_code().await, 1012);
    }
    let (code, rest) = server.ended().await;
    assert_eq!((code, rest.as_str()), (Some(0), ""));
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
    assert!(TcpStream::connect(&authority).await.is_err());

    // The same data again, with the secret that was kept: tokens and messages are good.
    let server = start(data.path(), &[]).await;
    let page = call(
        &server,
        &ben_token,
        "GET",
        &format!("/conversations/{conversation}/messages"),
        json!(null),
    )
    .await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.json()["items"][0]["text"], "before the stop");
    server.signal("INT");
    assert_eq!(server.ended().await.0, Some(0));
}

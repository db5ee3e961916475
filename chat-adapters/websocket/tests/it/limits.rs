use chat_core::config::{ChatConfig, Rate};
use chat_websocket::WebSocketConfig;
use futures::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::server::{Server, generous};

/// A frame of exactly so many bytes.
fn frame(bytes: usize) -> String {
    let empty = json!({ "id": "1", "op": "refresh_token", "data": { "token": "" } }).to_string();
    json!({ "id": "1", "op": "refresh_token", "data": { "token": "x".repeat(bytes - empty.len()) } })
        .to_string()
}

#[tokio::test]
async fn a_frame_has_at_most_128_kib() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let mut other = Client::connect(&server, "bob").await;
    for bytes in [131_071, 131_072] {
        let text = frame(bytes);
        assert_eq!(text.len(), bytes);
        client.send(text).await;
        assert_eq!(client.answer().await["error"]["code"], "token_invalid", "{bytes}");
    }
    client.send(frame(131_073)).await;
    assert_eq!(client.closed().await, 4413);
    other.alive().await;
    server.sessions(1).await;
}

#[tokio::test]
async fn every_large_frame_is_told_so() {
    let server = Server::start().await;
    for bytes in [140_000, 262_145, 400_000, 5_000_000] {
        let mut client = Client::connect(&server, "ada").await;
        // The server closes before a frame of megabytes is written whole.
        let _ = client.socket.send(Message::Text(frame(bytes).into())).await;
        assert_eq!(client.closed().await, 4413, "{bytes}");
        let mut client = Client::connect(&server, "ada").await;
        let _ = client.socket.send(Message::Binary(vec![0; bytes].into())).await;
        assert_eq!(client.closed().await, 4413, "{bytes} binary");
        let mut client = Client::open(&server, &[]).await.unwrap();
        let _ = client.socket.send(Message::Text(frame(bytes).into())).await;
        assert_eq!(client.closed().await, 4413, "{bytes} before auth");
    }
    server.sessions(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_slow_down_is_closed() {
    let mut chat = generous();
    chat.limits.commands = Rate::new(5, 1);
    let config = WebSocketConfig::default().with_refusals_before_close(10);
    let server = Server::with(chat, config).await;
    let mut client = Client::connect(&server, "ada").await;
    for number in 0..15 {
        let frame = match number % 3 {
            0 => r#"{"id":"1","op":"no_such_command"}"#,
            1 => "junk",
            _ => r#"{"id":"1","op":"set_foreground","data":{"foreground":true}}"#,
        };
        client.send(frame).await;
        let answer = client.answer().await;
        let limited = answer["error"]["code"] == "rate_limited";
        assert_eq!(limited, number >= 5, "{number}: {answer}");
        assert_eq!(limited, answer["error"]["retry_after_ms"].is_u64());
    }
    assert_eq!(client.closed().await, 4429);
}

#[tokio::test]
async fn a_full_node_takes_no_more() {
    let mut chat = ChatConfig::default();
    chat.limits.connections = 1;
    let server = Server::with(chat, WebSocketConfig::default()).await;
    let mut client = Client::connect(&server, "ada").await;
    assert_eq!(Client::open(&server, &[]).await.err(), Some(503));
    client.alive().await;
}

use std::time::Duration;

use chat_core::config::ChatConfig;
use chat_socketio::SocketIoConfig;
use futures::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Got};
use crate::http::{Polling, request};
use crate::server::{Server, generous};

/// A packet of exactly so many bytes, with ack id 7.
fn packet(bytes: usize) -> String {
    let make = |token: &str| format!("427{}", json!(["refresh_token", { "token": token }]));
    make(&"x".repeat(bytes - make("").len()))
}

#[tokio::test]
async fn a_frame_has_at_most_128_kib() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let mut other = Client::connect(&server, "bob").await;
    for bytes in [131_071, 131_072] {
        let text = packet(bytes);
        assert_eq!(text.len(), bytes);
        client.raw(text).await;
        assert_eq!(client.ack().await.1["error"]["code"], "token_invalid", "{bytes}");
    }
    client.raw(packet(131_073)).await;
    client.closed().await;
    other.alive().await;
    let mut client = Client::connect(&server, "ada").await;
    let _ = client.socket.send(Message::Text(packet(2_000_000).into())).await;
    client.closed().await;
    server.sessions(1).await;
    other.alive().await;
}

#[tokio::test]
async fn a_polling_body_has_at_most_128_kib() {
    let server = Server::start().await;
    let mut other = Client::connect(&server, "bob").await;
    let polling = Polling::open(&server).await;
    assert_eq!(polling.post(r#"40{"token":"ada"}"#).await, 200);
    polling.packets(2).await;
    for bytes in [131_071, 131_072] {
        assert_eq!(polling.post(&packet(bytes)).await, 200, "{bytes}");
        let [answer]: [String; 1] = polling.packets(1).await.try_into().unwrap();
        assert!(answer.contains("token_invalid"), "{answer}");
    }
    assert_eq!(polling.post(&packet(131_073)).await, 413);
    server.sessions(1).await;
    assert!(polling.poll().await.is_err(), "the session is gone");
    other.alive().await;
}

#[tokio::test]
async fn commands_over_the_waiting_limit_are_answered_too() {
    let config = SocketIoConfig::default().with_waiting_commands(4, 1024 * 1024);
    let server = Server::with(generous(), config).await;
    let mut client = Client::connect(&server, "ada").await;
    Client::connect(&server, "bob").await;
    let count = 60;
    // In one write, so that they come in faster than they are worked off.
    for _ in 0..count {
        let arguments = json!(["send_message", { "recipient_id": "bob", "text": "x" }]);
        client
            .socket
            .feed(Message::Text(format!("421{arguments}").into()))
            .await
            .unwrap();
    }
    client.socket.flush().await.unwrap();
    let mut overloaded = 0;
    for _ in 0..count {
        let answer = client.ack().await.1;
        if answer["ok"] == false {
            assert_eq!(answer["error"]["code"], "overloaded", "{answer}");
            assert!(answer["error"]["retry_after_ms"].is_u64());
            overloaded += 1;
        }
    }
    assert!(overloaded > 0 && overloaded < count, "{overloaded}");
    client.alive().await;
}

#[tokio::test]
async fn a_full_node_takes_no_more() {
    let mut chat = ChatConfig::default();
    chat.limits.connections = 1;
    let server = Server::with(chat, SocketIoConfig::default()).await;
    let mut client = Client::connect(&server, "ada").await;
    assert_eq!(Client::open(&server, &[]).await.err(), Some(503));
    client.alive().await;
    drop(client);
    for _ in 0..100 {
        if Client::open(&server, &[]).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place was not given back");
}

#[tokio::test]
async fn a_panic_in_one_connection_leaves_the_others_alone() {
    let server = Server::start().await;
    let mut other = Client::connect(&server, "bob").await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    client.raw(r#"40{"token":"panic"}"#).await;
    assert!(matches!(client.got().await, Got::Refused(_)));
    other.alive().await;
}

#[tokio::test]
async fn an_address_has_few_connections_that_are_not_authenticated() {
    let config = SocketIoConfig::default().with_unauthenticated_per_address(2);
    let server = Server::with(generous(), config).await;
    let here = [("x-from", "192.0.2.1")];
    let mut first = Client::open(&server, &here).await.unwrap();
    assert_eq!(request(&server, "GET", "", &here, "").await.0, 200);
    assert_eq!(Client::open(&server, &here).await.err(), Some(429));
    let (status, body) = request(&server, "GET", "", &here, "").await;
    assert_eq!(status, 429);
    assert!(body.contains("rate_limited"), "{body}");
    assert!(Client::open(&server, &[("x-from", "192.0.2.2")]).await.is_ok());
    first.raw(r#"40{"token":"ada"}"#).await;
    first.event_after_connect().await;
    assert!(
        Client::open(&server, &here).await.is_ok(),
        "one of them is known now"
    );
}

use std::time::Duration;

use chat_core::id::UserId;
use chat_core::live::EndReason;
use chat_websocket::WebSocketConfig;
use serde_json::json;

use crate::client::{Client, Got};
use crate::server::{Server, generous};

#[tokio::test]
async fn ready_comes_first_and_names_the_session() {
    let server = Server::start().await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    assert_eq!(client.ask("auth", json!({ "token": "ada" })).await["ok"], true);
    let ready = client.event("ready").await;
    assert_eq!(ready["user_id"], "ada");
    assert!(ready["session_id"].is_string());
    assert_eq!(ready["limits"]["frame_bytes"], 131_072);
    client.alive().await;
}

#[tokio::test]
async fn a_host_session_in_the_headers_counts_too() {
    let server = Server::start().await;
    for (header, value) in [("cookie", "user=bob"), ("authorization", "Bearer bob")] {
        let mut client = Client::open(&server, &[(header, value)]).await.unwrap();
        assert_eq!(client.ask("auth", json!({})).await["ok"], true, "{header}");
        assert_eq!(client.event("ready").await["user_id"], "bob");
    }
}

#[tokio::test]
async fn a_refused_token_is_answered_and_closed() {
    let server = Server::start().await;
    for (data, code, close) in [
        (json!({ "token": "bad" }), "token_invalid", 4401),
        (json!({ "token": "expired" }), "token_expired", 4401),
        (json!({}), "unauthenticated", 4401),
        (json!({ "token": 7 }), "invalid_argument", 4401),
        (json!({ "token": "ada", "user": "bob" }), "invalid_argument", 4401),
        (json!({ "token": "down" }), "unavailable", 1013),
        (json!({ "token": "panic" }), "internal", 1013),
    ] {
        let mut client = Client::open(&server, &[]).await.unwrap();
        let answer = client.ask("auth", data.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{data}");
        assert_eq!(client.closed().await, close, "{data}");
    }
    assert_eq!(server.engine.live().count(), 0);
}

#[tokio::test]
async fn nothing_but_auth_comes_first() {
    let server = Server::start().await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    let answer = client.ask("sync", json!({})).await;
    assert_eq!(answer["error"]["code"], "unauthenticated");
    assert_eq!(client.closed().await, 4401);
    let mut client = Client::open(&server, &[]).await.unwrap();
    let (_, code, _) = client.refused("junk").await;
    assert_eq!(code, "invalid_argument");
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test]
async fn auth_has_to_come_in_time() {
    let config = WebSocketConfig::default().with_auth_timeout(Duration::from_millis(200));
    let server = Server::with(generous(), config).await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    assert_eq!(client.closed().await, 4408);
}

#[tokio::test]
async fn a_second_auth_is_refused_and_a_newer_token_of_the_same_user_taken() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let answer = client.ask("auth", json!({ "token": "bob" })).await;
    assert_eq!(answer["error"]["code"], "invalid_operation");
    let answer = client
        .ask("refresh_token", json!({ "token": "renewed:ada" }))
        .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let answer = client.ask("refresh_token", json!({ "token": "bob" })).await;
    assert_eq!(answer["error"]["code"], "token_invalid");
    client.alive().await;
}

#[tokio::test]
async fn one_user_has_at_most_twenty_connections() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::connect(&server, "ada").await);
    }
    let mut one_more = Client::open(&server, &[]).await.unwrap();
    let answer = one_more.ask("auth", json!({ "token": "ada" })).await;
    assert_eq!(answer["error"]["code"], "rate_limited");
    assert!(answer["error"]["retry_after_ms"].is_u64());
    assert_eq!(one_more.closed().await, 4429);
    Client::connect(&server, "bob").await.alive().await;
    drop(clients);
    server.sessions(0).await;
    Client::connect(&server, "ada").await.alive().await;
}

#[tokio::test]
async fn the_end_of_a_session_is_told_and_closed() {
    for (reason, name, close) in [
        (EndReason::TokenExpired, "token_expired", 4403),
        (EndReason::Revoked, "revoked", 4403),
    ] {
        let server = Server::start().await;
        let mut client = Client::connect(&server, "ada").await;
        let mut other = Client::connect(&server, "bob").await;
        server
            .engine
            .live()
            .end_user(&UserId::new("ada").unwrap(), reason);
        assert_eq!(client.event("session_ending").await["reason"], name);
        assert_eq!(client.closed().await, close);
        other.alive().await;
        server.sessions(1).await;
    }
}

#[tokio::test]
async fn a_restart_says_when_to_come_back() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    server.engine.live().close(Duration::from_secs(1));
    let ending = client.event("session_ending").await;
    assert_eq!(ending["reason"], "server_restart");
    assert!(ending["reconnect_after_ms"].is_u64());
    assert_eq!(client.closed().await, 1012);
    let mut late = Client::open(&server, &[]).await.unwrap();
    let answer = late.ask("auth", json!({ "token": "bob" })).await;
    assert_eq!(answer["error"]["code"], "unavailable");
    assert!(matches!(late.got().await, Got::Closed(1013)));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_given_up() {
    let config =
        WebSocketConfig::default().with_heartbeat(Duration::from_millis(100), Duration::from_millis(150));
    let server = Server::with(generous(), config).await;
    let silent = Client::connect(&server, "ada").await;
    let mut lively = Client::connect(&server, "bob").await;
    for _ in 0..20 {
        // The client library answers pings while it reads.
        lively.alive().await;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    server.sessions(1).await;
    drop(silent);
}

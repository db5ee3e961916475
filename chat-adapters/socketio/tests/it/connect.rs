use std::time::{Duration, Instant};

use chat_core::id::UserId;
use chat_core::live::EndReason;
use chat_socketio::SocketIoConfig;
use futures::future::join_all;
use serde_json::json;

use crate::client::{Client, Got};
use crate::server::{Server, generous};

#[tokio::test]
async fn ready_comes_first_and_the_socket_has_the_session_s_id() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    client.alive().await;
}

#[tokio::test]
async fn a_host_session_in_the_headers_counts_too() {
    let server = Server::start().await;
    for (header, value) in [("cookie", "user=bob"), ("authorization", "Bearer bob")] {
        let mut client = Client::open(&server, &[(header, value)]).await.unwrap();
        client.raw("40").await;
        assert!(matches!(client.got().await, Got::Connected(_)), "{header}");
        assert_eq!(client.event("ready").await["user_id"], "bob");
    }
}

#[tokio::test]
async fn a_refused_handshake_carries_the_code() {
    let server = Server::start().await;
    for (auth, code) in [
        (json!({ "token": "bad" }), "token_invalid"),
        (json!({ "token": "expired" }), "token_expired"),
        (json!({}), "unauthenticated"),
        (json!({ "token": 7 }), "unauthenticated"),
        (json!({ "token": "down" }), "unavailable"),
        (json!({ "token": "panic" }), "internal"),
    ] {
        let refusal = Client::refused(&server, auth.clone()).await;
        assert_eq!(refusal["data"]["code"], code, "{auth}");
        assert!(refusal["message"].is_string());
        assert!(refusal["data"]["detail"].is_string());
        assert!(refusal["data"]["request_id"].is_string());
    }
    assert_eq!(server.engine.live().count(), 0);
}

#[tokio::test]
async fn a_refused_client_may_try_again_but_not_for_ever() {
    let server = Server::start().await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    client.raw(r#"40{"token":"bad"}"#).await;
    assert!(matches!(client.got().await, Got::Refused(_)));
    client.raw(r#"40{"token":"ada"}"#).await;
    assert!(matches!(client.got().await, Got::Connected(_)));
    client.event("ready").await;
    // A CONNECT too many is ignored.
    client.raw(r#"40{"token":"bob"}"#).await;
    client.alive().await;
    assert_eq!(server.engine.live().count(), 1);

    let mut client = Client::open(&server, &[]).await.unwrap();
    for _ in 0..3 {
        client.raw(r#"40{"token":"bad"}"#).await;
        assert!(matches!(client.got().await, Got::Refused(_)));
    }
    client.closed().await;
}

#[tokio::test]
async fn another_namespace_is_refused() {
    let server = Server::start().await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    client.raw(r#"40/admin,{"token":"ada"}"#).await;
    let Got::Refused(text) = client.got().await else {
        panic!("not refused");
    };
    let refusal: serde_json::Value = serde_json::from_str(text.strip_prefix("/admin,").unwrap()).unwrap();
    assert_eq!(refusal["data"]["code"], "not_found");
    assert_eq!(server.engine.live().count(), 0);
}

#[tokio::test]
async fn a_connection_without_connect_is_closed() {
    let config = SocketIoConfig::default().with_connect_timeout(Duration::from_millis(300));
    let server = Server::with(generous(), config).await;
    let began = Instant::now();
    let mut idle = Client::open(&server, &[]).await.unwrap();
    let mut elsewhere = Client::open(&server, &[]).await.unwrap();
    elsewhere.raw("40/admin,").await;
    let mut refused = Client::open(&server, &[]).await.unwrap();
    refused.raw(r#"40{"token":"bad"}"#).await;
    let mut connected = Client::connect(&server, "ada").await;
    idle.closed().await;
    elsewhere.closed().await;
    refused.closed().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    connected.alive().await;
}

#[tokio::test]
async fn an_event_before_connect_breaks_the_protocol() {
    let server = Server::start().await;
    let mut client = Client::open(&server, &[]).await.unwrap();
    client.raw(r#"421["sync",{}]"#).await;
    client.closed().await;
}

#[tokio::test]
async fn the_first_event_after_connect_is_not_lost() {
    let server = Server::start().await;
    let one = |user: usize| {
        let server = &server;
        async move {
            let mut client = Client::open(server, &[]).await.unwrap();
            client
                .raw(format!("40{}", json!({ "token": format!("u{user}") })))
                .await;
            assert!(matches!(client.got().await, Got::Connected(_)));
            client.alive().await;
        }
    };
    for round in 0..20 {
        join_all((0..10).map(|n| one(round * 10 + n))).await;
    }
}

#[tokio::test]
async fn one_user_has_at_most_twenty_connections() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::connect(&server, "ada").await);
    }
    let refusal = Client::refused(&server, json!({ "token": "ada" })).await;
    assert_eq!(refusal["data"]["code"], "rate_limited");
    assert!(refusal["data"]["retry_after_ms"].is_u64());
    Client::connect(&server, "bob").await.alive().await;
    drop(clients);
    server.sessions(0).await;
    Client::connect(&server, "ada").await.alive().await;
}

#[tokio::test]
async fn leaving_ends_the_session_after_what_was_asked() {
    let server = Server::start().await;
    let mut bob = Client::connect(&server, "bob").await;
    let mut ada = Client::connect(&server, "ada").await;
    for number in 0..10 {
        let text = json!(["send_message", { "recipient_id": "bob", "text": number.to_string() }]);
        ada.raw(format!("42{text}")).await;
    }
    ada.raw("41").await;
    ada.closed().await;
    server.sessions(1).await;
    let mut seen = 0;
    while seen < 10 {
        match bob.got().await {
            Got::Event(name, _) => seen += usize::from(name == "message_created"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_end_of_a_login_is_told_and_final() {
    for (reason, name) in [
        (EndReason::TokenExpired, "token_expired"),
        (EndReason::Revoked, "revoked"),
    ] {
        let server = Server::start().await;
        let mut client = Client::connect(&server, "ada").await;
        let mut other = Client::connect(&server, "bob").await;
        server
            .engine
            .live()
            .end_user(&UserId::new("ada").unwrap(), reason);
        assert_eq!(client.event("session_ending").await, json!({ "reason": name }));
        assert!(matches!(client.got().await, Got::Disconnected));
        assert!(matches!(client.got().await, Got::Closed));
        other.alive().await;
        server.sessions(1).await;
    }
}

#[tokio::test]
async fn a_restart_says_when_to_come_back_and_lets_the_client_do_so() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    server.engine.live().close(Duration::from_secs(1));
    let ending = client.event("session_ending").await;
    assert_eq!(ending["reason"], "server_restart");
    assert!(ending["reconnect_after_ms"].is_u64());
    // Without DISCONNECT: after that the official client would stay away.
    assert!(matches!(client.got().await, Got::Closed));
    let refusal = Client::refused(&server, json!({ "token": "bob" })).await;
    assert_eq!(refusal["data"]["code"], "unavailable");
}

#[tokio::test]
async fn a_newer_token_of_the_same_user_is_taken() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let answer = client
        .ask(&json!(["refresh_token", { "token": "renewed:ada" }]))
        .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let answer = client.ask(&json!(["refresh_token", { "token": "bob" }])).await;
    assert_eq!(answer["error"]["code"], "token_invalid");
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_given_up() {
    let config =
        SocketIoConfig::default().with_heartbeat(Duration::from_millis(100), Duration::from_millis(150));
    let server = Server::with(generous(), config).await;
    let silent = Client::connect(&server, "ada").await;
    let mut lively = Client::connect(&server, "bob").await;
    for _ in 0..20 {
        lively.alive().await;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    server.sessions(1).await;
    drop(silent);
}

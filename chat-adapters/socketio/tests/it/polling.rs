use std::time::Duration;

use chat_core::id::UserId;
use chat_core::live::EndReason;
use chat_socketio::SocketIoConfig;
use futures::StreamExt;
use serde_json::json;

use crate::client::Client;
use crate::http::{Polling, request};
use crate::server::{Server, generous};

async fn connected<'a>(server: &'a Server, user: &str) -> Polling<'a> {
    let polling = Polling::open(server).await;
    let connect = format!("40{}", json!({ "token": user }));
    assert_eq!(polling.post(&connect).await, 200);
    let packets = polling.packets(2).await;
    assert!(packets[0].starts_with("40{"), "{packets:?}");
    assert!(packets[1].starts_with(r#"42["ready","#), "{packets:?}");
    polling
}

#[tokio::test]
async fn polling_works_from_connect_to_event() {
    let server = Server::start().await;
    let polling = connected(&server, "ada").await;
    let mut bob = Client::connect(&server, "bob").await;
    let command = r#"421["set_foreground",{"foreground":true}]"#;
    assert_eq!(polling.post(&format!("{command}\u{1e}{command}")).await, 200);
    let answers = polling.packets(2).await;
    for answer in &answers {
        let body: serde_json::Value = serde_json::from_str(answer.strip_prefix("431").unwrap()).unwrap();
        assert_eq!(body, serde_json::json!([{"ok": true, "data": {}}]));
    }
    assert_eq!(answers.len(), 2);
    for number in 0..500 {
        server.push("ada", number, 1_000).await;
        if number % 50 == 49 {
            let packets = polling.packets(50).await;
            assert_eq!(packets.len(), 50);
            for (index, packet) in packets.iter().enumerate() {
                let expected = format!(r#"42["typing_changed",{{"number":{},"#, number - 49 + index);
                assert!(packet.starts_with(&expected), "{packet}");
            }
        }
    }
    bob.alive().await;
}

#[tokio::test]
async fn the_end_is_told_while_polling_too() {
    let server = Server::start().await;
    let polling = connected(&server, "ada").await;
    server
        .engine
        .live()
        .end_user(&UserId::new("ada").unwrap(), EndReason::Revoked);
    let mut packets = Vec::new();
    while let Ok(more) = polling.poll().await {
        packets.extend(more);
    }
    assert_eq!(packets[0], r#"42["session_ending",{"reason":"revoked"}]"#);
    assert_eq!(packets[1], "41");
    server.sessions(0).await;
}

#[tokio::test]
async fn a_refused_handshake_carries_the_code() {
    let server = Server::start().await;
    let polling = Polling::open(&server).await;
    assert_eq!(polling.post(r#"40{"token":"bad"}"#).await, 200);
    let [refusal]: [String; 1] = polling.packets(1).await.try_into().unwrap();
    let refusal: serde_json::Value = serde_json::from_str(refusal.strip_prefix("44").unwrap()).unwrap();
    assert_eq!(refusal["data"]["code"], "token_invalid");
}

#[tokio::test]
async fn an_abandoned_handshake_is_forgotten() {
    let config = SocketIoConfig::default().with_connect_timeout(Duration::from_millis(200));
    let server = Server::with(generous(), config).await;
    let polling = Polling::open(&server).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(polling.poll().await.is_err());
    assert_eq!(polling.post(r#"40{"token":"ada"}"#).await, 400);
}

#[tokio::test]
async fn unknown_sessions_and_old_protocols_are_refused() {
    let server = Server::start().await;
    assert_eq!(request(&server, "GET", "&sid=nonsense", &[], "").await.0, 400);
    assert_eq!(request(&server, "POST", "", &[], "40").await.0, 400);
    assert_eq!(
        request(&server, "GET", "&EIO=3", &[], "").await.0,
        200,
        "the first EIO counts"
    );
}

#[tokio::test]
async fn a_polling_connection_can_be_upgraded() {
    let server = Server::start().await;
    let polling = connected(&server, "ada").await;
    let mut client = Client::upgrade(&server, &format!("&sid={}", polling.sid), &[])
        .await
        .unwrap();
    client.raw("2probe").await;
    let pong = client.socket.next().await.unwrap().unwrap();
    assert_eq!(pong.into_text().unwrap().as_str(), "3probe");
    client.raw("5").await;
    client.alive().await;
    server.push("ada", 1, 1).await;
    assert_eq!(client.event("typing_changed").await["number"], 1);
    server.sessions(1).await;
}

#[tokio::test]
async fn an_upgrade_that_fails_half_way_ends_the_connection() {
    let server = Server::start().await;
    let polling = connected(&server, "ada").await;
    let mut client = Client::upgrade(&server, &format!("&sid={}", polling.sid), &[])
        .await
        .unwrap();
    client.raw("2probe").await;
    drop(client);
    server.sessions(0).await;
}

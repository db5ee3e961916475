use futures::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Got};
use crate::server::Server;

#[tokio::test]
async fn answers_carry_the_id_and_the_data() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    for id in ["ü", "0", "", &"x".repeat(64)] {
        let frame = json!({ "id": id, "op": "set_foreground", "data": { "foreground": false } });
        client.send(frame.to_string()).await;
        assert_eq!(client.answer().await, json!({ "id": id, "ok": true, "data": {} }));
    }
}

#[tokio::test]
async fn whatever_comes_in_is_answered_and_the_connection_stays() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let deep = format!(
        r#"{{"id":"9","op":"sync","data":{}{}}}"#,
        "[".repeat(3000),
        "]".repeat(3000)
    );
    for (frame, id, field) in [
        ("junk", Value::Null, "body"),
        ("", Value::Null, "body"),
        ("[]", Value::Null, "body"),
        ("7", Value::Null, "body"),
        ("null", Value::Null, "body"),
        (r#"{"op":"sync","data":{}}"#, Value::Null, "id"),
        (r#"{"id":"9"}"#, json!("9"), "op"),
        (r#"{"id":"9","op":7}"#, json!("9"), "op"),
        (r#"{"id":"9","op":"no_such_command","data":{}}"#, json!("9"), "op"),
        (r#"{"id":"9","op":"set_foreground"}"#, json!("9"), "body"),
        (
            r#"{"id":"9","op":"set_foreground","data":[1]}"#,
            json!("9"),
            "body",
        ),
        (
            r#"{"id":"9","op":"set_foreground","data":"x"}"#,
            json!("9"),
            "body",
        ),
        (
            r#"{"id":"9","op":"set_foreground","data":{}}"#,
            json!("9"),
            "foreground",
        ),
        (
            r#"{"id":"9","op":"sync","data":{"token":"\ud800"}}"#,
            json!("9"),
            "body",
        ),
        (&deep, json!("9"), "body"),
    ] {
        let refused = client.refused(frame).await;
        assert_eq!(refused, (id, json!("invalid_argument"), json!(field)), "{frame}");
        client.alive().await;
    }
}

#[tokio::test]
async fn binary_frames_are_refused_and_not_taken_as_text() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let frame = json!({ "id": "1", "op": "set_foreground", "data": { "foreground": true } }).to_string();
    client
        .socket
        .send(Message::Binary(frame.into_bytes().into()))
        .await
        .unwrap();
    let answer = client.answer().await;
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["error"]["code"], "invalid_argument");
    client.alive().await;
}

#[tokio::test]
async fn commands_take_effect_in_the_order_they_were_sent() {
    let server = Server::start().await;
    let mut ada = Client::connect(&server, "ada").await;
    let mut bob = Client::connect(&server, "bob").await;
    for number in 0..30 {
        let frame = json!({
            "id": number.to_string(), "op": "send_message",
            "data": { "recipient_id": "bob", "text": number.to_string() },
        });
        ada.send(frame.to_string()).await;
    }
    for number in 0..30_u64 {
        let answer = ada.answer().await;
        assert_eq!(answer["id"], number.to_string(), "{answer}");
        assert_eq!(answer["data"]["message"]["seq"], number + 1, "{answer}");
    }
    let mut seen = 0;
    while seen < 30 {
        match bob.got().await {
            Got::Json(json) if json["event"] == "message_created" => {
                seen += 1;
                assert_eq!(json["data"]["seq"], seen);
            }
            Got::Json(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_command_sent_with_the_token_is_not_lost() {
    let server = Server::start().await;
    for _ in 0..100 {
        let mut client = Client::open(&server, &[]).await.unwrap();
        client
            .send(r#"{"id":"a","op":"auth","data":{"token":"ada"}}"#)
            .await;
        client
            .send(r#"{"id":"b","op":"set_foreground","data":{"foreground":true}}"#)
            .await;
        assert_eq!(client.answer().await["id"], "a");
        assert_eq!(client.answer().await["id"], "b");
        assert_eq!(client.event("ready").await["user_id"], "ada");
        client.socket.close(None).await.unwrap();
        client.closed().await;
        server.sessions(0).await;
    }
}

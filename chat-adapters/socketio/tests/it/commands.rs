use futures::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Got};
use crate::server::Server;

#[tokio::test]
async fn what_cannot_be_carried_out_is_acknowledged_with_code_and_field() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    for (arguments, field) in [
        (json!(["no_such_command", {}]), "op"),
        (json!(["ready", {}]), "op"),
        (json!(["quoted \" name", {}]), "op"),
        (json!([7, {}]), "op"),
        (json!(["set_foreground"]), "body"),
        (json!(["set_foreground", null]), "body"),
        (json!(["set_foreground", 7]), "body"),
        (json!(["set_foreground", "text"]), "body"),
        (json!(["set_foreground", []]), "body"),
        (json!(["set_foreground", true]), "body"),
        (json!(["set_foreground", {}]), "foreground"),
        (json!(["set_foreground", { "foreground": true, "zzz": 1 }]), "zzz"),
    ] {
        let answer = client.ask(&arguments).await;
        assert_eq!(answer["ok"], false, "{arguments}");
        let error = &answer["error"];
        assert_eq!(error["code"], "invalid_argument", "{arguments}");
        assert_eq!(error["field"], field, "{arguments}");
        assert!(error["detail"].is_string() && error["request_id"].is_string());
        client.alive().await;
    }
}

#[tokio::test]
async fn deep_and_broken_payloads_are_answered() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let deep = format!(r#"["sync",{}{}]"#, "[".repeat(3000), "]".repeat(3000));
    for text in [
        deep.as_str(),
        r#"["sync",{"token":"\ud800"}]"#,
        r#"["sync",{]"#,
        "[]",
    ] {
        client.raw(format!("4277{text}")).await;
        let (id, answer) = client.ack().await;
        assert_eq!(id, 77);
        assert_eq!(answer["error"]["code"], "invalid_argument", "{text}");
        client.alive().await;
    }
}

#[tokio::test]
async fn surplus_arguments_are_ignored() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let arguments = json!(["set_foreground", { "foreground": true }, { "foreground": 7 }, 3]);
    assert_eq!(client.ask(&arguments).await, json!({ "ok": true, "data": {} }));
}

#[tokio::test]
async fn binary_payloads_are_refused_with_a_code() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    client
        .raw(r#"451-5["set_foreground",{"_placeholder":true,"num":0}]"#)
        .await;
    client
        .socket
        .send(Message::Binary(vec![1, 2, 3].into()))
        .await
        .unwrap();
    let (id, answer) = client.ack().await;
    assert_eq!((id, &answer["error"]["field"]), (5, &json!("body")));
    client.alive().await;
}

#[tokio::test]
async fn commands_without_an_ack_are_carried_out() {
    let server = Server::start().await;
    let mut ada = Client::connect(&server, "ada").await;
    let mut bob = Client::connect(&server, "bob").await;
    let arguments = json!(["send_message", { "recipient_id": "bob", "text": "no ack" }]);
    ada.raw(format!("42{arguments}")).await;
    loop {
        match bob.got().await {
            Got::Event(name, payload) if name == "message_created" => {
                assert_eq!(payload["message"]["text"], "no ack");
                break;
            }
            Got::Event(..) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn commands_take_effect_in_the_order_they_were_sent() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    Client::connect(&server, "bob").await;
    let mut ids = Vec::new();
    for number in 0..30 {
        let text = number.to_string();
        ids.push(
            client
                .emit(&json!(["send_message", { "recipient_id": "bob", "text": text }]))
                .await,
        );
    }
    for (number, id) in ids.into_iter().enumerate() {
        let (acked, answer) = client.ack().await;
        assert_eq!(acked, id);
        assert_eq!(answer["data"]["message"]["seq"], number + 1, "{answer}");
    }
}

#[tokio::test]
async fn malformed_packets_close_only_their_connection() {
    let server = Server::start().await;
    let mut other = Client::connect(&server, "bob").await;
    for packet in [
        "",
        "9",
        "4",
        "49",
        "47x",
        "43",
        "43[]",
        "44",
        "45",
        "4599999-[\"x\"]",
        "42/other,[\"x\"]",
        "6",
    ] {
        let mut client = Client::connect(&server, "ada").await;
        client.raw(packet).await;
        client.closed().await;
        other.alive().await;
    }
    let mut client = Client::connect(&server, "ada").await;
    client.socket.send(Message::Binary(vec![1].into())).await.unwrap();
    client.closed().await;
    server.sessions(1).await;
}

#[tokio::test]
async fn acks_of_the_client_are_ignored() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    client.raw("431[]").await;
    client.raw(format!("437{}", Value::Array(vec![json!({})]))).await;
    client.alive().await;
}

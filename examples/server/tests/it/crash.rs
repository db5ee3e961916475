//! A crash: what was acknowledged is there afterwards.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::start;
use crate::wire::{Live, call, sign_up};

#[tokio::test]
async fn every_acked_message_survives_a_kill() {
    let data = TempDir::new().unwrap();
    let mut server = start(data.path(), &[]).await;
    let (ada, token) = sign_up(&server, "ada").await;
    let (ben, _) = sign_up(&server, "ben").await;
    let mut live = Live::open(&server, &token).await;
    let first = live
        .command("send_message", json!({ "recipient_id": ben, "text": "m0" }))
        .await;
    let conversation = first["message"]["conversation_id"].as_str().unwrap().to_owned();
    let mut acked = vec![first["message"].clone()];

    let killer = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.child.kill().await.unwrap();
    };
    let sender = async {
        for n in 1.. {
            let data = json!({ "conversation_id": conversation, "text": format!("m{n}"), "client_id": format!("c{n}") });
            match live.try_command("send_message", data).await {
                Some(answer) => acked.push(answer["message"].clone()),
                None => break,
            }
            // Under the rate limit, so that the kill ends the loop and nothing else.
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::join!(killer, sender);
    assert!(acked.len() > 2, "only {} were acked", acked.len());

    let server = start(data.path(), &[]).await;
    let path = format!("/conversations/{conversation}/messages?after=0&order=asc&limit=100");
    let page = call(&server, &token, "GET", &path, Value::Null).await.json();
    let items = page["items"].as_array().unwrap();
    for (index, message) in acked.iter().enumerate() {
        for field in ["id", "seq", "text", "created_at"] {
            assert_eq!(items[index][field], message[field], "{field} of message {index}");
        }
        assert_eq!(items[index]["sender"]["id"], ada.as_str());
    }
    // At most the one that was on its way is there beyond them.
    assert!(
        items.len() <= acked.len() + 1,
        "{} of {}",
        items.len(),
        acked.len()
    );
}

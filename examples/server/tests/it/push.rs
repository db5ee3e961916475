//! From a message to the server of FCM.

use std::path::Path;
use std::time::Duration;

use chat_fake_fcm::{Act, FakeFcm};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::process::{LONG, Server, start};
use crate::wire::{Live, call, get, sign_up};

async fn server(data: &Path, fake: &FakeFcm) -> Server {
    let file = data.join("account.json");
    std::fs::write(&file, fake.credentials()).unwrap();
    let variables = [
        ("CHAT_FCM_CREDENTIALS", file.to_str().unwrap()),
        ("CHAT_FCM_ENDPOINT", fake.url.as_str()),
    ];
    start(data, &variables).await
}

/// How many entries of pushes the server has worked off.
async fn carried(server: &Server) -> u64 {
    let metrics = get(server, "/metrics").await.body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("chat_relay_delivered_total{topic=\"push\"}"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0)
}

async fn until_carried(server: &Server, entries: u64) {
    let carried = async {
        while carried(server).await < entries {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, carried).await.unwrap();
}

async fn send(server: &Server, token: &str, body: Value) -> Value {
    let sent = call(server, token, "POST", "/messages", body).await;
    assert!(sent.status < 300, "{}", sent.body);
    sent.json()["message"].clone()
}

async fn change(server: &Server, token: &str, method: &str, path: &str, body: Value) {
    let changed = call(server, token, method, path, body).await;
    assert!(changed.status < 300, "{method} {path}: {}", changed.body);
}

fn of_kind<'m>(messages: &'m [Value], kind: &str) -> Vec<&'m Value> {
    messages
        .iter()
        .filter(|message| message["data"]["kind"] == kind)
        .collect()
}

#[tokio::test]
async fn who_is_offline_is_told_once_and_who_is_not_to_be_told_is_not() {
    let (data, fake) = (TempDir::new().unwrap(), FakeFcm::start().await);
    let server = server(data.path(), &fake).await;
    let (ada_id, ada) = sign_up(&server, "ada").await;
    let (ben_id, ben) = sign_up(&server, "ben").await;
    let (cat_id, _) = sign_up(&server, "cat").await;
    let device = json!({ "token": "phone", "platform": "android", "provider": "fcm" });
    change(&server, &ben, "PUT", "/devices", device).await;

    let hello = send(&server, &ada, json!({ "recipient_id": ben_id, "text": "hello" })).await;
    until_carried(&server, 1).await;
    let id = hello["conversation_id"].as_str().unwrap().to_owned();
    let [alert] = fake.taken().try_into().unwrap();
    assert_eq!(alert["notification"], json!({ "title": "ada", "body": "hello" }));
    assert_eq!(alert["data"]["message_id"], hello["id"]);
    assert_eq!(alert["data"]["badge"], "1");

    let settings = format!("/conversations/{id}/settings");
    change(
        &server,
        &ben,
        "PATCH",
        &settings,
        json!({ "muted_until": "forever" }),
    )
    .await;
    send(&server, &ada, json!({ "recipient_id": ben_id, "text": "muted" })).await;
    until_carried(&server, 2).await;
    change(&server, &ben, "PATCH", &settings, json!({ "muted_until": null })).await;

    let group = json!({ "name": "Three", "member_ids": [ben_id, cat_id] });
    let group = call(&server, &ada, "POST", "/conversations/group", group)
        .await
        .json();
    let block = format!("/blocks/{ada_id}");
    change(&server, &ben, "PUT", &block, Value::Null).await;
    let path = format!(
        "/conversations/{}/messages",
        group["conversation"]["id"].as_str().unwrap()
    );
    change(&server, &ada, "POST", &path, json!({ "text": "blocked" })).await;
    until_carried(&server, 3).await;
    change(&server, &ben, "DELETE", &block, Value::Null).await;

    // Connected and looking away: he has a moment to read it.
    let mut live = Live::open(&server, &ben).await;
    live.command("set_foreground", json!({ "foreground": false }))
        .await;
    let read = send(&server, &ada, json!({ "recipient_id": ben_id, "text": "read" })).await;
    until_carried(&server, 4).await;
    live.command("mark_read", json!({ "conversation_id": id, "seq": read["seq"] }))
        .await;
    until_carried(&server, 5).await;

    live.command("set_foreground", json!({ "foreground": true }))
        .await;
    send(&server, &ada, json!({ "recipient_id": ben_id, "text": "online" })).await;
    until_carried(&server, 6).await;

    // Reading took the one alert off the screen.
    let taken = fake.wait_for(2).await;
    assert_eq!(of_kind(&taken, "alert").len(), 1);
    let [clear] = of_kind(&taken, "clear").try_into().unwrap();
    assert_eq!(clear["data"]["up_to_seq"], read["seq"].to_string());
    assert_eq!(fake.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn pushes_that_wait_survive_a_kill() {
    let (data, fake) = (TempDir::new().unwrap(), FakeFcm::start().await);
    let mut first = server(data.path(), &fake).await;
    let (_, ada) = sign_up(&first, "ada").await;
    let (ben_id, ben) = sign_up(&first, "ben").await;
    let device = json!({ "token": "phone", "platform": "ios", "provider": "fcm" });
    change(&first, &ben, "PUT", "/devices", device).await;
    fake.play("phone", &[Act::RetryAfter(503, 6)]);
    for n in 0..11 {
        send(
            &first,
            &ada,
            json!({ "recipient_id": ben_id, "text": n.to_string() }),
        )
        .await;
    }
    // One after the other: all but the last are certainly written down as waiting behind the first.
    until_carried(&first, 11).await;
    first.child.kill().await.unwrap();
    assert_eq!(fake.taken(), Vec::<Value>::new());
    let _second = server(data.path(), &fake).await;
    let bodies: Vec<Value> = fake
        .wait_for(10)
        .await
        .iter()
        .take(10)
        .map(|message| message["notification"]["body"].clone())
        .collect();
    let all: Vec<Value> = (0..10).map(|n| json!(n.to_string())).collect();
    assert_eq!(bodies, all, "each once and in order");
}

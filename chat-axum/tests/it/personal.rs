//! A user's own data over REST: taken along, and erased.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use chat_axum::ChatApi;
use chat_core::ChatEngine;
use chat_core::config::ChatConfig;
use chat_core::memory::MemoryStore;
use serde_json::{Value, json};

use crate::support::{Server, jwt, server};

fn open_server() -> Server {
    let mut config = ChatConfig::default();
    config.policies.self_export = true;
    config.policies.self_erase = true;
    let engine = ChatEngine::builder(Arc::new(MemoryStore::default()))
        .with_config(config)
        .build();
    let api = ChatApi::new(engine.clone(), jwt()).router();
    Server {
        engine,
        app: Router::new().nest("/api", api),
        _media: tempfile::tempdir().unwrap(),
    }
}

#[tokio::test]
async fn both_are_the_hosts_to_allow() {
    let server = server().await;
    let erase = json!({ "messages": "keep" });
    for answer in [
        server.get("ada", "/me/export").await,
        server.call("ada", "POST", "/me/erase", erase).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["code"], "not_permitted");
    }
}

#[tokio::test]
async fn an_export_comes_line_by_line_and_says_when_it_is_complete() {
    let server = open_server();
    server.get("ben", "/me").await;
    let sent = json!({ "recipient_id": "ben", "text": "hello\nben" });
    server.call("ada", "POST", "/messages", sent).await;
    let answer = server.get("ada", "/me/export").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("cache-control"), "no-store");
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["type"], "user");
    assert_eq!(lines[0]["id"], "ada");
    let message = lines.iter().find(|line| line["type"] == "message").unwrap();
    assert_eq!(message["text"], "hello\nben");
    let end = lines.last().unwrap();
    assert_eq!(*end, json!({ "type": "end", "records": lines.len() - 1 }));
}

#[tokio::test]
async fn who_erases_himself_is_shut_out_at_once() {
    let server = open_server();
    server.get("ben", "/me").await;
    let sent = json!({ "recipient_id": "ben", "text": "hello" });
    let sent = server.call("ada", "POST", "/messages", sent).await.json();
    let refused = server.call("ada", "POST", "/me/erase", json!({})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let erased = server
        .call("ada", "POST", "/me/erase", json!({ "messages": "delete" }))
        .await;
    assert_eq!(erased.status, StatusCode::ACCEPTED);
    let refused = server.get("ada", "/me").await;
    assert_eq!(refused.json()["code"], "not_permitted");
    // Whatever of it is left when he is answered.
    server.engine.resume_erasures().await.unwrap();
    let id = sent["message"]["id"].as_str().unwrap();
    let left = server.get("ben", &format!("/messages/{id}")).await.json();
    assert!(left["deleted"].is_object());
    assert_eq!(left["sender"]["deleted"], true);
}

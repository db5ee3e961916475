//! The host's users chat, under the host's own sessions.
// Clippy's leave for tests does not reach the functions that tests share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

async fn call(app: &Router, method: &str, path: &str, session: &str, body: Value) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", format!("theme=dark; session={session}"))
        .header("content-type", "application/json")
        .body(if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        })
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_host_keeps_its_routes_and_its_sessions_rule() {
    let app = chat_embed::app().await.unwrap();
    let (status, text) = call(&app, "GET", "/", "", Value::Null).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "a shop with 2 users"));
    let (status, text) = call(&app, "GET", "/chat-api/me", "forged", Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{text}");
    let (status, text) = call(&app, "GET", "/chat-api/me", "a1", Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["id"], "ada");
}

#[tokio::test]
async fn users_of_the_host_write_to_each_other() {
    let app = chat_embed::app().await.unwrap();
    let send = json!({ "recipient_id": "ben", "text": "is it still for sale?" });
    let (status, text) = call(&app, "POST", "/chat-api/messages", "a1", send).await;
    assert_eq!(status, StatusCode::CREATED, "{text}");
    let (_, text) = call(&app, "GET", "/chat-api/conversations", "b1", Value::Null).await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["items"][0]["my"]["unread_count"], 1, "{text}");
    assert_eq!(
        list["items"][0]["last_message"]["preview"],
        "is it still for sale?"
    );
}

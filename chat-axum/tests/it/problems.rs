//! Errors are problem details with a stable code, and every answer is guarded.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chat_axum::FnAuthenticator;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::port::{Credentials, Identity};
use serde_json::{Value, json};

use crate::support::{ask, bearer, engine, server};

#[tokio::test]
async fn a_refusal_has_all_its_fields() {
    let server = server().await;
    let unknown = "/conversations/01935d5f-0000-7000-8000-000000000000";
    for answer in [
        server.get("", "/me").await,
        server.get("ada", unknown).await,
        server.call("ada", "PATCH", "/me", json!({"nonsense": 1})).await,
        server.get("ada", "/no/such/route").await,
        server.call("ada", "DELETE", "/conversations", Value::Null).await,
    ] {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let body = answer.json();
        for name in ["type", "title", "detail", "code", "request_id"] {
            assert!(body[name].is_string(), "{name} in {body}");
        }
        assert_eq!(body["status"], answer.status.as_u16());
        assert_eq!(body["request_id"], answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_have_codes() {
    let server = server().await;
    let refusal = |status, field: &str| (status, "not_found".to_owned(), field.to_owned());
    assert_eq!(server.get("ada", "/nothing").await.refusal(), refusal(404, ""));
    assert_eq!(server.get("", "/no/thing").await.refusal(), refusal(404, ""));
    for (method, path) in [
        ("POST", "/me"),
        ("PUT", "/messages"),
        ("GET", "/sync"),
        ("DELETE", "/conversations"),
    ] {
        let answer = server.call("ada", method, path, Value::Null).await;
        assert_eq!(answer.refusal(), refusal(405, ""), "{method} {path}");
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn good_answers_are_guarded_too() {
    let server = server().await;
    let answer = server.get("ada", "/me").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-request-id").len(), 36);
    let forged = server
        .raw(
            "GET",
            "/me",
            &[("authorization", &bearer("ada")), ("x-request-id", "mine")],
            Body::empty(),
        )
        .await;
    assert_ne!(forged.header("x-request-id"), "mine");
}

async fn with_auth<F, Fut>(authenticate: F) -> Router
where
    F: Fn(Credentials) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ChatResult<Identity>> + Send + 'static,
{
    let (engine, _, _media) = engine().await;
    chat_axum::router(engine, Arc::new(FnAuthenticator::new(authenticate)))
}

fn request() -> Request<Body> {
    Request::builder().uri("/me").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_lives() {
    let app = with_auth(|_| async { panic!("password=secret") }).await;
    for _ in 0..2 {
        let answer = ask(&app, request()).await;
        assert_eq!(answer.refusal(), (500, "internal".into(), String::new()));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("secret"));
    }
}

#[tokio::test]
async fn waiting_times_and_facts_are_told() {
    let app = with_auth(|_| async {
        Err(ChatError::new(ErrorCode::RateLimited, "slowly")
            .with_retry_after(std::time::Duration::from_millis(1_001))
            .with_fact("version", 3))
    })
    .await;
    let answer = ask(&app, request()).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "2");
    let body = answer.json();
    assert_eq!(body["retry_after_ms"], 1_001);
    assert_eq!(body["details"], json!({"version": 3}));
}

#[tokio::test]
async fn causes_stay_in_the_log() {
    let app = with_auth(|_| async {
        Err(ChatError::new(ErrorCode::Internal, "an internal error")
            .with_source(std::io::Error::other("/secret/path")))
    })
    .await;
    let answer = ask(&app, request()).await;
    assert_eq!(answer.status, 500);
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("path"));
}

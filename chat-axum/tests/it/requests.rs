//! Requests are read strictly: everything that was not asked for is refused by name.

use axum::body::{Body, Bytes};
use serde_json::{Value, json};

use crate::support::{Server, bearer, server};

fn invalid(field: &str) -> (u16, String, String) {
    (422, "invalid_argument".into(), field.into())
}

async fn me(server: &Server, content_type: Option<&str>, body: impl Into<Body>) -> (u16, String, String) {
    let authorization = bearer("ada");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(content_type.map(|value| ("content-type", value)));
    server.raw("PATCH", "/me", &headers, body).await.refusal()
}

#[tokio::test]
async fn bodies_are_one_json_object() {
    let server = server().await;
    let json_type = Some("application/json");
    for bad in [
        "",
        "{",
        "{\"name\":\"x\"",
        "{}{}",
        "\u{feff}",
        "{\"name\":\"\\ud800\"}",
        "[]",
        "null",
        "42",
        "\"x\"",
    ] {
        assert_eq!(me(&server, json_type, bad).await, invalid("body"), "{bad}");
    }
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(me(&server, json_type, deep).await, invalid("body"));
    assert_eq!(
        me(&server, json_type, vec![0x7b, 0x22, 0xff, 0x22, 0x7d]).await,
        invalid("body")
    );
    assert_eq!(
        me(&server, json_type, "{\"name\":\"a\\u0000\"}").await,
        invalid("name")
    );
    assert_eq!(me(&server, json_type, "{\"zzz\":1}").await, invalid("zzz"));
    for good in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/merge-patch+json",
    ] {
        assert_eq!(
            me(&server, Some(good), "{\"name\":\"Ada\"}").await.0,
            200,
            "{good}"
        );
    }
    for bad in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("json"),
    ] {
        let refusal = me(&server, bad, "{\"name\":\"Ada\"}").await;
        assert_eq!(
            (refusal.0, refusal.1.as_str()),
            (415, "unsupported_media_type"),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn bodies_have_a_limit_announced_or_not() {
    let server = server().await;
    let max = server.engine.config().limits.body_bytes;
    let pad = |bytes: usize| format!("{{\"name\":\"Ada\"}}{}", " ".repeat(bytes - 14));
    let stream = |text: String| {
        let chunks: Vec<Result<Bytes, std::io::Error>> = text
            .as_bytes()
            .chunks(10_000)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        Body::from_stream(futures::stream::iter(chunks))
    };
    let json_type = Some("application/json");
    assert_eq!(me(&server, json_type, pad(max)).await.0, 200);
    assert_eq!(me(&server, json_type, pad(max + 1)).await.1, "payload_too_large");
    assert_eq!(me(&server, json_type, stream(pad(max))).await.0, 200);
    assert_eq!(
        me(&server, json_type, stream(pad(max + 1))).await.1,
        "payload_too_large"
    );
}

#[tokio::test]
async fn calls_without_a_body_refuse_fields() {
    let server = server().await;
    let path = "/conversations/read-all";
    assert_eq!(server.call("ada", "POST", path, Value::Null).await.status, 200);
    assert_eq!(server.call("ada", "POST", path, json!({})).await.status, 200);
    assert_eq!(
        server
            .call("ada", "POST", path, json!({"zzz": 1}))
            .await
            .refusal(),
        invalid("zzz")
    );
    assert_eq!(
        server.call("ada", "POST", "/sync", Value::Null).await.refusal(),
        invalid("body")
    );
}

#[tokio::test]
async fn query_strings_are_strict() {
    let server = server().await;
    let id = "01935d5f-0000-7000-8000-000000000000";
    let table = [
        ("/conversations?limit=x", "limit"),
        ("/conversations?limit=", "limit"),
        ("/conversations?limit=0", "limit"),
        ("/conversations?limit=101", "limit"),
        ("/conversations?limit=-1", "limit"),
        ("/conversations?limit=1&limit=2", "limit"),
        ("/conversations?filter=nonsense", "filter"),
        ("/conversations?zzz=1", "zzz"),
        ("/conversations?q=%ff", "q"),
        ("/conversations?q=%00", "q"),
        ("/conversations?q=%", "q"),
        ("/conversations?%ff=1", "query"),
        ("/presence", "user_ids"),
        ("/presence?user_ids=a,%00", "user_ids"),
        ("/search/messages?q=x&from=yesterday", "from"),
        ("/search/messages?q=x&kind=nonsense", "kind"),
        ("/search/messages?q=x&conversation_id=1", "conversation_id"),
        ("/users/online?limit=1000", "limit"),
    ];
    for (path, field) in table {
        assert_eq!(server.get("ada", path).await.refusal(), invalid(field), "{path}");
    }
    for (query, field) in [
        ("before=x", "before"),
        ("order=up", "order"),
        ("limit=1.5", "limit"),
        ("sort=1", "sort"),
    ] {
        let path = format!("/conversations/{id}/messages?{query}");
        assert_eq!(server.get("ada", &path).await.refusal(), invalid(field), "{path}");
    }
    for query in ["", "?for=", "?for=him", "?for=me&for=me"] {
        let path = format!("/messages/{id}{query}");
        let refusal = server.call("ada", "DELETE", &path, Value::Null).await.refusal();
        assert_eq!(refusal, invalid("for"), "{path}");
    }
    assert_eq!(server.get("ada", "/users").await.refusal().1, "query_required");
    assert_eq!(server.get("ada", "/users?q=").await.refusal().1, "query_required");
    assert_eq!(
        server.get("ada", "/conversations?cursor=x").await.refusal().1,
        "invalid_cursor"
    );
}

#[tokio::test]
async fn what_is_no_id_names_nothing() {
    let server = server().await;
    let odd = [
        "1",
        "nonsense",
        "%00",
        "%ff",
        "%",
        "%2e%2e%2f",
        "01935d5f00007000800000000000000",
        "👍",
    ];
    let escaped = |text: &str| text.replace('👍', "%F0%9F%91%8D");
    for id in odd.map(escaped) {
        for (path, code) in [
            (format!("/conversations/{id}"), "conversation_not_found"),
            (format!("/conversations/{id}/messages"), "conversation_not_found"),
            (format!("/conversations/{id}/members"), "conversation_not_found"),
            (format!("/messages/{id}"), "message_not_found"),
            (format!("/messages/{id}/receipts"), "message_not_found"),
            (format!("/attachments/{id}"), "attachment_not_found"),
            (format!("/attachments/{id}/content"), "attachment_not_found"),
        ] {
            let (status, found, _) = server.get("ada", &path).await.refusal();
            assert_eq!((status, found.as_str()), (404, code), "{path}");
        }
    }
    for id in ["nobody", "%00", "%ff", "%0a", &"x".repeat(65)] {
        let (status, code, _) = server.get("ada", &format!("/users/{id}")).await.refusal();
        assert_eq!((status, code.as_str()), (404, "user_not_found"), "{id}");
        let refusal = server
            .call("ada", "PUT", &format!("/blocks/{id}"), Value::Null)
            .await
            .refusal();
        assert_eq!((refusal.0, refusal.1.as_str()), (404, "user_not_found"), "{id}");
    }
    assert!(
        server
            .get("ada", "/conversations/")
            .await
            .status
            .is_client_error()
    );
    let path = "/messages/01935d5f-0000-7000-8000-000000000000/reactions/%ff";
    assert_eq!(
        server.call("ada", "PUT", path, Value::Null).await.refusal(),
        invalid("emoji")
    );
}

#[tokio::test]
async fn writing_counts_and_reading_does_not() {
    let server = server().await;
    for _ in 0..60 {
        assert_eq!(server.get("ada", "/me").await.status, 200);
        assert_eq!(server.call("ada", "POST", "/sync", json!({})).await.status, 200);
    }
    let mut refused = None;
    for _ in 0..60 {
        let answer = server.call("ada", "PATCH", "/me", json!({"name": "Ada"})).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let answer = refused.expect("a limit");
    assert_eq!(answer.json()["code"], "rate_limited");
    assert!(answer.json()["retry_after_ms"].as_u64().unwrap() > 0);
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(
        server
            .call("bob", "PATCH", "/me", json!({"name": "Bob"}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_reads_no_query_string_refuses_one() {
    let server = server().await;
    let authorization = bearer("ada");
    let headers = [("authorization", authorization.as_str())];
    for (method, path) in [
        ("GET", "/me"),
        ("HEAD", "/me"),
        ("GET", "/devices"),
        ("GET", "/capabilities"),
        ("POST", "/conversations/read-all"),
        ("PUT", "/blocks/ben"),
    ] {
        let refusal = server
            .raw(method, &format!("{path}?zzz=1"), &headers, "")
            .await
            .refusal();
        let seen = if method == "HEAD" {
            refusal.0 == 422
        } else {
            refusal == invalid("zzz")
        };
        assert!(seen, "{method} {path}: {refusal:?}");
    }
    let anonymous = server.raw("GET", "/me?token=x", &[], "").await.refusal();
    assert_eq!((anonymous.0, anonymous.1.as_str()), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_body_that_is_missing_is_malformed_and_not_of_a_wrong_type() {
    let server = server().await;
    assert_eq!(me(&server, None, "").await, invalid("body"));
    let authorization = bearer("ada");
    let headers = [("authorization", authorization.as_str())];
    let nameless = server.raw("DELETE", "/devices", &headers, "").await;
    assert_eq!(nameless.refusal(), invalid("token"));
}

//! What is served: the page, health, metrics, the API.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use crate::process::{LONG, start};
use crate::wire::{Live, call, get, request, sign_up};

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy_and_every_file_it_names() {
    let data = TempDir::new().unwrap();
    let server = start(data.path(), &[]).await;
    let page = get(&server, "/").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let again = request(&server, "GET", "/", &[("if-none-match", page.header("etag"))], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));

    // Follows every link and import from the page on.
    let mut wanted = ["app.css", "panels.css", "icon.svg", "app.js"]
        .map(str::to_owned)
        .to_vec();
    let mut seen: Vec<String> = Vec::new();
    for name in &wanted {
        assert!(page.body.contains(&format!("/web/{name}")), "{name}");
    }
    while let Some(name) = wanted.pop() {
        let file = get(&server, &format!("/web/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        if name.ends_with(".js") {
            assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
            assert!(!file.body.contains("innerHTML"), "{name}");
        }
        for import in file.body.lines().filter_map(|line| line.split_once("from './")) {
            let import = import.1.trim_end_matches("';").to_owned();
            if !seen.contains(&import) && !wanted.contains(&import) {
                wanted.push(import);
            }
        }
        seen.push(name);
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[tokio::test]
async fn where_nothing_is_a_program_and_a_person_are_told() {
    let data = TempDir::new().unwrap();
    let server = start(data.path(), &[("CHAT_STORE", "memory")]).await;
    for path in [
        "/nothing",
        "/web/nothing.js",
        "/web/..%2Fsrc%2Fmain.rs",
        "/api/nothing",
    ] {
        let answer = get(&server, path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "application/problem+json"),
            "{path}"
        );
        let problem = answer.json();
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!("not_found"), &json!(404)),
            "{path}"
        );
        assert!(problem["request_id"].is_string());
    }
    let person = request(&server, "GET", "/nothing", &[("accept", "text/html,*/*")], "").await;
    assert_eq!(
        (person.status, person.header("content-type")),
        (404, "text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn health_ready_and_metrics_need_no_token() {
    let data = TempDir::new().unwrap();
    let server = start(
        data.path(),
        &[("CHAT_JWT_SECRET", "0123456789abcdef-secret-of-this-test")],
    )
    .await;
    assert_eq!(get(&server, "/health").await.status, 200);
    assert_eq!(get(&server, "/ready").await.status, 200);
    let (ada, token) = sign_up(&server, "ada").await;
    let (ben, _) = sign_up(&server, "ben").await;
    let mut live = Live::open(&server, &token).await;
    live.command(
        "send_message",
        json!({ "recipient_id": ben, "text": "a body nobody counts" }),
    )
    .await;
    let metrics = get(&server, "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for expected in [
        "# HELP chat_commands_total ",
        "# TYPE chat_commands_total counter",
        "chat_commands_total{command=\"send_message\",code=\"ok\"} 1",
        "chat_live_sessions 1",
        "chat_commits_total{outcome=\"ok\"} 1",
        "# TYPE chat_http_request_seconds histogram",
        "chat_http_requests_total{",
        "process_start_time_seconds ",
    ] {
        assert!(metrics.body.contains(expected), "{expected}\n{}", metrics.body);
    }
    for secret in [
        "secret-of-this-test",
        "a body nobody counts",
        ada.as_str(),
        token.as_str(),
    ] {
        assert!(!metrics.body.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn without_accounts_only_tokens_come_in() {
    let data = TempDir::new().unwrap();
    let server = start(data.path(), &[("CHAT_ACCOUNTS", "off"), ("CHAT_STORE", "memory")]).await;
    let headers = [("content-type", "application/json")];
    assert_eq!(
        request(&server, "POST", "/api/auth/login", &headers, "{}")
            .await
            .status,
        404
    );
    assert_eq!(
        call(&server, "nonsense", "GET", "/me", Value::Null).await.status,
        401
    );
}

#[tokio::test]
async fn pages_of_other_sites_may_call_when_they_are_listed() {
    let data = TempDir::new().unwrap();
    let memory = ("CHAT_STORE", "memory");
    let server = start(data.path(), &[memory]).await;
    let foreign = [("origin", "https://app.example")];
    assert_eq!(
        request(&server, "GET", "/api/capabilities", &foreign, "")
            .await
            .status,
        403
    );
    let own = format!("http://{}", server.authority);
    assert_ne!(
        request(&server, "GET", "/api/capabilities", &[("origin", &own)], "")
            .await
            .status,
        403
    );

    let server = start(
        data.path(),
        &[
            memory,
            (
                "CHAT_ALLOWED_ORIGINS",
                "https://app.example, http://localhost:5173",
            ),
        ],
    )
    .await;
    let answer = request(&server, "GET", "/api/me", &foreign, "").await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (401, "https://app.example")
    );
    // Socket.IO clients begin with polling.
    let polling = "/socket.io/?EIO=4&transport=polling";
    let answer = request(&server, "GET", polling, &foreign, "").await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, "https://app.example")
    );
    let asked = [
        ("origin", "http://localhost:5173"),
        ("access-control-request-method", "PATCH"),
    ];
    let preflight = request(&server, "OPTIONS", "/api/me", &asked, "").await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
    let evil = [
        ("origin", "https://app.example.evil.example"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(
        request(&server, "OPTIONS", "/api/me", &evil, "").await.status,
        403
    );
}

#[tokio::test]
async fn a_request_head_that_never_ends_is_cut() {
    let data = TempDir::new().unwrap();
    let server = start(data.path(), &[("CHAT_STORE", "memory")]).await;
    let mut stream = TcpStream::connect(&server.authority).await.unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let started = std::time::Instant::now();
    let mut rest = Vec::new();
    let _cut = timeout(LONG, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(13),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(get(&server, "/health").await.status, 200);
}

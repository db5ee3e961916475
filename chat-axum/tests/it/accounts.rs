//! Sign-up, login, logout.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use chat_axum::{Accounts, ChatApi};
use chat_core::ChatEngine;
use chat_core::config::{ChatConfig, Rate};
use chat_core::live::ConnectFrom;
use chat_core::memory::MemoryStore;
use chat_core::port::{Authenticator, Credentials};
use serde_json::{Value, json};

use crate::support::{Answer, SECRET, ask, bearer, engine, jwt, server};

struct Host {
    app: Router,
    auth: Arc<dyn Authenticator>,
    _media: tempfile::TempDir,
}

async fn host() -> Host {
    let (engine, store, media) = engine().await;
    let accounts = Arc::new(Accounts::new(Arc::new(store), SECRET).unwrap());
    let auth = Arc::new(accounts.authenticator(Some(jwt())));
    Host {
        app: ChatApi::new(engine, jwt()).with_accounts(accounts).router(),
        auth,
        _media: media,
    }
}

impl Host {
    async fn post(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        ask(&self.app, request).await
    }

    async fn with_token(&self, method: &str, path: &str, token: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        ask(&self.app, request).await
    }
}

fn ada() -> Value {
    json!({"name": "Ada", "email": "Ada@Example.org", "phone": "+49 170 1234", "password": "correct horse"})
}

#[tokio::test]
async fn sign_up_log_in_log_out() {
    let host = host().await;
    let answer = host.post("/auth/signup", ada()).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let first = answer.json();
    assert_eq!(first["user"]["name"], "Ada");
    assert!(first["expires_at"].as_str().unwrap().ends_with('Z'));
    assert!(
        !answer.json().to_string().contains("example.org"),
        "addresses are never shown"
    );
    let token = first["token"].as_str().unwrap();
    assert_eq!(
        host.with_token("GET", "/me", token).await.json()["id"],
        first["user"]["id"]
    );
    let check = host.with_token("GET", "/auth/check", token).await.json();
    assert_eq!(check["user"]["id"], first["user"]["id"]);
    assert_eq!(check["expires_at"], first["expires_at"]);

    let answer = host
        .post(
            "/auth/login",
            json!({"email": " ADA@example.org", "password": "correct horse"}),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let second = answer.json()["token"].as_str().unwrap().to_owned();
    let identity = host
        .auth
        .authenticate(&Credentials::bearer(&second))
        .await
        .unwrap();
    let login = identity.login.unwrap();
    assert!(host.auth.login_stands(&login).await.unwrap());

    assert_eq!(host.with_token("POST", "/auth/logout", &second).await.status, 204);
    assert!(!host.auth.login_stands(&login).await.unwrap());
    for path in ["/me", "/auth/check"] {
        assert_eq!(
            host.with_token("GET", path, &second).await.json()["code"],
            "token_invalid"
        );
    }
    assert_eq!(
        host.with_token("GET", "/me", token).await.status,
        200,
        "the other login stands"
    );
}

#[tokio::test]
async fn addresses_and_numbers_are_unique() {
    let host = host().await;
    assert_eq!(host.post("/auth/signup", ada()).await.status, 201);
    let mut again = ada();
    assert_eq!(
        host.post("/auth/signup", again.clone()).await.refusal(),
        (409, "conflict".into(), "email".into())
    );
    again["email"] = json!("other@example.org");
    assert_eq!(
        host.post("/auth/signup", again.clone()).await.refusal(),
        (409, "conflict".into(), "phone".into())
    );
    again["phone"] = json!("+49 170 9999");
    assert_eq!(host.post("/auth/signup", again).await.status, 201);
}

#[tokio::test]
async fn fields_are_checked() {
    let host = host().await;
    for (field, value) in [
        ("name", json!("")),
        ("name", json!(" ")),
        ("name", json!("x".repeat(121))),
        ("email", json!("nonsense")),
        ("phone", json!("call me")),
        ("password", json!("short")),
        ("password", json!("x".repeat(129))),
        ("email", json!(null)),
        ("zzz", json!(1)),
    ] {
        let mut body = ada();
        body[field] = value;
        assert_eq!(
            host.post("/auth/signup", body).await.refusal(),
            (422, "invalid_argument".into(), field.into())
        );
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_address_look_the_same() {
    let host = host().await;
    assert_eq!(host.post("/auth/signup", ada()).await.status, 201);
    let mut answers = Vec::new();
    for (email, password) in [
        ("ada@example.org", "wrong horse"),
        ("nobody@example.org", "correct horse"),
        ("nonsense", "correct horse"),
        ("ada@example.org", ""),
    ] {
        let answer = host
            .post("/auth/login", json!({"email": email, "password": password}))
            .await;
        let mut body = answer.json();
        body["request_id"] = Value::Null;
        answers.push((answer.status, body));
    }
    assert_eq!(answers[0].1["code"], "unauthenticated");
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down_per_account() {
    let host = host().await;
    let mut codes = Vec::new();
    for _ in 0..7 {
        let body = json!({"email": "ada@example.org", "password": "wrong horse"});
        codes.push(host.post("/auth/login", body).await.json()["code"].clone());
    }
    assert_eq!(codes[0], "unauthenticated");
    assert_eq!(codes[6], "rate_limited");
    let other = host
        .post(
            "/auth/login",
            json!({"email": "bob@example.org", "password": "wrong horse"}),
        )
        .await;
    assert_eq!(other.json()["code"], "unauthenticated");
}

/// Many accounts from one address are slowed down together, by the address the host names.
#[tokio::test]
async fn guessing_is_slowed_down_per_address() {
    let mut config = ChatConfig::default();
    config.limits.logins_per_address = Rate::new(2, 1);
    let store = MemoryStore::default();
    let engine = ChatEngine::builder(Arc::new(store.clone()))
        .with_config(config)
        .build();
    let accounts = Arc::new(Accounts::new(Arc::new(store), SECRET).unwrap());
    let app: Router = ChatApi::new(engine, jwt()).with_accounts(accounts).router();
    let mut guesses = 0;
    let mut guess = async |socket: &str, told: Option<&str>| {
        guesses += 1;
        let body = json!({"email": format!("u{guesses}@example.org"), "password": "wrong horse"});
        let mut request = Request::post("/auth/login")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        if !socket.is_empty() {
            let address: IpAddr = socket.parse().unwrap();
            request
                .extensions_mut()
                .insert(ConnectInfo(SocketAddr::from((address, 4_000))));
        }
        if let Some(told) = told {
            request.extensions_mut().insert(ConnectFrom {
                address: Some(told.parse().unwrap()),
            });
        }
        let answer = ask(&app, request).await;
        answer.json()["code"].as_str().unwrap().to_owned()
    };
    for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
        assert_eq!(guess(address, None).await, "unauthenticated");
    }
    assert_eq!(guess("127.0.0.1", None).await, "rate_limited", "loopback counts");
    assert_eq!(guess("192.0.2.1", None).await, "unauthenticated");
    for client in ["2001:db8::1", "2001:db8::ffff"] {
        assert_eq!(guess("127.0.0.1", Some(client)).await, "unauthenticated");
    }
    assert_eq!(guess("127.0.0.1", Some("2001:db8::2")).await, "rate_limited");
    assert_eq!(
        guess("127.0.0.1", Some("2001:db8:0:1::")).await,
        "unauthenticated"
    );
    for _ in 0..3 {
        assert_eq!(
            guess("", None).await,
            "unauthenticated",
            "nobody knows from where"
        );
    }
}

/// The key of these tokens is derived, so nobody who may sign host tokens can make one without a login.
#[tokio::test]
async fn host_tokens_work_beside_and_cannot_pose_as_logins() {
    let host = host().await;
    let answer = host.post("/auth/signup", ada()).await.json();
    let (id, exp) = (
        answer["user"]["id"].as_str().unwrap(),
        crate::support::now() + 600,
    );
    let token = crate::support::sign(
        SECRET,
        r#"{"alg":"HS256","kid":"chat-accounts"}"#,
        &json!({"sub": id, "exp": exp, "jti": "x"}).to_string(),
    );
    assert_eq!(
        host.with_token("GET", "/me", &token).await.json()["code"],
        "token_invalid"
    );
    let token = crate::support::token(id);
    assert_eq!(host.with_token("GET", "/me", &token).await.status, 200);
    let refusal = host.with_token("POST", "/auth/logout", &token).await;
    assert_eq!(
        refusal.json()["code"],
        "invalid_operation",
        "there is no login to end"
    );
}

#[tokio::test]
async fn without_the_module_its_routes_are_not_there() {
    let server = server().await;
    let answer = server
        .raw(
            "POST",
            "/auth/login",
            &[
                ("authorization", &bearer("ada")),
                ("content-type", "application/json"),
            ],
            "{}",
        )
        .await;
    assert_eq!(answer.refusal().0, 404);
}

//! Bearer tokens, honest and forged.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_axum::{JwtAuthenticator, JwtKey};
use serde_json::json;

use crate::support::{SECRET, ask, engine, jwt, now, server, sign, token};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

async fn outcome(app: &Router, authorization: &[&str]) -> String {
    let mut request = Request::builder().uri("/me");
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let answer = ask(app, request.body(Body::empty()).unwrap()).await;
    if answer.status == 401 {
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    if answer.status.is_success() {
        answer.json()["id"].as_str().unwrap().to_owned()
    } else {
        answer.json()["code"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (engine, _, _media) = engine().await;
    let app: Router = chat_axum::router(engine, jwt());
    let exp = now() + 600;
    let claims = json!({"sub": "ada", "exp": exp}).to_string();
    let good = sign(SECRET, HEADER, &claims);
    let parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let other_claims = URL_SAFE_NO_PAD.encode(json!({"sub": "eve", "exp": exp}).to_string());
    let forged = [
        (
            "another secret",
            sign(b"another secret of thirty-two bytes", HEADER, &claims),
        ),
        ("no algorithm, no signature", format!("{none}.{}.", parts[1])),
        (
            "no algorithm, old signature",
            format!("{none}.{}.{}", parts[1], parts[2]),
        ),
        ("other case of none", sign(SECRET, r#"{"alg":"nOnE"}"#, &claims)),
        ("HS384 by name", sign(SECRET, r#"{"alg":"HS384"}"#, &claims)),
        ("RS256 by name", sign(SECRET, r#"{"alg":"RS256"}"#, &claims)),
        (
            "lower-case algorithm",
            sign(SECRET, r#"{"alg":"hs256"}"#, &claims),
        ),
        ("algorithm missing", sign(SECRET, r#"{"typ":"JWT"}"#, &claims)),
        (
            "algorithm twice",
            sign(SECRET, r#"{"alg":"HS256","alg":"HS256"}"#, &claims),
        ),
        (
            "critical extension",
            sign(SECRET, r#"{"alg":"HS256","crit":["exp"]}"#, &claims),
        ),
        (
            "header is an array",
            sign(SECRET, r#"["HS256",null,null]"#, &claims),
        ),
        (
            "other claims",
            format!("{}.{other_claims}.{}", parts[0], parts[2]),
        ),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two segments", format!("{}.{}", parts[0], parts[1])),
        ("four segments", format!("{good}.x")),
        ("padding", format!("{good}=")),
        ("text", "nonsense".to_owned()),
        ("points", "..".to_owned()),
        ("control characters", "a\tb.c.d".to_owned()),
        ("no sub", sign(SECRET, HEADER, &json!({"exp": exp}).to_string())),
        (
            "empty sub",
            sign(SECRET, HEADER, &json!({"sub": "", "exp": exp}).to_string()),
        ),
        (
            "long sub",
            sign(
                SECRET,
                HEADER,
                &json!({"sub": "x".repeat(65), "exp": exp}).to_string(),
            ),
        ),
        (
            "NUL in sub",
            sign(SECRET, HEADER, &json!({"sub": "a\0b", "exp": exp}).to_string()),
        ),
        (
            "sub is a number",
            sign(SECRET, HEADER, &json!({"sub": 1, "exp": exp}).to_string()),
        ),
        ("no exp", sign(SECRET, HEADER, &json!({"sub": "ada"}).to_string())),
        (
            "exp is text",
            sign(
                SECRET,
                HEADER,
                &json!({"sub": "ada", "exp": exp.to_string()}).to_string(),
            ),
        ),
        ("exp is null", sign(SECRET, HEADER, r#"{"sub":"ada","exp":null}"#)),
        (
            "exp is no date",
            sign(SECRET, HEADER, r#"{"sub":"ada","exp":1e308}"#),
        ),
        (
            "exp twice",
            sign(SECRET, HEADER, &format!(r#"{{"sub":"ada","exp":1,"exp":{exp}}}"#)),
        ),
        (
            "not yet",
            sign(
                SECRET,
                HEADER,
                &json!({"sub": "ada", "exp": exp, "nbf": now() + 120}).to_string(),
            ),
        ),
        (
            "for somebody else",
            sign(
                SECRET,
                HEADER,
                &json!({"sub": "ada", "exp": exp, "aud": "shop"}).to_string(),
            ),
        ),
        (
            "expired, another secret",
            sign(b"another", HEADER, &json!({"sub": "ada", "exp": 1}).to_string()),
        ),
    ];
    for (what, token) in forged {
        assert_eq!(
            outcome(&app, &[&format!("Bearer {token}")]).await,
            "token_invalid",
            "{what}"
        );
    }
    for old in [now() - 61, 1, 0, -1] {
        let token = sign(SECRET, HEADER, &json!({"sub": "ada", "exp": old}).to_string());
        assert_eq!(
            outcome(&app, &[&format!("Bearer {token}")]).await,
            "token_expired",
            "{old}"
        );
    }
    for exp in [json!(now() - 30), json!(exp), json!(exp as f64 + 0.5)] {
        let token = sign(
            SECRET,
            HEADER,
            &json!({"sub": "ada", "exp": exp, "nbf": now() + 30}).to_string(),
        );
        assert_eq!(outcome(&app, &[&format!("Bearer {token}")]).await, "ada", "{exp}");
    }
}

#[tokio::test]
async fn the_header_field_is_read_strictly() {
    let (engine, _, _media) = engine().await;
    let app: Router = chat_axum::router(engine, jwt());
    let token = token("ada");
    for good in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER   {token}"),
    ] {
        assert_eq!(outcome(&app, &[&good]).await, "ada", "{good}");
    }
    for nothing in ["", "Bearer", "Bearer ", "Basic YTpi", &token] {
        assert_eq!(outcome(&app, &[nothing]).await, "unauthenticated", "{nothing}");
    }
    assert_eq!(outcome(&app, &[]).await, "unauthenticated");
    let good = format!("Bearer {token}");
    assert_eq!(outcome(&app, &[&good, &good]).await, "token_invalid");
    assert_eq!(outcome(&app, &[&format!("{good} x")]).await, "token_invalid");
}

/// The classic: a public key taken for a secret.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let (engine, _, _media) = engine().await;
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let public = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let auth = JwtAuthenticator::new([JwtKey::from_jwk(&jwk).unwrap()]);
    let app: Router = chat_axum::router(engine, Arc::new(auth));
    let claims = json!({"sub": "ada", "exp": now() + 600}).to_string();
    for header in [HEADER, r#"{"alg":"EdDSA"}"#] {
        let token = sign(&public, header, &claims);
        assert_eq!(
            outcome(&app, &[&format!("Bearer {token}")]).await,
            "token_invalid"
        );
    }
}

#[tokio::test]
async fn keys_are_chosen_by_name() {
    let (engine, _, _media) = engine().await;
    let key = |secret: &str, kid: &str| JwtKey::hs256(secret).unwrap().with_kid(kid);
    let auth = JwtAuthenticator::new([key("old", "1"), key("new", "2"), JwtKey::hs256("third").unwrap()]);
    let app: Router = chat_axum::router(engine, Arc::new(auth));
    let claims = json!({"sub": "ada", "exp": now() + 600}).to_string();
    for (secret, header, expected) in [
        ("old", r#"{"alg":"HS256","kid":"1"}"#, "ada"),
        ("new", r#"{"alg":"HS256","kid":"2"}"#, "ada"),
        ("new", r#"{"alg":"HS256","kid":"1"}"#, "token_invalid"),
        ("new", HEADER, "ada"),
        ("third", r#"{"alg":"HS256","kid":"9"}"#, "ada"),
        ("new", r#"{"alg":"HS256","kid":"9"}"#, "token_invalid"),
        ("x", HEADER, "token_invalid"),
    ] {
        let token = sign(secret.as_bytes(), header, &claims);
        assert_eq!(
            outcome(&app, &[&format!("Bearer {token}")]).await,
            expected,
            "{secret} {header}"
        );
    }
}

#[tokio::test]
async fn issuer_and_audience_are_checked_when_asked_for() {
    let (engine, _, _media) = engine().await;
    let auth = JwtAuthenticator::new([JwtKey::hs256(SECRET).unwrap()])
        .with_issuer("https://id.example")
        .with_audience("chat");
    let app: Router = chat_axum::router(engine, Arc::new(auth));
    for (iss, aud, expected) in [
        (json!("https://id.example"), json!("chat"), "ada"),
        (json!("https://id.example"), json!(["shop", "chat"]), "ada"),
        (json!("https://id.example"), json!(["shop"]), "token_invalid"),
        (json!("https://evil.example"), json!("chat"), "token_invalid"),
        (json!(null), json!("chat"), "token_invalid"),
        (json!("https://id.example"), json!(null), "token_invalid"),
    ] {
        let claims = json!({"sub": "ada", "exp": now() + 600, "iss": iss, "aud": aud}).to_string();
        let token = sign(SECRET, HEADER, &claims);
        assert_eq!(
            outcome(&app, &[&format!("Bearer {token}")]).await,
            expected,
            "{iss} {aud}"
        );
    }
}

#[tokio::test]
async fn a_valid_token_of_an_unknown_user_makes_him() {
    let server = server().await;
    let claims =
        json!({"sub": "new", "exp": now() + 600, "name": "Neu", "picture": "https://x.example/n.png"});
    let token = sign(SECRET, HEADER, &claims.to_string());
    let answer = server
        .raw(
            "GET",
            "/me",
            &[("authorization", &format!("Bearer {token}"))],
            Body::empty(),
        )
        .await;
    assert_eq!(answer.json()["name"], "Neu");
    assert_eq!(answer.json()["avatar_url"], "https://x.example/n.png");
}

//! The router lives inside any host: other prefixes, other state, own sessions.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use axum::routing::get;
use chat_axum::FnAuthenticator;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::id::UserId;
use chat_core::port::{Credentials, Identity};

use crate::support::{ask, bearer, engine, jwt};

#[derive(Clone)]
struct HostState {
    greeting: &'static str,
}

fn request(path: &str, header: (&str, &str)) -> Request<Body> {
    Request::get(path)
        .header(header.0, header.1)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn beside_routes_of_a_host_with_its_own_state() {
    let (engine, _, _media) = engine().await;
    let app: Router = Router::new()
        .route(
            "/hello/{name}",
            get(
                |State(state): State<HostState>, Path(name): Path<String>| async move {
                    format!("{} {name}", state.greeting)
                },
            ),
        )
        .nest("/v1/chat", chat_axum::router(engine.clone(), jwt()))
        .merge(chat_axum::health_router(engine))
        .fallback(|| async { "the host's own page" })
        .with_state(HostState { greeting: "hello" });
    let authorization = bearer("ada");
    let auth = ("authorization", authorization.as_str());
    assert_eq!(ask(&app, request("/hello/ada", auth)).await.bytes, "hello ada");
    assert_eq!(ask(&app, request("/v1/chat/me", auth)).await.json()["id"], "ada");
    assert_eq!(
        ask(&app, request("/v1/chat/nothing", auth)).await.json()["code"],
        "not_found"
    );
    assert_eq!(
        ask(&app, request("/elsewhere", auth)).await.bytes,
        "the host's own page"
    );
    for path in ["/health", "/ready"] {
        let answer = ask(&app, request(path, ("x", "y"))).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.json()["status"].is_string());
    }
}

#[tokio::test]
async fn under_a_prefix_with_parameters_of_the_same_name() {
    let (engine, _, _media) = engine().await;
    let app: Router = Router::new().nest("/tenants/{user_id}/chat", chat_axum::router(engine, jwt()));
    let authorization = bearer("ada");
    let me = request("/tenants/acme/chat/me", ("authorization", &authorization));
    assert_eq!(ask(&app, me).await.status, 200);
    let user = request("/tenants/acme/chat/messages/1", ("authorization", &authorization));
    assert_eq!(ask(&app, user).await.json()["code"], "message_not_found");
}

#[tokio::test]
async fn with_the_session_of_the_host() {
    let (engine, _, _media) = engine().await;
    let auth = FnAuthenticator::new(|credentials: Credentials| async move {
        let cookie = credentials.header("cookie").ok_or(ErrorCode::Unauthenticated)?;
        let id = cookie.strip_prefix("session=").ok_or(ErrorCode::TokenInvalid)?;
        let id = UserId::new(id).map_err(|_| ChatError::from(ErrorCode::TokenInvalid))?;
        Ok(Identity::new(id))
    });
    let app: Router = chat_axum::router(engine, Arc::new(auth));
    assert_eq!(
        ask(&app, request("/me", ("cookie", "session=ada"))).await.json()["id"],
        "ada"
    );
    assert_eq!(
        ask(&app, request("/me", ("cookie", "x"))).await.json()["code"],
        "token_invalid"
    );
    assert_eq!(
        ask(&app, request("/me", ("x", "y"))).await.json()["code"],
        "unauthenticated"
    );
}

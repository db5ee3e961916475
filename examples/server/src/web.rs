//! The web page, embedded; and what is answered where nothing is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use uuid::Uuid;

/// Scripts and styles of this server only; pictures and sound also from memory, where attachments are unpacked.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; \
     img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../web/", $name)))),*]
    };
}

const PAGE: &str = include_str!("../web/index.html");
const FILES: &[(&str, &str, &str)] = files! {
    "app.css": STYLE,
    "panels.css": STYLE,
    "icon.svg": "image/svg+xml",
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "connection.js": SCRIPT,
    "dialog.js": SCRIPT,
    "dom.js": SCRIPT,
    "expiry.js": SCRIPT,
    "format.js": SCRIPT,
    "icons.js": SCRIPT,
    "login.js": SCRIPT,
    "main-menu.js": SCRIPT,
    "marks.js": SCRIPT,
    "media.js": SCRIPT,
    "mentions.js": SCRIPT,
    "menu.js": SCRIPT,
    "message-actions.js": SCRIPT,
    "message-menu.js": SCRIPT,
    "outbox.js": SCRIPT,
    "replica-counts.js": SCRIPT,
    "replica-events.js": SCRIPT,
    "replica-expiry.js": SCRIPT,
    "replica-history.js": SCRIPT,
    "replica-personal.js": SCRIPT,
    "replica-pins.js": SCRIPT,
    "slow-mode.js": SCRIPT,
    "sync-client.js": SCRIPT,
    "toast.js": SCRIPT,
    "typing.js": SCRIPT,
    "view-auth.js": SCRIPT,
    "view-avatar.js": SCRIPT,
    "view-chat.js": SCRIPT,
    "view-composer.js": SCRIPT,
    "view-edits.js": SCRIPT,
    "view-forward.js": SCRIPT,
    "view-group.js": SCRIPT,
    "view-info.js": SCRIPT,
    "view-list.js": SCRIPT,
    "view-members.js": SCRIPT,
    "view-mentions.js": SCRIPT,
    "view-message.js": SCRIPT,
    "view-moderation.js": SCRIPT,
    "view-pages.js": SCRIPT,
    "view-people.js": SCRIPT,
    "view-pins.js": SCRIPT,
    "view-report.js": SCRIPT,
    "view-scheduled.js": SCRIPT,
    "view-search.js": SCRIPT,
    "view-settings.js": SCRIPT,
    "view-starred.js": SCRIPT,
    "view-status.js": SCRIPT,
    "view-suggest.js": SCRIPT,
    "view-timer.js": SCRIPT,
    "view-tray.js": SCRIPT,
    "words.js": SCRIPT,
};

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/web/{name}", get(file))
        .fallback(nothing)
        .layer(from_fn(guarded))
}

async fn page(headers: HeaderMap) -> Response {
    embedded(HTML, PAGE, &headers)
}

async fn file(Path(name): Path<String>, request: Request) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => embedded(kind, text, request.headers()),
        None => nothing(request).await,
    }
}

/// Browsers ask every time and mostly hear that nothing changed, so a new version is seen at once.
fn embedded(kind: &'static str, text: &'static str, asked: &HeaderMap) -> Response {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (ETAG, tag.clone()),
    ];
    if asked
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, text).into_response()
}

/// What everything outside the API carries.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Nothing is here: a small page for people, a problem document for programs.
async fn nothing(request: Request) -> Response {
    let accepted = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    if accepted.is_some_and(|accept| accept.contains("text/html")) {
        let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Not found</title>\
             <link rel=\"stylesheet\" href=\"/web/app.css\"><main class=\"auth\"><p>There is nothing here. \
             <a href=\"/\">To the chat</a></p></main></html>";
        return (StatusCode::NOT_FOUND, [(CONTENT_TYPE, HTML)], page).into_response();
    }
    problem(StatusCode::NOT_FOUND, "nothing is here")
}

/// A path outside the API that does not take the method.
pub(crate) async fn wrong_method() -> Response {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method",
    )
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let problem = json!({
        "type": "urn:chat:problem:not_found", "title": "Not found", "status": status.as_u16(),
        "detail": detail, "code": "not_found", "request_id": Uuid::now_v7(),
    });
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (status, kind, problem.to_string()).into_response()
}

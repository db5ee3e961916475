//! The OpenAPI document lists exactly the routes of the contract, and says how they refuse.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chat_axum::{Accounts, ChatApi};
use chat_core::error::ErrorCode;
use serde_json::Value;

use crate::support::{Answer, SECRET, ask, engine, jwt};

const ROUTES: &str = "
GET PATCH /me
GET /me/badge
GET PATCH /me/settings
GET /me/export
POST /me/erase
GET PUT /me/presence
GET /users
GET /users/online
GET /users/{user_id}
GET /users/{user_id}/conversations
GET /contacts
GET /presence
GET /blocks
PUT DELETE /blocks/{user_id}
GET /mutes
PUT DELETE /mutes/{user_id}
POST /reports
GET /moderation/reports
GET /moderation/reports/{id}
POST /moderation/reports/{id}/resolve
DELETE /moderation/messages/{id}
PUT DELETE /moderation/users/{user_id}/suspension
PUT DELETE /moderation/users/{user_id}/mute
GET /moderation/audit
GET /conversations
GET /conversations/counts
POST /conversations/direct
POST /conversations/group
POST /conversations/read-all
GET PATCH DELETE /conversations/{id}
POST /conversations/{id}/leave
POST /conversations/{id}/clear
POST /conversations/{id}/hide
PATCH /conversations/{id}/settings
GET POST /conversations/{id}/members
PATCH DELETE /conversations/{id}/members/{user_id}
PUT DELETE /conversations/{id}/members/{user_id}/mute
PUT /conversations/{id}/owner
PUT /conversations/{id}/delivered
PUT /conversations/{id}/read
PUT /conversations/{id}/unread
POST /conversations/{id}/typing
GET POST /conversations/{id}/messages
POST /messages
GET PATCH DELETE /messages/{id}
GET /messages/{id}/receipts
PUT DELETE /messages/{id}/keep
POST /messages/{id}/forward
GET /messages/{id}/edits
PUT DELETE /messages/{id}/star
GET /starred
GET /conversations/{id}/pins
PUT DELETE /conversations/{id}/pins/{message_id}
PUT DELETE POST /messages/{id}/reactions/{emoji}
POST /messages/{id}/meeting
PATCH /messages/{id}/location
GET POST /scheduled
GET PATCH DELETE /scheduled/{id}
GET /mentions
GET /search/messages
POST /attachments
GET DELETE /attachments/{id}
GET /attachments/{id}/content
GET PUT DELETE /devices
POST /sync
POST /auth/signup
POST /auth/login
POST /auth/logout
GET /auth/check
GET /capabilities
GET /openapi.json
GET /docs
";

async fn get(path: &str) -> Answer {
    let (engine, store, _media) = engine().await;
    let accounts = Arc::new(Accounts::new(Arc::new(store), SECRET).unwrap());
    let api = ChatApi::new(engine, jwt()).with_accounts(accounts).router();
    let app: Router = Router::new().nest("/some/prefix", api);
    let request = Request::get(format!("/some/prefix{path}"))
        .body(Body::empty())
        .unwrap();
    ask(&app, request).await
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap().clone();
            item.into_iter()
                .map(|(method, op)| (method.to_uppercase(), path.clone(), op))
        })
        .collect()
}

#[tokio::test]
async fn it_lists_exactly_the_routes_of_the_contract() {
    let answer = get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"][0]["url"], "/some/prefix");
    let listed: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let wanted: BTreeSet<String> = ROUTES
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .flat_map(|(methods, path)| methods.split(' ').map(move |method| format!("{method} {path}")))
        .collect();
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn every_operation_is_described() {
    let document = get("/openapi.json").await.json();
    let public = ["/auth/signup", "/auth/login", "/openapi.json", "/docs"];
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(
            !operation["summary"].as_str().unwrap_or_default().is_empty(),
            "{name}"
        );
        assert!(
            ids.insert(operation["operationId"].to_string()),
            "{name}: {}",
            operation["operationId"]
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
        for status in ["422", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{name} {status}");
        }
        assert_eq!(
            operation.get("security").is_some(),
            public.contains(&path.as_str()),
            "{name}"
        );
        if !public.contains(&path.as_str()) {
            assert!(responses.contains_key("401"), "{name}");
        }
        for parameter in path
            .split('{')
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap())
        {
            let described = operation["parameters"].as_array().unwrap();
            assert!(
                described
                    .iter()
                    .any(|p| p["name"] == parameter && p["in"] == "path"),
                "{name} {parameter}"
            );
        }
        if matches!(method.as_str(), "PATCH") {
            assert!(operation.get("requestBody").is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_conversation_that_is_asked_for_may_be_missing() {
    let document = get("/openapi.json").await.json();
    for path in ["/starred", "/search/messages"] {
        let responses = &document["paths"][path]["get"]["responses"];
        assert!(
            responses["404"].is_object() && responses["410"].is_object(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn null_is_documented_where_it_is_taken() {
    let document = get("/openapi.json").await.json();
    let is_nullable = |schema: &str, field: &str| {
        let field = &document["components"]["schemas"][schema]["properties"][field];
        assert!(field.is_object(), "{schema}");
        field.to_string().contains("\"null\"")
    };
    assert!(is_nullable("ConversationSettings", "muted_until"));
    for field in ["pinned", "archived", "notification_level"] {
        assert!(!is_nullable("ConversationSettings", field), "{field}");
    }
    for field in [
        "receipts",
        "show_online",
        "show_last_seen",
        "push",
        "push_content",
    ] {
        assert!(!is_nullable("SettingsPatch", field), "{field}");
    }
}

#[tokio::test]
async fn references_lead_somewhere_and_codes_are_listed() {
    let document = get("/openapi.json").await.json();
    let text = document.to_string();
    for reference in text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert_eq!(codes.as_array().unwrap().len(), ErrorCode::ALL.len());
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
}

#[tokio::test]
async fn the_page_runs_its_own_script_only() {
    let answer = get("/docs").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/html"));
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = String::from_utf8(answer.bytes.to_vec()).unwrap();
    assert!(
        !page.contains("src=") && !page.contains("http"),
        "nothing from elsewhere"
    );
    assert_eq!(page.matches("</script>").count(), 1);
}

#[tokio::test]
async fn capabilities_list_limits_and_names() {
    let (engine, _, _media) = engine().await;
    let app: Router = chat_axum::router(engine, jwt());
    let request = Request::get("/capabilities")
        .header("authorization", crate::support::bearer("ada"))
        .body(Body::empty())
        .unwrap();
    let body = ask(&app, request).await.json();
    assert_eq!(body["limits"]["text_chars"], 10_000);
    assert_eq!(body["policies"]["read_on_send"], false);
    for (list, name) in [
        ("commands", "send_message"),
        ("events", "ready"),
        ("kinds", "meeting"),
    ] {
        assert!(
            body[list].as_array().unwrap().iter().any(|item| item == name),
            "{name}"
        );
    }
}

//! Work on a store that no server is using.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{run, start};
use crate::wire::{call, request, sign_up};

fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

fn fault(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two people who have talked; the id of their conversation.
async fn lived(data: &Path, variables: &[(&str, &str)]) -> String {
    let mut server = start(data, variables).await;
    let (_, token) = sign_up(&server, "ada").await;
    let (ben, _) = sign_up(&server, "ben").await;
    let body = json!({ "recipient_id": ben, "text": "hello" });
    let sent = call(&server, &token, "POST", "/messages", body).await.json();
    let id = sent["message"]["conversation_id"].as_str().unwrap().to_owned();
    for n in 0..3 {
        let body = json!({ "text": format!("line {n}") });
        let path = format!("/conversations/{id}/messages");
        call(&server, &token, "POST", &path, body).await.json();
    }
    server.child.kill().await.unwrap();
    id
}

#[tokio::test]
async fn a_store_agrees_with_itself_even_after_a_kill() {
    let data = TempDir::new().unwrap();
    lived(data.path(), &[]).await;
    let verified = run(data.path(), &[], &["verify"]).await;
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let said = lines(&verified);
    assert!(
        said.last()
            .unwrap()
            .ends_with("the views of 2 memberships counted anew: 0 disagreements"),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_a_line() {
    let data = TempDir::new().unwrap();
    let missing = run(data.path(), &[], &["verify"]).await;
    assert!(fault(&missing).contains("CHAT_DATA_DIR: there is no chat.db in it"));
    let gone = run(data.path(), &[("CHAT_STORE", "memory")], &["verify"]).await;
    assert!(fault(&gone).contains("the store memory ends with its server"));
    let same = run(data.path(), &[], &["copy", "--from", "sqlite", "--to", "sqlite"]).await;
    assert!(fault(&same).contains("name the same store"));
    let unnamed = run(
        data.path(),
        &[],
        &["copy", "--from", "sqlite", "--to", "postgres"],
    )
    .await;
    assert!(fault(&unnamed).contains("DATABASE_URL"));
    assert!(!data.path().join("chat.db").exists(), "nothing was made");
}

#[tokio::test]
async fn a_copy_goes_on_in_another_store() {
    let url = std::env::var("CHAT_TEST_DATABASE_URL").unwrap_or_default();
    if url.is_empty() {
        let required = std::env::var("CHAT_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name.trim() == "postgres"));
        eprintln!("skipped: CHAT_TEST_DATABASE_URL names no server");
        return;
    }
    let data = TempDir::new().unwrap();
    let schema = format!("chat_{}", uuid::Uuid::now_v7().simple());
    let there: [(&str, &str); 2] = [("DATABASE_URL", &url), ("CHAT_DATABASE_SCHEMA", &schema)];
    let conversation = lived(data.path(), &[]).await;
    let arguments = ["copy", "--from", "sqlite", "--to", "postgres"];
    let copied = run(data.path(), &there, &arguments).await;
    assert_eq!(copied.status.code(), Some(0), "{copied:?}");
    let said = lines(&copied);
    assert!(said.contains(&"users: 2".to_owned()), "{said:?}");
    assert!(
        said.last().unwrap().ends_with("from sqlite to postgres"),
        "{said:?}"
    );
    let again = run(data.path(), &there, &arguments).await;
    assert!(fault(&again).contains("not empty: it has 2 users"));

    let variables = [("CHAT_STORE", "postgres"), there[0], there[1]];
    let verified = run(data.path(), &variables, &["verify"]).await;
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let server = start(data.path(), &variables).await;
    let login = json!({ "email": "ada@example.com", "password": "a long password" }).to_string();
    let headers = [("content-type", "application/json")];
    let login = request(&server, "POST", "/api/auth/login", &headers, &login)
        .await
        .json();
    let token = login["token"].as_str().unwrap().to_owned();
    let path = format!("/conversations/{conversation}/messages?after=0&order=asc");
    let page = call(&server, &token, "GET", &path, Value::Null).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 4, "{page}");
}

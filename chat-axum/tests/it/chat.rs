//! Two and three people talking, over the whole of the API.

use serde_json::{Value, json};

use crate::support::{Server, server};

async fn people(server: &Server, ids: &[&str]) {
    for id in ids {
        server.good(id, "GET", "/me", Value::Null).await;
    }
}

async fn direct(server: &Server) -> String {
    people(server, &["ada", "bob"]).await;
    let opened = server
        .call("ada", "POST", "/conversations/direct", json!({"user_id": "bob"}))
        .await;
    assert_eq!(opened.status, 201);
    assert_eq!(opened.json()["created"], true);
    opened.json()["conversation"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_direct_conversation() {
    let server = server().await;
    let id = direct(&server).await;
    let again = server
        .call("bob", "POST", "/conversations/direct", json!({"user_id": "ada"}))
        .await;
    assert_eq!(
        (again.status.as_u16(), again.json()["conversation"]["id"].as_str()),
        (200, Some(id.as_str()))
    );

    let path = format!("/conversations/{id}/messages");
    let sent = server
        .call("ada", "POST", &path, json!({"text": "hi", "client_id": "c1"}))
        .await;
    assert_eq!(sent.status, 201);
    let replayed = server
        .call("ada", "POST", &path, json!({"text": "hi", "client_id": "c1"}))
        .await;
    assert_eq!(
        (replayed.status.as_u16(), &replayed.json()["replayed"]),
        (200, &json!(true))
    );
    let message = sent.json()["message"]["id"].as_str().unwrap().to_owned();
    for field in ["conversation_id", "recipient_id"] {
        let mut body = json!({"text": "hi"});
        body[field] = if field == "recipient_id" {
            json!("bob")
        } else {
            json!(id)
        };
        assert_eq!(server.call("ada", "POST", &path, body).await.refusal().2, field);
    }

    let page = server.good("bob", "GET", &path, Value::Null).await;
    assert_eq!(page["items"][0]["id"], json!(message));
    let read = server
        .good(
            "bob",
            "PUT",
            &format!("/conversations/{id}/read"),
            json!({"seq": 1}),
        )
        .await;
    assert_eq!(
        read,
        json!({"delivered_seq": 1, "read_seq": 1, "unread_count": 0})
    );
    let seen = server
        .good("ada", "GET", &format!("/messages/{message}"), Value::Null)
        .await;
    assert_eq!(seen["status"], "read");

    let reaction = format!("/messages/{message}/reactions/%F0%9F%91%8D");
    let liked = server.good("bob", "PUT", &reaction, Value::Null).await;
    assert_eq!(liked["reactions"][0]["emoji"], "👍");
    let unliked = server.good("bob", "DELETE", &reaction, Value::Null).await;
    assert!(unliked["reactions"].as_array().is_none_or(Vec::is_empty));

    let edit = json!({"text": "hello", "expected_version": 9});
    let conflict = server
        .call("ada", "PATCH", &format!("/messages/{message}"), edit)
        .await;
    assert_eq!(conflict.refusal().1, "version_conflict");
    assert_eq!(conflict.json()["details"]["version"], 1);
    let edited = server
        .good(
            "ada",
            "PATCH",
            &format!("/messages/{message}"),
            json!({"text": "hello"}),
        )
        .await;
    assert_eq!(edited["version"], 2);

    let stranger = server.get("eve", &path).await;
    assert_eq!(stranger.refusal().1, "conversation_not_found");
    let gone = server
        .call(
            "ada",
            "DELETE",
            &format!("/messages/{message}?for=everyone"),
            Value::Null,
        )
        .await;
    assert_eq!(gone.status, 204);
    let badge = server.good("bob", "GET", "/me/badge", Value::Null).await;
    assert_eq!(badge["unread_messages"], 0);
}

#[tokio::test]
async fn to_a_user_in_one_step() {
    let server = server().await;
    people(&server, &["ada", "bob"]).await;
    let sent = server
        .call(
            "ada",
            "POST",
            "/messages",
            json!({"recipient_id": "bob", "text": "hi"}),
        )
        .await;
    assert_eq!(sent.status, 201);
    assert_eq!(sent.json()["conversation"]["kind"], "direct");
    let lost = server
        .call("ada", "POST", "/messages", json!({"text": "hi"}))
        .await;
    assert_eq!(lost.refusal().2, "recipient_id");
    let list = server
        .good("bob", "GET", "/conversations?filter=unread&q=ad", Value::Null)
        .await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let found = server
        .good("bob", "GET", "/search/messages?q=H", Value::Null)
        .await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let sync = server.good("bob", "POST", "/sync", json!({})).await;
    assert_eq!(sync["conversations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_group() {
    let server = server().await;
    people(&server, &["ada", "bob", "cy", "dan"]).await;
    let body = json!({"name": "Club", "member_ids": ["bob", "cy"]});
    let made = server.call("ada", "POST", "/conversations/group", body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let id = made.json()["conversation"]["id"].as_str().unwrap().to_owned();
    let base = format!("/conversations/{id}");
    let renamed = server.good("ada", "PATCH", &base, json!({"name": "Clubs"})).await;
    assert_eq!(renamed["name"], "Clubs");
    let added = server
        .good(
            "ada",
            "POST",
            &format!("{base}/members"),
            json!({"user_ids": ["dan", "bob"]}),
        )
        .await;
    assert_eq!(
        (&added["added"], &added["already_members"]),
        (&json!(["dan"]), &json!(["bob"]))
    );
    let page = server
        .good("bob", "GET", &format!("{base}/members?limit=3"), Value::Null)
        .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = server
        .good(
            "bob",
            "GET",
            &format!("{base}/members?limit=3&cursor={cursor}"),
            Value::Null,
        )
        .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let role = server
        .good(
            "ada",
            "PATCH",
            &format!("{base}/members/bob"),
            json!({"role": "admin"}),
        )
        .await;
    assert_eq!(role["role"], "admin");
    let removed = server
        .call("bob", "DELETE", &format!("{base}/members/dan"), Value::Null)
        .await;
    assert_eq!(removed.status, 204);
    let owner = server
        .good("ada", "PUT", &format!("{base}/owner"), json!({"user_id": "bob"}))
        .await;
    assert_eq!(owner["role"], "owner");
    let pinned = server
        .good(
            "cy",
            "PATCH",
            &format!("{base}/settings"),
            json!({"pinned": true, "muted_until": "forever"}),
        )
        .await;
    assert_eq!(pinned["my"]["muted_until"], "forever");
    for step in ["clear", "hide", "leave"] {
        assert_eq!(
            server
                .call("cy", "POST", &format!("{base}/{step}"), Value::Null)
                .await
                .status,
            204,
            "{step}"
        );
    }
    let typing = server
        .call("ada", "POST", &format!("{base}/typing"), json!({"active": true}))
        .await;
    assert_eq!(typing.status, 204);
    assert_eq!(server.call("ada", "DELETE", &base, Value::Null).await.status, 403);
    assert_eq!(server.call("bob", "DELETE", &base, Value::Null).await.status, 204);
    assert_eq!(server.get("bob", &base).await.refusal().1, "conversation_gone");
}

#[tokio::test]
async fn people_devices_and_blocks() {
    let server = server().await;
    people(&server, &["ada", "bob"]).await;
    let device = json!({"token": "t+1", "platform": "web", "provider": "fcm"});
    assert_eq!(
        server.call("ada", "PUT", "/devices", device.clone()).await.status,
        204
    );
    let devices = server.good("ada", "GET", "/devices", Value::Null).await;
    assert_eq!(devices["items"][0]["token"], "t+1");
    assert_eq!(
        server
            .call("ada", "DELETE", "/devices?token=t%2B1", Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(server.call("ada", "PUT", "/devices", device).await.status, 204);
    assert_eq!(
        server
            .call("ada", "DELETE", "/devices", json!({"token": "t+1"}))
            .await
            .status,
        204
    );
    assert_eq!(
        server.good("ada", "GET", "/devices", Value::Null).await["items"],
        json!([])
    );

    let settings = server
        .good("ada", "PATCH", "/me/settings", json!({"push": "mentions"}))
        .await;
    assert_eq!(settings["push"], "mentions");
    assert_eq!(
        server.good("ada", "GET", "/users?q=bob", Value::Null).await["items"][0]["id"],
        "bob"
    );
    let presence = server
        .good("ada", "GET", "/presence?user_ids=bob,nobody%2Cnever", Value::Null)
        .await;
    assert_eq!(presence["items"][0]["user_id"], "bob");
    assert_eq!(
        server.call("ada", "PUT", "/blocks/bob", Value::Null).await.status,
        204
    );
    assert_eq!(
        server.good("ada", "GET", "/blocks", Value::Null).await["items"][0]["id"],
        "bob"
    );
    let refused = server
        .call(
            "ada",
            "POST",
            "/messages",
            json!({"recipient_id": "bob", "text": "x"}),
        )
        .await;
    assert_eq!(refused.refusal().1, "you_blocked");
    assert_eq!(
        server
            .call("ada", "DELETE", "/blocks/bob", Value::Null)
            .await
            .status,
        204
    );
    for path in ["/contacts", "/users/online", "/users/bob"] {
        server.good("ada", "GET", path, Value::Null).await;
    }
}

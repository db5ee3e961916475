//! Input that must be refused, as data: command, payload, code, field.

use chat_core::command::SendMessage;
use serde_json::{Value, json};

use crate::world::{Chats, World};

for_each_store!(every_bad_payload_is_refused_and_changes_nothing);

async fn every_bad_payload_is_refused_and_changes_nothing(world: World) {
    let world =
        world.with_config(|config| config.limits.commands = chat_core::config::Rate::new(10_000, 60_000));
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let live = world.connect(&ada).await;
    let direct = ada.direct_with(&ben).await.id;
    let message = ada
        .send(SendMessage::text(direct, "only one"))
        .await
        .unwrap()
        .message;
    let unknown = "01935d5f-0000-7000-8000-000000000000";
    let (c, m) = (json!(direct), json!(message.id));
    let send = |extra: Value| {
        let mut payload = json!({ "conversation_id": c });
        payload
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        payload
    };
    let table: Vec<(&str, Value, &str, Option<&str>)> = vec![
        ("no_such_command", json!({}), "invalid_argument", Some("op")),
        ("send_message", json!(null), "invalid_argument", Some("body")),
        ("send_message", json!([]), "invalid_argument", Some("body")),
        ("send_message", json!("text"), "invalid_argument", Some("body")),
        ("send_message", json!({ "text": "x" }), "invalid_argument", None),
        (
            "send_message",
            send(json!({ "recipient_id": "ben", "text": "x" })),
            "invalid_argument",
            None,
        ),
        (
            "send_message",
            send(json!({ "text": 7 })),
            "invalid_argument",
            Some("text"),
        ),
        ("send_message", send(json!({})), "empty_message", None),
        ("send_message", send(json!({ "text": "" })), "empty_message", None),
        (
            "send_message",
            send(json!({ "text": " \n\t\u{200b}" })),
            "empty_message",
            None,
        ),
        (
            "send_message",
            send(json!({ "text": "a\u{0}b" })),
            "invalid_argument",
            Some("text"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "sender": "ben" })),
            "invalid_argument",
            Some("sender"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "kind": "poem" })),
            "invalid_argument",
            Some("kind"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "kind": "system" })),
            "invalid_argument",
            Some("kind"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "client_id": "" })),
            "invalid_argument",
            Some("client_id"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "reply_to": unknown })),
            "message_not_found",
            Some("reply_to"),
        ),
        (
            "send_message",
            send(json!({ "kind": "image" })),
            "invalid_argument",
            Some("attachment_ids"),
        ),
        (
            "send_message",
            send(json!({ "kind": "file", "attachment_ids": [unknown] })),
            "attachment_not_found",
            Some("attachment_ids"),
        ),
        (
            "send_message",
            send(json!({ "kind": "location" })),
            "invalid_argument",
            Some("location"),
        ),
        (
            "send_message",
            send(json!({ "kind": "location", "location": { "latitude": 91, "longitude": 0 } })),
            "invalid_argument",
            Some("location.latitude"),
        ),
        (
            "send_message",
            send(json!({ "kind": "location", "location": { "latitude": 0, "longitude": -181 } })),
            "invalid_argument",
            Some("location.longitude"),
        ),
        (
            "send_message",
            send(json!({ "kind": "meeting", "meeting": { "scheduled_at": "2020-01-01T00:00:00Z" } })),
            "invalid_argument",
            Some("meeting.scheduled_at"),
        ),
        (
            "send_message",
            send(json!({ "text": "x", "client_time": "yesterday" })),
            "invalid_argument",
            Some("client_time"),
        ),
        (
            "send_message",
            json!({ "conversation_id": "nonsense", "text": "x" }),
            "invalid_argument",
            Some("conversation_id"),
        ),
        (
            "send_message",
            json!({ "conversation_id": unknown, "text": "x" }),
            "conversation_not_found",
            None,
        ),
        (
            "send_message",
            json!({ "recipient_id": "nobody", "text": "x" }),
            "user_not_found",
            Some("recipient_id"),
        ),
        (
            "send_message",
            json!({ "recipient_id": "ada", "text": "x" }),
            "cannot_message_self",
            None,
        ),
        (
            "edit_message",
            json!({ "message_id": m }),
            "invalid_argument",
            None,
        ),
        (
            "edit_message",
            json!({ "message_id": m, "text": "" }),
            "empty_message",
            None,
        ),
        (
            "edit_message",
            json!({ "message_id": m, "text": "y", "expected_version": 9 }),
            "version_conflict",
            None,
        ),
        (
            "edit_message",
            json!({ "message_id": unknown, "text": "y" }),
            "message_not_found",
            None,
        ),
        (
            "delete_message",
            json!({ "message_id": m }),
            "invalid_argument",
            None,
        ),
        (
            "delete_message",
            json!({ "message_id": m, "for": "us" }),
            "invalid_argument",
            Some("for"),
        ),
        (
            "delete_message",
            json!({ "message_id": unknown, "for": "me" }),
            "message_not_found",
            None,
        ),
        (
            "add_reaction",
            json!({ "message_id": m, "emoji": "" }),
            "invalid_argument",
            Some("emoji"),
        ),
        (
            "add_reaction",
            json!({ "message_id": m, "emoji": "a b" }),
            "invalid_argument",
            Some("emoji"),
        ),
        (
            "add_reaction",
            json!({ "message_id": unknown, "emoji": "x" }),
            "message_not_found",
            None,
        ),
        ("mark_read", json!({}), "invalid_argument", None),
        (
            "mark_read",
            json!({ "conversation_id": c }),
            "invalid_argument",
            Some("seq"),
        ),
        (
            "mark_read",
            json!({ "conversation_id": c, "seq": -1 }),
            "invalid_argument",
            Some("seq"),
        ),
        (
            "mark_read",
            json!({ "conversation_id": c, "seq": 1.5 }),
            "invalid_argument",
            Some("seq"),
        ),
        (
            "mark_read",
            json!({ "conversation_id": c, "seq": 1, "user_id": "ben" }),
            "invalid_argument",
            Some("user_id"),
        ),
        (
            "typing",
            json!({ "conversation_id": c, "active": "yes" }),
            "invalid_argument",
            Some("active"),
        ),
        (
            "typing",
            json!({ "conversation_id": unknown, "active": true }),
            "conversation_not_found",
            None,
        ),
        (
            "open_conversation",
            json!({ "conversation_id": unknown }),
            "conversation_not_found",
            None,
        ),
        (
            "set_foreground",
            json!({ "foreground": 1 }),
            "invalid_argument",
            Some("foreground"),
        ),
        (
            "subscribe_presence",
            json!({ "user_ids": "ben" }),
            "invalid_argument",
            Some("user_ids"),
        ),
        (
            "get_online_users",
            json!({ "limit": 0 }),
            "invalid_argument",
            Some("limit"),
        ),
        (
            "get_online_users",
            json!({ "limit": 101 }),
            "invalid_argument",
            Some("limit"),
        ),
        ("sync", json!({ "token": "forged" }), "invalid_cursor", None),
        ("sync", json!({ "since": 1 }), "invalid_argument", Some("since")),
        ("refresh_token", json!({ "token": "ben" }), "token_invalid", None),
    ];
    let mut wrong = Vec::new();
    for (command, payload, code, field) in table {
        match live.session.execute(command, payload.clone()).await {
            Ok(answer) => wrong.push(format!("{command} {payload}: taken with {answer}")),
            Err(error) => {
                if error.code().as_str() != code || field.is_some() && error.field() != field {
                    wrong.push(format!(
                        "{command} {payload}: expected {code} {field:?}, got {error}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(ben.texts(direct).await, ["only one"]);
}

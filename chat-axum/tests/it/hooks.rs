//! Every route that changes something passes the host's hooks.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use chat_axum::ChatApi;
use chat_core::ChatEngine;
use chat_core::command::CommandName;
use chat_core::config::{ChatConfig, Rate};
use chat_core::memory::MemoryStore;
use chat_core::port::{CommandContext, Hook, Rejection, Via};
use chat_media_fs::FsMediaStore;
use serde_json::{Value, json};

use crate::support::{Server, bearer, jwt};

/// Refuses everything, and remembers what.
#[derive(Debug, Default)]
struct Closed {
    asked: Mutex<Vec<CommandContext>>,
}

#[async_trait]
impl Hook for Closed {
    async fn before(&self, command: &CommandContext) -> Result<(), Rejection> {
        self.asked.lock().unwrap().push(command.clone());
        Err(Rejection::new("closed", "come back tomorrow"))
    }
}

/// Routes that change nothing of a chat: reading with a body, and the accounts beside it.
const ASKED_OF_NOBODY: &[&str] = &[
    "POST /sync",
    "POST /auth/signup",
    "POST /auth/login",
    "POST /auth/logout",
];

/// Commands without a route of their own.
const WITHOUT_ROUTE: &[CommandName] = &[];

/// What a route is called with, and the command it is.
fn rows() -> Vec<(&'static str, CommandName, Value)> {
    use CommandName as C;
    let patch = json!({"name": "Other"});
    let mark = json!({"seq": 1});
    let device = json!({"token": "t", "platform": "web", "provider": "fcm"});
    vec![
        ("PATCH /me", C::UpdateMe, patch.clone()),
        ("PATCH /me/settings", C::UpdateSettings, json!({"push": "none"})),
        ("PUT /me/presence", C::SetPresence, json!({"status": "dnd"})),
        ("PUT /blocks/{}", C::BlockUser, Value::Null),
        ("DELETE /blocks/{}", C::UnblockUser, Value::Null),
        (
            "POST /conversations/direct",
            C::OpenDirect,
            json!({"user_id": "ben"}),
        ),
        (
            "POST /conversations/group",
            C::CreateGroup,
            json!({"name": "Team", "member_ids": ["ben", "cid"]}),
        ),
        ("PATCH /conversations/{}", C::UpdateConversation, patch),
        ("DELETE /conversations/{}", C::DeleteConversation, Value::Null),
        ("POST /conversations/{}/leave", C::LeaveConversation, Value::Null),
        ("POST /conversations/{}/clear", C::ClearConversation, Value::Null),
        ("POST /conversations/{}/hide", C::HideConversation, Value::Null),
        (
            "PATCH /conversations/{}/settings",
            C::UpdateConversationSettings,
            json!({"pinned": true}),
        ),
        (
            "POST /conversations/{}/members",
            C::AddMembers,
            json!({"user_ids": ["ben"]}),
        ),
        (
            "PATCH /conversations/{}/members/{}",
            C::SetRole,
            json!({"role": "admin"}),
        ),
        (
            "DELETE /conversations/{}/members/{}",
            C::RemoveMember,
            Value::Null,
        ),
        (
            "PUT /conversations/{}/members/{}/mute",
            C::MuteMember,
            json!({"until": "forever"}),
        ),
        (
            "DELETE /conversations/{}/members/{}/mute",
            C::UnmuteMember,
            Value::Null,
        ),
        (
            "POST /reports",
            C::Report,
            json!({"user_id": "ben", "reason": "spam"}),
        ),
        (
            "POST /moderation/reports/{}/resolve",
            C::ResolveReport,
            json!({"action": "dismissed"}),
        ),
        ("DELETE /moderation/messages/{}", C::ModerateMessage, Value::Null),
        ("PUT /moderation/users/{}/suspension", C::SuspendUser, Value::Null),
        (
            "DELETE /moderation/users/{}/suspension",
            C::LiftSuspension,
            Value::Null,
        ),
        ("PUT /moderation/users/{}/mute", C::MuteEverywhere, Value::Null),
        (
            "DELETE /moderation/users/{}/mute",
            C::UnmuteEverywhere,
            Value::Null,
        ),
        ("PUT /mutes/{}", C::MuteUser, Value::Null),
        ("DELETE /mutes/{}", C::UnmuteUser, Value::Null),
        (
            "PUT /conversations/{}/owner",
            C::TransferOwnership,
            json!({"user_id": "ben"}),
        ),
        ("PUT /conversations/{}/delivered", C::MarkDelivered, mark.clone()),
        ("PUT /conversations/{}/read", C::MarkRead, mark.clone()),
        ("PUT /conversations/{}/unread", C::MarkUnread, mark),
        ("POST /conversations/read-all", C::ReadAll, Value::Null),
        (
            "POST /conversations/{}/typing",
            C::Typing,
            json!({"active": true}),
        ),
        (
            "POST /conversations/{}/messages",
            C::SendMessage,
            json!({"text": "hello"}),
        ),
        (
            "POST /messages",
            C::SendMessage,
            json!({"recipient_id": "ben", "text": "hello"}),
        ),
        (
            "POST /messages/{}/forward",
            C::ForwardMessage,
            json!({"recipient_id": "ben"}),
        ),
        ("PUT /messages/{}/star", C::StarMessage, Value::Null),
        ("DELETE /messages/{}/star", C::UnstarMessage, Value::Null),
        ("POST /messages/{}/reactions/{}", C::ToggleReaction, Value::Null),
        ("PUT /conversations/{}/pins/{}", C::PinMessage, Value::Null),
        ("DELETE /conversations/{}/pins/{}", C::UnpinMessage, Value::Null),
        ("PATCH /messages/{}", C::EditMessage, json!({"text": "other"})),
        ("DELETE /messages/{}?for=me", C::DeleteMessage, Value::Null),
        ("PUT /messages/{}/reactions/{}", C::AddReaction, Value::Null),
        ("DELETE /messages/{}/reactions/{}", C::RemoveReaction, Value::Null),
        ("PUT /messages/{}/keep", C::KeepMessage, Value::Null),
        ("DELETE /messages/{}/keep", C::UnkeepMessage, Value::Null),
        (
            "POST /messages/{}/meeting",
            C::StepMeeting,
            json!({"action": "confirm", "expected_version": 1}),
        ),
        (
            "PATCH /messages/{}/location",
            C::MoveLocation,
            json!({"latitude": 1.0, "longitude": 2.0}),
        ),
        (
            "POST /scheduled",
            C::ScheduleMessage,
            json!({"recipient_id": "ben", "text": "hello", "send_at": "2030-01-01T00:00:00Z"}),
        ),
        (
            "PATCH /scheduled/{}",
            C::UpdateScheduledMessage,
            json!({"text": "other"}),
        ),
        ("DELETE /scheduled/{}", C::CancelScheduledMessage, Value::Null),
        ("DELETE /attachments/{}", C::DeleteAttachment, Value::Null),
        ("POST /me/erase", C::EraseMe, json!({"messages": "delete"})),
        ("PUT /devices", C::RegisterDevice, device),
        ("DELETE /devices", C::UnregisterDevice, json!({"token": "t"})),
    ]
}

/// Routes of the contract that may change something.
fn changing_routes() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/contract-surface.json");
    let surface: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let routes = surface["routes"].as_array().unwrap().iter();
    routes
        .map(|route| route.as_str().unwrap().to_owned())
        .filter(|route| !route.starts_with("GET ") && !ASKED_OF_NOBODY.contains(&route.as_str()))
        .collect()
}

/// The path with its holes filled: ids, then a user or an emoji.
fn filled(path: &str) -> String {
    let id = "0198c5a2-7b1c-7000-8000-000000000001";
    let mut parts = path.split("{}");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        filled += match filled.as_str() {
            "/blocks/" | "/mutes/" | "/moderation/users/" => "ben",
            path if path.ends_with("/members/") => "ben",
            path if path.ends_with("/reactions/") => "%F0%9F%91%8D",
            _ => id,
        };
        filled += part;
    }
    filled
}

#[tokio::test]
async fn every_route_that_changes_something_passes_the_hooks() {
    let closed = Arc::new(Closed::default());
    let media = tempfile::tempdir().unwrap();
    let mut config = ChatConfig::default();
    // One after the other, as fast as they come.
    config.limits.commands = Rate::new(1_000, 60_000);
    let engine = ChatEngine::builder(Arc::new(MemoryStore::default()))
        .with_config(config)
        .with_media(Arc::new(FsMediaStore::open(media.path()).await.unwrap()))
        .with_hook(Arc::clone(&closed) as Arc<dyn Hook>)
        .build();
    let api = ChatApi::new(engine.clone(), jwt()).router();
    let server = Server {
        engine,
        app: Router::new().nest("/api", api),
        _media: media,
    };
    let rows = rows();
    let mut seen: BTreeSet<CommandName> = WITHOUT_ROUTE.iter().copied().collect();
    for route in changing_routes() {
        let answer = if route == "POST /attachments" {
            let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
            let headers = [
                ("authorization", &*bearer("ada")),
                ("content-type", "multipart/form-data; boundary=b"),
            ];
            server.raw("POST", "/attachments", &headers, form).await
        } else {
            let (asked, _, body) = rows
                .iter()
                .find(|(row, ..)| row.split('?').next() == Some(&route))
                .unwrap_or_else(|| panic!("{route} needs a row here: it has to pass Actor::command"));
            let (method, path) = asked.split_once(' ').unwrap();
            server.call("ada", method, &filled(path), body.clone()).await
        };
        let body = answer.json();
        assert_eq!(answer.status.as_u16(), 422, "{route}: {body}");
        assert_eq!(body["code"], "rejected_by_policy", "{route}");
        assert_eq!(body["details"]["policy_code"], "closed", "{route}");
        let asked = std::mem::take(&mut *closed.asked.lock().unwrap());
        let [asked] = asked.as_slice() else {
            panic!("{route}: once, not {asked:?}");
        };
        assert_eq!((asked.via, asked.actor.as_str()), (Via::Rest, "ada"), "{route}");
        let expected = rows
            .iter()
            .find(|(row, ..)| row.split('?').next() == Some(&route))
            .map_or(CommandName::UploadAttachment, |(_, command, _)| *command);
        assert_eq!(asked.command, expected, "{route}");
        if route.contains("/conversations/{}") {
            assert!(asked.conversation_id().is_some(), "{route}");
        }
        if route.contains("/messages/{}") {
            assert!(asked.message_id.is_some(), "{route}");
        }
        if route.contains("/members/{}") || route.contains("/blocks/{}") {
            assert_eq!(asked.user_ids.len(), 1, "{route}");
        }
        seen.insert(asked.command);
    }
    let all: BTreeSet<CommandName> = CommandName::ALL.iter().copied().collect();
    assert_eq!(seen, all, "a command without a route belongs into WITHOUT_ROUTE");
}

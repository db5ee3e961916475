//! The host's say: every command passes it, and a hook that fails costs its own command only.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::command::{ClientCommand, CommandName, EditMessage, ReactTo, ScheduleMessage, SendMessage};
use chat_core::engine::EventItem;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::event::ChatEvent;
use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::model::{CustomContent, MessageKind};
use chat_core::port::{
    CommandContext, CustomContentValidator, CustomTypes, Draft, EditDraft, Hook, Rejection, Via,
};
use futures::StreamExt;
use serde_json::json;

use crate::world::{World, code, refusal, settle};

/// Remembers what it is asked and told, and refuses everything while it is closed.
#[derive(Debug, Default)]
struct Watch {
    closed: AtomicBool,
    asked: Mutex<Vec<CommandContext>>,
    told: Mutex<Vec<(CommandName, Result<(), ErrorCode>)>>,
}

impl Watch {
    fn last_asked(&self) -> CommandContext {
        self.asked.lock().unwrap().last().unwrap().clone()
    }

    fn forget(&self) {
        self.asked.lock().unwrap().clear();
        self.told.lock().unwrap().clear();
    }
}

#[async_trait]
impl Hook for Watch {
    async fn before(&self, command: &CommandContext) -> Result<(), Rejection> {
        self.asked.lock().unwrap().push(command.clone());
        if self.closed.load(Ordering::SeqCst) {
            return Err(Rejection::new("closed", "come back tomorrow"));
        }
        Ok(())
    }

    async fn after_command(&self, command: &CommandContext, outcome: Result<(), &ChatError>) {
        let outcome = outcome.map_err(ChatError::code);
        self.told.lock().unwrap().push((command.command, outcome));
    }
}

fn watched() -> (Arc<Watch>, World) {
    hooked(Watch::default())
}

fn hooked<H: Hook + 'static>(hook: H) -> (Arc<H>, World) {
    let hook = Arc::new(hook);
    let world = World::wired(
        |_| {},
        |builder| builder.with_hook(Arc::clone(&hook) as Arc<dyn Hook>),
    );
    (hook, world)
}

async fn message_in(world: &World, id: ConversationId, author: &UserId) -> MessageId {
    let sent = world.on(author).send(SendMessage::text(id, "words")).await;
    sent.unwrap().message.id
}

/// Live commands that only read, or only concern their own session.
const ASKED_OF_NOBODY: &[&str] = &[
    "open_conversation",
    "close_conversation",
    "set_foreground",
    "subscribe_presence",
    "unsubscribe_presence",
    "get_online_users",
    "sync",
    "refresh_token",
];

#[tokio::test(start_paused = true)]
async fn every_live_command_that_changes_something_passes_the_hooks() {
    let (watch, world) = watched();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let message = message_in(&world, id, &ann).await;
    let device = world.connect(&ann).await;
    let send_at = world.engine.now().after(Duration::from_secs(3600));
    let later = ScheduleMessage::new(SendMessage::text(id, "later"), send_at);
    let scheduled = world.on(&ann).schedule(later).await.unwrap().scheduled.id;
    settle().await;
    watch.closed.store(true, Ordering::SeqCst);
    watch.forget();
    let rows = [
        ("send_message", json!({"conversation_id": id, "text": "hello"})),
        (
            "schedule_message",
            json!({"conversation_id": id, "text": "hello", "send_at": send_at}),
        ),
        (
            "update_scheduled_message",
            json!({"scheduled_id": scheduled, "text": "other"}),
        ),
        ("cancel_scheduled_message", json!({"scheduled_id": scheduled})),
        ("edit_message", json!({"message_id": message, "text": "other"})),
        (
            "delete_message",
            json!({"message_id": message, "for": "everyone"}),
        ),
        ("add_reaction", json!({"message_id": message, "emoji": "👍"})),
        ("remove_reaction", json!({"message_id": message, "emoji": "👍"})),
        ("keep_message", json!({"message_id": message})),
        ("unkeep_message", json!({"message_id": message})),
        ("toggle_reaction", json!({"message_id": message, "emoji": "👍"})),
        (
            "forward_message",
            json!({"message_id": message, "conversation_id": id}),
        ),
        ("pin_message", json!({"message_id": message})),
        ("unpin_message", json!({"message_id": message})),
        ("star_message", json!({"message_id": message})),
        ("unstar_message", json!({"message_id": message})),
        ("mark_delivered", json!({"conversation_id": id, "seq": 1})),
        ("mark_read", json!({"conversation_id": id, "seq": 1})),
        ("mark_unread", json!({"conversation_id": id, "seq": 1})),
        ("typing", json!({"conversation_id": id, "active": true})),
        (
            "mute_member",
            json!({"conversation_id": id, "user_id": "bob", "until": "forever"}),
        ),
        ("unmute_member", json!({"conversation_id": id, "user_id": "bob"})),
        ("set_presence", json!({"status": "away"})),
    ];
    for name in ClientCommand::NAMES {
        if ASKED_OF_NOBODY.contains(name) {
            continue;
        }
        let (_, payload) = rows
            .iter()
            .find(|(row, _)| row == name)
            .unwrap_or_else(|| panic!("{name} needs a row here: it has to pass Actor::command"));
        let refused = device.session.execute(name, payload.clone()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RejectedByPolicy, "{name}");
        assert_eq!(refused.details()["policy_code"], "closed");
        let asked = watch.last_asked();
        assert_eq!(asked.command.as_str(), *name);
        assert_eq!(asked.via, Via::Live, "{name}");
        // What belongs to the user himself names none.
        let about = (*name != "set_presence").then_some(id);
        assert_eq!(asked.conversation_id(), about, "{name}");
        assert_eq!(asked.actor, ann);
    }
    assert_eq!(watch.asked.lock().unwrap().len(), rows.len(), "each once");
    settle().await;
    let told = watch.told.lock().unwrap().clone();
    assert_eq!(told.len(), rows.len(), "each outcome once");
    for ((command, outcome), (name, _)) in told.iter().zip(&rows) {
        assert_eq!(
            (command.as_str(), *outcome),
            (*name, Err(ErrorCode::RejectedByPolicy))
        );
    }
    let conversation = world.conversation(id).await;
    assert_eq!(conversation.last_seq, 1, "nothing was changed");
    assert!(world.names().await.iter().all(|name| *name != "typing_changed"));
}

/// Methods of `Actor` that only read.
const READS: &[&str] = &[
    "attachment",
    "attachment_content",
    "audit_log",
    "badge",
    "blocked_users",
    "contacts",
    "conversation",
    "conversation_counts",
    "conversations",
    "conversations_with",
    "devices",
    "export_me",
    "find_contacts",
    "find_members",
    "former_texts",
    "history",
    "me",
    "members",
    "mentions",
    "message",
    "muted_users",
    "online_users",
    "own_presence",
    "pinned_messages",
    "presence",
    "receipts",
    "report_by_id",
    "reports",
    "scheduled",
    "scheduled_messages",
    "search_messages",
    "search_users",
    "settings",
    "starred_messages",
    "sync",
    "take_command_allowance",
    "user",
];

/// The source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The source of every command is looked at, so that a new one cannot be forgotten.
#[test]
fn every_command_of_an_actor_passes_the_hooks() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let mut passing = BTreeSet::new();
    let mut reads = BTreeSet::new();
    let mut forgotten = Vec::new();
    for path in sources(&engine) {
        let source = std::fs::read_to_string(&path).unwrap();
        for block in source.split("\nimpl Actor {").skip(1) {
            let block = block.split("\n}\n").next().unwrap();
            for method in block.split("    pub async fn ").skip(1) {
                let name = method.split('(').next().unwrap();
                let body = method.split("\n    }\n").next().unwrap();
                let command = body
                    .split_once("CommandName::")
                    .filter(|_| body.contains("self.command("))
                    .map(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
                match command {
                    Some(command) => assert!(passing.insert(command.to_owned()), "{command} twice"),
                    None => {
                        if !READS.contains(&name) {
                            forgotten.push(format!("{name} in {}", path.display()));
                        }
                        reads.insert(name.to_owned());
                    }
                }
            }
        }
    }
    assert!(
        forgotten.is_empty(),
        "these must go through Actor::command, or be named here as reads: {forgotten:?}"
    );
    let all: BTreeSet<String> = CommandName::ALL.iter().map(|name| format!("{name:?}")).collect();
    assert_eq!(passing, all);
    assert_eq!(reads.len(), READS.len(), "reads that are no more: {reads:?}");
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_told_once_also_when_the_caller_has_gone() {
    let (watch, world) = watched();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    settle().await;
    watch.forget();
    world.send(&ann, id, "hello").await;
    assert_eq!(
        code(world.on(&ann).send(SendMessage::text(id, "")).await),
        ErrorCode::EmptyMessage
    );
    // A caller that goes away while his change is on its way.
    let actor = world.on(&ann);
    let mut gone = Box::pin(actor.send(SendMessage::text(id, "on its way")));
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    settle().await;
    assert_eq!(
        *watch.told.lock().unwrap(),
        [
            (CommandName::SendMessage, Ok(())),
            (CommandName::SendMessage, Err(ErrorCode::EmptyMessage)),
            (CommandName::SendMessage, Err(ErrorCode::OutcomeUnknown)),
        ]
    );
    let asked = watch.last_asked();
    assert_eq!((asked.via, asked.as_host), (Via::Rust, false));
    let _ = world
        .engine
        .as_host(&ann)
        .send(SendMessage::text(id, "notice"))
        .await;
    assert!(watch.last_asked().as_host);
}

#[tokio::test(start_paused = true)]
async fn a_strangers_command_does_not_name_the_conversation() {
    let (watch, world) = watched();
    let [ann, bob, eve] = world.users(["ann", "bob", "eve"]).await;
    let id = world.direct(&ann, &bob).await;
    let message_id = message_in(&world, id, &ann).await;
    let react = ReactTo {
        message_id,
        emoji: "👍".to_owned(),
    };
    world.on(&bob).add_reaction(react.clone()).await.unwrap();
    assert_eq!(watch.last_asked().conversation_ids, [id]);
    let refused = world.on(&eve).add_reaction(react).await;
    assert_eq!(code(refused), ErrorCode::MessageNotFound);
    assert!(watch.last_asked().conversation_ids.is_empty());
    assert_eq!(watch.last_asked().message_id, Some(message_id));
}

/// Panics, hangs or passes, by the sender's name.
#[derive(Debug)]
struct Moody;

async fn mood(user: &UserId) {
    match user.as_str() {
        "boom" => panic!("a fault of the host"),
        "tar" => std::future::pending().await,
        _ => {}
    }
}

#[async_trait]
impl Hook for Moody {
    async fn before(&self, command: &CommandContext) -> Result<(), Rejection> {
        mood(&command.actor).await;
        Ok(())
    }

    async fn after_command(&self, command: &CommandContext, _: Result<(), &ChatError>) {
        mood(&command.actor).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_or_hangs_fails_closed_and_stops_nobody_else() {
    let (_, world) = hooked(Moody);
    let [ann, boom, tar] = world.users(["ann", "boom", "tar"]).await;
    let id = world.group(&ann, &[&boom, &tar]).await;
    let before = world.conversation(id).await.last_seq;
    let slow = tokio::spawn({
        let actor = world.on(&tar);
        async move { actor.send(SendMessage::text(id, "x")).await }
    });
    let refused = world.on(&boom).send(SendMessage::text(id, "x")).await;
    assert_eq!(code(refused), ErrorCode::Unavailable);
    world.send(&ann, id, "goes through meanwhile").await;
    assert!(!slow.is_finished());
    assert_eq!(code(slow.await.unwrap()), ErrorCode::Unavailable);
    assert_eq!(world.conversation(id).await.last_seq, before + 1);
    assert!(world.engine.drain(Duration::ZERO, Duration::from_secs(60)).await);
    // Two commands that were refused, and two outcomes that could not be told.
    assert_eq!(world.engine.stats().hooks_failed, 4);
}

/// Puts a word in for another, refuses a third, and hangs or panics over two more.
#[derive(Debug)]
struct Editor;

#[async_trait]
impl Hook for Editor {
    async fn before_edit(&self, draft: EditDraft<'_>) -> Result<(), Rejection> {
        match draft.text.as_str() {
            "spam" => return Err(Rejection::new("no_spam", "not here")),
            "boom" => panic!("a fault of the host"),
            "long" => *draft.text = "x".repeat(20_000),
            _ => *draft.text = draft.text.to_uppercase(),
        }
        Ok(())
    }

    async fn before_send(&self, draft: Draft<'_>) -> Result<(), Rejection> {
        match draft.message.text.as_deref() {
            Some("tar") => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn edits_are_rewritten_or_refused() {
    let (_, world) = hooked(Editor);
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let message = message_in(&world, id, &ann).await;
    let edit = async |text: &str| {
        let edit = EditMessage {
            message_id: message,
            text: text.to_owned(),
            mentions: None,
            expected_version: None,
        };
        world.on(&ann).edit(edit).await
    };
    assert_eq!(edit("quiet").await.unwrap().text.as_deref(), Some("QUIET"));
    assert_eq!(code(edit("spam").await), ErrorCode::RejectedByPolicy);
    assert_eq!(code(edit("boom").await), ErrorCode::Unavailable);
    assert_eq!(code(edit("long").await), ErrorCode::MessageTooLong);
    assert_eq!(
        code(world.on(&ann).send(SendMessage::text(id, "tar")).await),
        ErrorCode::Unavailable
    );
    let kept = world.on(&ann).message(message).await.unwrap();
    assert_eq!((kept.text.as_deref(), kept.version), (Some("QUIET"), 2));
    assert_eq!(world.conversation(id).await.last_seq, 1);
}

/// Panics over every content.
#[derive(Debug)]
struct Broken;

impl CustomContentValidator for Broken {
    fn validate(&self, _: &UserId, _: &CustomContent) -> Result<(), String> {
        panic!("a fault of the host")
    }
}

#[tokio::test(start_paused = true)]
async fn custom_content_of_unknown_types_is_refused_when_the_host_has_a_list() {
    let of_type = |id, kind: &str| SendMessage {
        conversation_id: Some(id),
        kind: MessageKind::Custom,
        custom: Some(CustomContent {
            kind: kind.to_owned(),
            data: json!({"n": 1}),
        }),
        ..SendMessage::default()
    };
    let listed: Arc<dyn CustomContentValidator> = Arc::new(CustomTypes::new(["poll"]));
    for (validator, poll, other) in [
        (None, None, None),
        (Some(listed), None, Some(ErrorCode::InvalidArgument)),
        (
            Some(Arc::new(Broken) as Arc<dyn CustomContentValidator>),
            Some(ErrorCode::Unavailable),
            Some(ErrorCode::Unavailable),
        ),
    ] {
        let world = World::wired(
            |_| {},
            |builder| match validator {
                Some(validator) => builder.with_custom_validator(validator),
                None => builder,
            },
        );
        let [ann, bob] = world.users(["ann", "bob"]).await;
        let id = world.direct(&ann, &bob).await;
        for (kind, refused) in [("poll", poll), ("order", other)] {
            let sent = world.on(&ann).send(of_type(id, kind)).await;
            match refused {
                None => assert!(sent.is_ok(), "{kind}"),
                Some(ErrorCode::InvalidArgument) => {
                    assert_eq!(refusal(sent), (ErrorCode::InvalidArgument, "custom".to_owned()));
                }
                Some(expected) => assert_eq!(code(sent), expected, "{kind}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_events_that_lags_is_told_how_much_it_missed() {
    let world = World::with(|config| config.limits.commands = chat_core::config::Rate::new(1_000_000, 1_000));
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    let mut slow = std::pin::pin!(world.engine.events());
    for n in 0..5_000 {
        world.send(&ann, id, &n.to_string()).await;
    }
    settle().await;
    let mut seen = Vec::new();
    let Some(EventItem::Missed(missed)) = slow.next().await else {
        panic!("a lag is told first");
    };
    assert_eq!(missed, 5_000 - 4_096);
    for _ in 0..4_096 {
        match slow.next().await {
            Some(EventItem::Event(event)) => match &*event {
                ChatEvent::MessageCreated { message } => seen.push(message.text.clone()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen.first().map(String::as_str), Some("904"));
    assert_eq!(seen.last().map(String::as_str), Some("4999"));
}

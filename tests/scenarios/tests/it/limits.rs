//! Every limit at one below, at, and one above.

use std::collections::HashMap;
use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    AddMembers, ClientCommand, ConversationPatch, CreateGroup, HistoryRequest, ListConversations, Mark,
    Marks, MeetingDraft, PageRequest, PinMessage, ProfilePatch, ReactTo, RegisterDevice, SearchMessages,
    SendMessage, SetPresence, StarMessage, SyncRequest,
};
use chat_core::config::{ChatConfig, Limits, Rate};
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::id::{AttachmentId, ClientId, ConversationId, UserId};
use chat_core::model::{CustomContent, JsonObject, Location, ManualStatus, MessageKind, Platform, Provider};
use serde_json::{Value, json};

use crate::world::{Chats, World, client_id, code, user_id};

for_each_store!(
    every_limit_holds_at_its_edge,
    the_connection_limit_holds,
    the_command_rate_holds,
    the_rate_of_a_conversation_holds,
    the_longest_unused_device_goes
);

/// Name of the limit, its size here, and what one more is refused with.
const TABLE: &[(&str, usize, ErrorCode)] = &[
    ("text_chars", 10_000, ErrorCode::MessageTooLong),
    ("text_bytes", 16_384, ErrorCode::MessageTooLong),
    ("client_id_bytes", 64, ErrorCode::InvalidArgument),
    ("user_id_bytes", 64, ErrorCode::InvalidArgument),
    ("attachments", 10, ErrorCode::TooManyAttachments),
    ("mentions", 50, ErrorCode::InvalidArgument),
    ("reactions", 50, ErrorCode::InvalidArgument),
    ("emoji_bytes", 64, ErrorCode::InvalidArgument),
    ("stars_per_user", 7, ErrorCode::Conflict),
    ("pins_per_conversation", 50, ErrorCode::Conflict),
    ("members", 12, ErrorCode::MemberLimitExceeded),
    ("add_members", 8, ErrorCode::InvalidArgument),
    ("page_max", 100, ErrorCode::InvalidArgument),
    ("list_page_max", 100, ErrorCode::InvalidArgument),
    ("marks", 100, ErrorCode::InvalidArgument),
    ("presence_ids", 500, ErrorCode::InvalidArgument),
    ("status_chars", 100, ErrorCode::InvalidArgument),
    ("name_chars", 120, ErrorCode::InvalidArgument),
    ("group_name_chars", 120, ErrorCode::InvalidArgument),
    ("description_chars", 500, ErrorCode::InvalidArgument),
    ("place_chars", 500, ErrorCode::InvalidArgument),
    ("note_chars", 500, ErrorCode::InvalidArgument),
    ("label_chars", 200, ErrorCode::InvalidArgument),
    ("query_bytes", 500, ErrorCode::InvalidArgument),
    ("device_token_bytes", 4_096, ErrorCode::InvalidArgument),
    ("custom_bytes", 8_192, ErrorCode::PayloadTooLarge),
    ("profile_custom_bytes", 8_192, ErrorCode::PayloadTooLarge),
    ("json_depth", 16, ErrorCode::InvalidArgument),
    ("json_keys", 256, ErrorCode::InvalidArgument),
    ("slow_mode_max", 3_600_000, ErrorCode::InvalidArgument),
    ("sync_known", 1_000, ErrorCode::InvalidArgument),
    ("sync_known_on_the_wire", 1_000, ErrorCode::InvalidArgument),
];

fn small(config: &mut ChatConfig) {
    config.limits.members = 12;
    config.limits.stars_per_user = 7;
    config.limits.add_members = 8;
    config.limits.searches = Rate::new(1_000, 60_000);
    config.limits.creates = Rate::new(1_000, 60_000);
}

async fn every_limit_holds_at_its_edge(world: World) {
    let world = world.with_config(small);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    for i in 0..30 {
        world.user(&format!("extra{i}")).await;
    }
    for (name, limit, refusal) in TABLE {
        for (size, fits) in [(limit - 1, true), (*limit, true), (limit + 1, false)] {
            let result = attempt(&world, &ada, &ben, name, size).await;
            match (fits, result) {
                (true, Ok(())) => {}
                (true, Err(error)) => panic!("{name} of {size} is refused: {error}"),
                (false, Ok(())) => panic!("{name} of {size} is taken"),
                (false, Err(error)) => assert_eq!(error.code(), *refusal, "{name} of {size}: {error}"),
            }
        }
    }
}

/// Does something of this size; what is refused for another reason than its size has passed the limit.
async fn attempt(world: &World, ada: &Actor, ben: &Actor, name: &str, size: usize) -> ChatResult<()> {
    let direct = ada.direct_with(ben).await.id;
    let text = |text: String| SendMessage {
        text: Some(text),
        ..SendMessage::text(direct, "")
    };
    let page = |limit| PageRequest {
        limit: Some(limit),
        cursor: None,
    };
    let names = |n: usize| {
        (0..n)
            .map(|i| user_id(&format!("nobody{i}")))
            .collect::<Vec<UserId>>()
    };
    let extras = |from: usize, n: usize| {
        (from..from + n)
            .map(|i| user_id(&format!("extra{i}")))
            .collect::<Vec<UserId>>()
    };
    match name {
        "text_chars" => ada.send(text("x".repeat(size))).await.map(drop),
        "text_bytes" => ada
            .send(text(format!(
                "{}{}",
                "🙂".repeat(4_000),
                "x".repeat(size - 16_000)
            )))
            .await
            .map(drop),
        "client_id_bytes" => {
            let id = ClientId::new("k".repeat(size))
                .map_err(|e| ChatError::invalid("client_id", e.to_string()))?;
            ada.send(text("x".to_owned()).with_client_id(id)).await.map(drop)
        }
        "user_id_bytes" => UserId::new("u".repeat(size))
            .map(drop)
            .map_err(|e| ChatError::invalid("id", e.to_string())),
        "attachments" => {
            let id = |i: usize| {
                format!("01935d5f-0000-7000-8000-{i:012}")
                    .parse::<AttachmentId>()
                    .unwrap()
            };
            let attachment_ids = (0..size).map(id).collect();
            let send = SendMessage {
                kind: MessageKind::File,
                attachment_ids,
                ..text(String::new())
            };
            passed(ada.send(send).await, ErrorCode::AttachmentNotFound)
        }
        "mentions" => ada
            .send(SendMessage {
                mentions: names(size),
                ..text("x".to_owned())
            })
            .await
            .map(drop),
        "reactions" => {
            let message = ada.say(direct, "popular").await;
            for i in 0..size {
                let emoji = char::from_u32(0x1F300 + u32::try_from(i).unwrap())
                    .unwrap()
                    .to_string();
                ben.add_reaction(ReactTo {
                    message_id: message.id,
                    emoji,
                })
                .await?;
            }
            Ok(())
        }
        "emoji_bytes" => {
            let message = ada.say(direct, "x").await;
            ben.add_reaction(ReactTo {
                message_id: message.id,
                emoji: "e".repeat(size),
            })
            .await
            .map(drop)
        }
        "stars_per_user" => {
            let starrer = world.user(&format!("starrer{size}")).await;
            let direct = ada.direct_with(&starrer).await.id;
            for i in 0..size {
                let message = ada.say(direct, &format!("{i}")).await;
                let star = StarMessage {
                    message_id: message.id,
                };
                starrer.star_message(star).await?;
            }
            Ok(())
        }
        "pins_per_conversation" => {
            let group = group(ada, extras(0, 2)).await?;
            for i in 0..size {
                let message = ada.say(group, &format!("{i}")).await;
                ada.pin_message(PinMessage {
                    message_id: message.id,
                    conversation_id: None,
                })
                .await?;
            }
            Ok(())
        }
        "members" => {
            let group = group(ada, extras(0, 8)).await?;
            let answer = ada
                .add_members(
                    group,
                    AddMembers {
                        user_ids: extras(8, size - 9),
                    },
                )
                .await?;
            assert_eq!(answer.added.len(), size - 9);
            Ok(())
        }
        "add_members" => {
            let group = group(ada, extras(0, 2)).await?;
            ada.add_members(
                group,
                AddMembers {
                    user_ids: names(size),
                },
            )
            .await
            .map(drop)
        }
        "page_max" => {
            let request = HistoryRequest {
                limit: Some(size),
                ..HistoryRequest::default()
            };
            ada.history(direct, request).await.map(drop)
        }
        "list_page_max" => ada
            .conversations(ListConversations {
                page: page(size),
                ..Default::default()
            })
            .await
            .map(drop),
        "marks" => {
            let mark = Mark {
                conversation_id: direct,
                seq: Some(0),
            };
            ada.mark_read(Marks {
                marks: Some(vec![mark; size]),
                ..Marks::default()
            })
            .await
            .map(drop)
        }
        "presence_ids" => ada.presence(&names(size)).await.map(drop),
        "status_chars" => ada
            .set_presence(SetPresence {
                status: ManualStatus::Auto,
                text: Some("ü".repeat(size)),
                emoji: None,
                until: None,
            })
            .await
            .map(drop),
        "sync_known" => ada
            .sync(SyncRequest {
                token: None,
                conversations: Some(known_conversations(size)),
            })
            .await
            .map(drop),
        "sync_known_on_the_wire" => {
            let payload = json!({ "conversations": known_conversations(size) });
            ClientCommand::parse("sync", payload, &world.engine.config().limits).map(drop)
        }
        "name_chars" => ada
            .update_me(ProfilePatch {
                name: Some("ü".repeat(size)),
                ..Default::default()
            })
            .await
            .map(drop),
        "group_name_chars" => ada
            .create_group(new_group("ü".repeat(size), extras(0, 3)))
            .await
            .map(drop),
        "description_chars" => {
            let group = group(ada, extras(0, 3)).await?;
            let description = Some(Some("ü".repeat(size)));
            ada.update_conversation(
                group,
                ConversationPatch {
                    description,
                    ..Default::default()
                },
            )
            .await
            .map(drop)
        }
        "place_chars" | "note_chars" => {
            let long = Some("ü".repeat(size));
            let (place, note) = if name == "place_chars" {
                (long, None)
            } else {
                (None, long)
            };
            let scheduled_at = world.engine.now().after(std::time::Duration::from_secs(60));
            let meeting = Some(MeetingDraft {
                place,
                note,
                location: None,
                scheduled_at,
            });
            ada.send(SendMessage {
                kind: MessageKind::Meeting,
                meeting,
                ..text(String::new())
            })
            .await
            .map(drop)
        }
        "label_chars" => {
            let label = Some("ü".repeat(size));
            let location = Some(Location {
                latitude: 1.0,
                longitude: 2.0,
                label,
                live_until: None,
            });
            ada.send(SendMessage {
                kind: MessageKind::Location,
                location,
                ..text(String::new())
            })
            .await
            .map(drop)
        }
        "query_bytes" => ada
            .search_messages(SearchMessages {
                q: "q".repeat(size),
                ..Default::default()
            })
            .await
            .map(drop),
        "device_token_bytes" => {
            let device = RegisterDevice {
                token: "t".repeat(size),
                platform: Platform::Web,
                provider: Provider::Fcm,
            };
            ada.register_device(device).await
        }
        "custom_bytes" => {
            let empty: CustomContent =
                serde_json::from_value(json!({ "type": "t", "data": { "x": "" } })).unwrap();
            let frame = serde_json::to_string(&empty).unwrap().len();
            let full = json!({ "type": "t", "data": { "x": "y".repeat(size - frame) } });
            let custom = Some(serde_json::from_value(full).unwrap());
            ada.send(SendMessage {
                kind: MessageKind::Custom,
                custom,
                ..text(String::new())
            })
            .await
            .map(drop)
        }
        "profile_custom_bytes" => {
            let custom: JsonObject = serde_json::from_value(json!({ "x": "y".repeat(size - 8) })).unwrap();
            assert_eq!(custom.json_bytes(), size);
            ada.update_me(ProfilePatch {
                custom: Some(Some(custom)),
                ..Default::default()
            })
            .await
            .map(drop)
        }
        "json_depth" => {
            let nested = (1..size).fold(json!({}), |inner, _| json!({ "a": inner }));
            parsed(&world.engine.config().limits, nested)
        }
        "json_keys" => {
            let map: HashMap<String, u8> = (0..size).map(|i| (format!("k{i}"), 0)).collect();
            parsed(&world.engine.config().limits, json!(map))
        }
        "slow_mode_max" => {
            let group = group(ada, extras(0, 2)).await?;
            let patch = ConversationPatch {
                slow_mode_ms: Some(Some(size as u64)),
                ..ConversationPatch::default()
            };
            ada.update_conversation(group, patch).await.map(drop)
        }
        other => panic!("{other} has no attempt"),
    }
}

fn known_conversations(count: usize) -> HashMap<ConversationId, u64> {
    let id = |n: usize| format!("01935d5f-0000-7000-8000-{n:012}").parse().unwrap();
    (0..count).map(|n| (id(n), 1)).collect()
}

fn new_group(name: String, member_ids: Vec<UserId>) -> CreateGroup {
    CreateGroup {
        name,
        member_ids,
        description: None,
        avatar_attachment_id: None,
        permissions: None,
        custom: None,
        client_id: None,
    }
}

async fn group(ada: &Actor, members: Vec<UserId>) -> ChatResult<chat_core::id::ConversationId> {
    Ok(ada
        .create_group(new_group("g".to_owned(), members))
        .await?
        .conversation
        .id)
}

/// A refusal with `code` comes after the limit was passed.
fn passed<T>(result: ChatResult<T>, code: ErrorCode) -> ChatResult<()> {
    match result {
        Err(error) if error.code() == code => Ok(()),
        other => other.map(drop),
    }
}

/// Unknown fields are refused by name; a broken limit names no field of the payload but the outer one or `body`.
fn parsed(limits: &Limits, payload: Value) -> ChatResult<()> {
    chat_core::decode::check(&payload, limits)?;
    passed(
        ClientCommand::parse("sync", payload, limits),
        ErrorCode::InvalidArgument,
    )
}

async fn the_connection_limit_holds(world: World) {
    let world = world.with_config(|config| config.limits.connections_per_user = 3);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(world.connect(&ada).await);
    }
    let refused = world.try_connect(&ada).await;
    assert_eq!(code(refused.map(drop)), ErrorCode::RateLimited);
    world.connect(&ben).await;
    open.pop();
    world.connect(&ada).await;
}

async fn the_command_rate_holds(world: World) {
    let world = world.with_config(|config| config.limits.commands = Rate::new(5, 1));
    let ada = world.user("ada").await;
    let phone = world.connect(&ada).await;
    let laptop = world.connect(&ada).await;
    for i in 0..5 {
        let session = if i % 2 == 0 {
            &phone.session
        } else {
            &laptop.session
        };
        session.execute("get_online_users", json!({})).await.unwrap();
    }
    let refused = phone
        .session
        .execute("get_online_users", json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
    assert!(refused.retry_after().is_some());
    phone.session.execute("sync", json!({})).await.unwrap();
}

async fn the_rate_of_a_conversation_holds(world: World) {
    let world = world.with_config(|config| config.limits.sends_per_conversation = Rate::new(3, 60));
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let keyed = SendMessage::text(direct, "1").with_client_id(client_id("k"));
    ada.send(keyed.clone()).await.unwrap();
    ben.say(direct, "2").await;
    ada.say(direct, "3").await;
    for sender in [&ada, &ben] {
        let refused = sender.send(SendMessage::text(direct, "4")).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
    }
    assert!(ada.send(keyed).await.unwrap().replayed, "a replay takes no room");
    let host = world.engine.as_host(ada.user_id());
    host.send(SendMessage::text(direct, "by the host")).await.unwrap();
    world.advance(Duration::from_millis(999));
    assert_eq!(
        code(ben.send(SendMessage::text(direct, "4")).await),
        ErrorCode::RateLimited
    );
    world.advance(Duration::from_millis(1));
    ben.say(direct, "4").await;
    assert_eq!(
        code(ada.send(SendMessage::text(direct, "5")).await),
        ErrorCode::RateLimited
    );
    world.advance(Duration::from_secs(60));
    for text in ["5", "6", "7"] {
        ada.say(direct, text).await;
    }
    assert_eq!(
        code(ada.send(SendMessage::text(direct, "8")).await),
        ErrorCode::RateLimited
    );
    let elsewhere = ada
        .group_of("elsewhere", &[&ben, &world.user("cem").await])
        .await
        .id;
    ada.say(elsewhere, "its own room").await;
}

async fn the_longest_unused_device_goes(world: World) {
    let ada = world.user("ada").await;
    for i in 0..26 {
        let device = RegisterDevice {
            token: format!("t{i}"),
            platform: Platform::Android,
            provider: Provider::Fcm,
        };
        ada.register_device(device).await.unwrap();
        world.advance(std::time::Duration::from_secs(1));
    }
    let devices = ada.devices(PageRequest::default()).await.unwrap().items;
    assert_eq!(devices.len(), 25);
    assert!(devices.iter().all(|device| device.token != "t0"));
}

//! A copy of a store is the store, and what a store counts is what is in it.

use std::time::Duration;

use chat_core::archive::{Findings, VerifyOptions, copy, verify};
use chat_core::command::{
    AddMembers, ConversationPatch, ConversationSettings, DeleteMessage, DeletionScope, EditMessage,
    ForwardMessage, ListConversations, ListScheduled, Marks, NewReport, PageRequest, PinMessage, ReactTo,
    ScheduleMessage, SendMessage, StarMessage, StarredMessages, SyncRequest,
};
use chat_core::config::BlockedInGroup;
use chat_core::error::ErrorCode;
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{MessageKind, Muted, ReportReason};
use chat_core::{Actor, ChatEngine};
use serde_json::{Value, json};

use crate::world::{Chats, World, client_id, code, user_id, whole_history};

for_each_store!(
    what_is_counted_is_what_is_there,
    after_a_copy_everybody_sees_the_same,
    a_copy_goes_on_where_the_original_stopped,
);

const PEOPLE: [&str; 4] = ["ada", "ben", "cem", "dea"];
const HOUR: Duration = Duration::from_secs(3600);

/// Where things happened.
struct Places {
    group: ConversationId,
    direct: ConversationId,
    /// Ben's message with a client id.
    keyed: MessageId,
}

/// Something of everything.
async fn live(world: &World) -> Places {
    let [ada, ben, cem, dea] = world.users(PEOPLE).await;
    let direct = ada.direct_with(&ben).await.id;
    let group = ada.group_of("Bücher", &[&ben, &cem]).await.id;
    let picture = world.upload(&ada).await;
    let shown = SendMessage {
        conversation_id: Some(direct),
        kind: MessageKind::Image,
        attachment_ids: vec![picture],
        ..SendMessage::default()
    };
    let shown = ada.send(shown).await.unwrap().message.id;
    let on = ForwardMessage {
        message_id: shown,
        conversation_id: Some(group),
        recipient_id: None,
        client_id: None,
        silent: false,
        client_time: None,
    };
    ben.forward(on).await.unwrap();
    let keyed = SendMessage {
        mentions: vec![user_id("cem"), user_id("ada")],
        ..SendMessage::text(group, "read this").with_client_id(client_id("k"))
    };
    let keyed = ben.send(keyed).await.unwrap().message.id;
    let edit = EditMessage {
        message_id: keyed,
        text: "read this, both".to_owned(),
        mentions: None,
        expected_version: None,
    };
    ben.edit(edit).await.unwrap();
    let mut said = Vec::new();
    for n in 0..12 {
        let speaker = [&ada, &ben, &cem][n % 3];
        said.push(speaker.say(group, &format!("line {n}")).await);
        world.advance(Duration::from_secs(60));
    }
    for (who, emoji) in [(&ben, "👍"), (&cem, "👍"), (&cem, "🎉")] {
        let react = ReactTo {
            message_id: said[0].id,
            emoji: emoji.to_owned(),
        };
        who.add_reaction(react).await.unwrap();
    }
    ada.pin_message(PinMessage {
        conversation_id: Some(group),
        message_id: said[1].id,
    })
    .await
    .unwrap();
    for n in [2, 3] {
        cem.star_message(StarMessage {
            message_id: said[n].id,
        })
        .await
        .unwrap();
    }
    cem.unstar_message(StarMessage {
        message_id: said[3].id,
    })
    .await
    .unwrap();
    for (who, n, scope) in [
        (&cem, 5, DeletionScope::Everyone),
        (&ada, 6, DeletionScope::Me),
        (&cem, 11, DeletionScope::Everyone),
        (&ben, 9, DeletionScope::Me),
    ] {
        let delete = DeleteMessage {
            message_id: said[n].id,
            scope,
        };
        who.delete_message(delete).await.unwrap();
    }
    let read = |seq| Marks {
        conversation_id: Some(group),
        seq: Some(seq),
        marks: None,
    };
    cem.mark_read(read(said[7].seq)).await.unwrap();
    ben.mark_delivered(read(said[8].seq)).await.unwrap();
    cem.leave(group).await.unwrap();
    ada.say(group, "while cem is away").await;
    let back = AddMembers {
        user_ids: vec![user_id("cem"), user_id("dea")],
    };
    ada.add_members(group, back).await.unwrap();
    let timer = ConversationPatch {
        message_ttl_ms: Some(Some(60_000)),
        ..ConversationPatch::default()
    };
    ada.update_conversation(direct, timer).await.unwrap();
    ben.say(direct, "soon gone").await;
    world.advance(Duration::from_secs(61));
    world.engine.sweep_expired_messages().await.unwrap();
    ada.say(group, "@all").await;
    dea.block(&user_id("ben")).await.unwrap();
    dea.block(&user_id("cem")).await.unwrap();
    dea.unblock(&user_id("cem")).await.unwrap();
    ben.say(group, "dea does not want to know").await;
    dea.mute_user(&user_id("ada"), Muted::Forever).await.unwrap();
    let settings = ConversationSettings {
        muted_until: Some(Some(Muted::Forever)),
        ..ConversationSettings::default()
    };
    ben.update_conversation_settings(group, settings).await.unwrap();
    ada.hide(direct).await.unwrap();
    ben.clear(direct).await.unwrap();
    let report = NewReport::of_message(said[4].id, ReportReason::Spam);
    cem.report(report).await.unwrap();
    let later = world.clock_now().after(HOUR);
    let scheduled = ScheduleMessage::new(SendMessage::text(group, "later"), later);
    cem.schedule(scheduled).await.unwrap();
    Places { group, direct, keyed }
}

async fn findings(world: &World) -> Findings {
    let options = VerifyOptions {
        now: world.clock_now(),
        blocked_in_group: BlockedInGroup::default(),
        keep: 10,
    };
    verify(&**world.store(), &options).await.unwrap()
}

async fn what_is_counted_is_what_is_there(world: World) {
    live(&world).await;
    let found = findings(&world).await;
    assert_eq!(found.total, 0, "{:#?}", found.kept);
    assert!(found.rows > 30, "{found:?}");
    assert_eq!(found.recounts, 6, "two in the direct, four in the group");
}

/// All that a user is shown, whatever way he asks.
async fn sees(engine: &ChatEngine, name: &str, places: &Places) -> Value {
    let me: Actor = engine.as_user(&user_id(name));
    let mut histories = Vec::new();
    for id in [places.group, places.direct] {
        if me.conversation(id).await.is_ok() {
            histories.push(whole_history(&me, id).await);
        }
    }
    let list = ListConversations::default();
    let synced = me.sync(SyncRequest::default()).await.unwrap();
    json!({
        "me": me.me().await.unwrap(),
        "list": me.conversations(list).await.unwrap().items,
        "counts": me.conversation_counts().await.unwrap(),
        "badge": me.badge().await.unwrap(),
        "histories": histories,
        "synced": synced.conversations,
        "starred": me.starred_messages(StarredMessages::default()).await.unwrap().items,
        "scheduled": me.scheduled_messages(ListScheduled::default()).await.unwrap().items,
        "blocked": me.blocked_users(PageRequest::default()).await.unwrap().items,
        "muted": me.muted_users(PageRequest::default()).await.unwrap().items,
    })
}

/// Empty worlds of every store, at this world's time.
async fn others(world: &World) -> [World; 2] {
    let others = [World::memory().await, World::sqlite().await];
    for other in &others {
        other.advance(world.clock_now().since(other.clock_now()));
    }
    others
}

async fn after_a_copy_everybody_sees_the_same(world: World) {
    let places = live(&world).await;
    for other in others(&world).await {
        copy(&**world.store(), &**other.store(), &mut |_| ())
            .await
            .unwrap();
        for name in PEOPLE {
            let (was, is) = (
                sees(&world.engine, name, &places).await,
                sees(&other.engine, name, &places).await,
            );
            assert_eq!(is, was, "{name}");
        }
        let found = findings(&other).await;
        assert_eq!(found.total, 0, "{:#?}", found.kept);
    }
}

async fn a_copy_goes_on_where_the_original_stopped(world: World) {
    let places = live(&world).await;
    let token = world
        .engine
        .as_user(&user_id("ada"))
        .sync(SyncRequest::default())
        .await
        .unwrap()
        .token;
    let last = world
        .engine
        .as_user(&user_id("ada"))
        .conversation(places.group)
        .await
        .unwrap()
        .last_seq;
    for other in others(&world).await {
        copy(&**world.store(), &**other.store(), &mut |_| ())
            .await
            .unwrap();
        let [ada, ben] = ["ada", "ben"].map(|name| other.engine.as_user(&user_id(name)));
        let mut again = SendMessage {
            mentions: vec![user_id("cem"), user_id("ada")],
            ..SendMessage::text(places.group, "read this").with_client_id(client_id("k"))
        };
        let replayed = ben.send(again.clone()).await.unwrap();
        assert!(replayed.replayed);
        assert_eq!(replayed.message.id, places.keyed);
        again.text = Some("something else".to_owned());
        assert_eq!(code(ben.send(again).await), ErrorCode::IdempotencyConflict);
        assert_eq!(ada.say(places.group, "next").await.seq, last + 1);
        let stale = SyncRequest {
            token: Some(token.clone()),
            ..SyncRequest::default()
        };
        assert_eq!(code(ada.sync(stale).await), ErrorCode::ResetRequired);
        other.advance(HOUR);
        assert_eq!(other.engine.send_due_messages().await.unwrap(), 1);
        let found = findings(&other).await;
        assert_eq!(found.total, 0, "{:#?}", found.kept);
    }
}

//! Messages go for good when they are old enough, and nothing that is counted or shown remembers them.

use std::time::Duration;

use chat_core::command::{
    DeleteMessage, DeletionScope, ForwardMessage, HistoryRequest, Mark, Marks, PageRequest, ReactTo,
    SearchMessages, SendMessage, SyncRequest,
};
use chat_core::config::ChatConfig;
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::{AttachmentState, MessageKind, Retention};
use chat_core::view::{ReplyState, SyncAnswer};
use chat_core::{Actor, ChatEngine};

use crate::world::{Chats, World, client_id, code};

for_each_store!(
    old_messages_are_nowhere,
    a_page_covers_the_hole,
    a_purge_goes_on_in_batches,
    files_lose_their_message,
    a_conversation_has_a_retention_of_its_own,
    live_sessions_hear_where_messages_begin,
    a_client_that_saw_everything_drops_what_is_purged,
    a_client_that_missed_something_reads_anew,
    a_key_goes_with_its_message,
    receipt_times_are_forgotten,
);

const DAY: Duration = Duration::from_secs(86_400);

fn kept_for_a_day(config: &mut ChatConfig) {
    config.policies.retention_direct = Some(DAY);
    config.policies.retention_group = Some(DAY * 2);
}

async fn sweep(engine: &ChatEngine) -> usize {
    engine.sweep_retention().await.unwrap()
}

async fn sync(actor: &Actor, token: Option<&str>) -> SyncAnswer {
    let request = SyncRequest {
        token: token.map(str::to_owned),
        conversations: None,
    };
    actor.sync(request).await.unwrap()
}

async fn read(actor: &Actor, conversation: ConversationId, seq: u64) {
    let mark = Marks {
        conversation_id: Some(conversation),
        seq: Some(seq),
        marks: None,
    };
    actor.mark_read(mark).await.unwrap();
}

async fn old_messages_are_nowhere(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let first = ada.say(direct, "needle one").await;
    ada.say(direct, "needle two").await;
    world.advance(DAY);
    let third = ada
        .send(SendMessage {
            reply_to: Some(first.id),
            ..SendMessage::text(direct, "needle three")
        })
        .await
        .unwrap()
        .message;
    // Exactly a day old is not older than a day.
    assert_eq!(sweep(&world.engine).await, 0);
    assert_eq!(ben.unread(direct).await, 3);
    world.advance(Duration::from_millis(1));
    assert_eq!(sweep(&world.engine).await, 2);
    assert_eq!(sweep(&world.engine).await, 0);
    let seen = ben.conversation(direct).await.unwrap();
    assert_eq!((seen.first_seq, seen.last_seq), (3, 3));
    assert_eq!(seen.retention_seconds, Some(86_400));
    assert_eq!((seen.my.unread_count, seen.my.first_unread_seq), (1, Some(3)));
    assert_eq!(ben.badge().await.unwrap().unread_messages, 1);
    assert_eq!(ben.texts(direct).await, ["needle three"]);
    let hits = ben
        .search_messages(SearchMessages {
            q: "needle".to_owned(),
            ..SearchMessages::default()
        })
        .await
        .unwrap();
    assert_eq!(hits.items.len(), 1);
    let reply = ben.message(third.id).await.unwrap().reply_to.unwrap();
    assert_eq!((reply.state, reply.preview), (ReplyState::Unavailable, None));
    assert_eq!(code(ben.message(first.id).await), ErrorCode::MessageNotFound);
    let delete = DeleteMessage {
        message_id: first.id,
        scope: DeletionScope::Everyone,
    };
    assert_eq!(code(ada.delete_message(delete).await), ErrorCode::MessageNotFound);
    let react = ReactTo {
        message_id: first.id,
        emoji: "👍".to_owned(),
    };
    assert_eq!(code(ben.add_reaction(react).await), ErrorCode::MessageNotFound);
    // With everything gone the list has no last message, and the next one goes on counting.
    world.advance(DAY * 2);
    assert_eq!(sweep(&world.engine).await, 1);
    let seen = ben.conversation(direct).await.unwrap();
    assert_eq!((seen.first_seq, seen.last_seq, seen.last_message), (4, 3, None));
    assert_eq!(seen.my.unread_count, 0);
    assert_eq!(ada.say(direct, "new").await.seq, 4);
    assert_eq!(ben.unread(direct).await, 1);
}

async fn a_page_covers_the_hole(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    for n in 0..5 {
        ada.say(direct, &format!("{n}")).await;
    }
    world.advance(DAY * 2);
    for n in 5..8 {
        ada.say(direct, &format!("{n}")).await;
    }
    sweep(&world.engine).await;
    let page = |before, after, around, limit| {
        let request = HistoryRequest {
            before,
            after,
            around,
            limit: Some(limit),
            ..HistoryRequest::default()
        };
        let ben = &ben;
        async move { ben.history(direct, request).await.unwrap() }
    };
    let newest = page(None, None, None, 2).await;
    assert_eq!((newest.range.from, newest.range.to), (7, 8));
    assert!(newest.has_more_before);
    let rest = page(Some(7), None, None, 2).await;
    assert_eq!((rest.range.from, rest.range.to), (1, 6));
    assert_eq!(rest.items.len(), 1);
    assert!(!rest.has_more_before && rest.has_more_after);
    let hole = page(None, None, Some(2), 10).await;
    assert_eq!((hole.range.from, hole.range.to), (1, 8));
    assert_eq!(hole.items.len(), 3);
    let upwards = page(None, Some(0), None, 1).await;
    assert_eq!((upwards.range.from, upwards.range.to), (1, 6));
    let below = page(Some(3), None, None, 10).await;
    assert_eq!((below.range.from, below.range.to), (1, 2));
    assert!(below.items.is_empty() && !below.has_more_before && below.has_more_after);
}

async fn a_purge_goes_on_in_batches(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    for n in 0..405 {
        ada.say(direct, &format!("{n}")).await;
    }
    world.advance(DAY * 2);
    ada.say(direct, "new").await;
    assert_eq!(sweep(&world.engine).await, 405);
    assert_eq!(ben.conversation(direct).await.unwrap().first_seq, 406);
    assert_eq!(ben.texts(direct).await, ["new"]);
}

async fn files_lose_their_message(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let file = world.upload(&ada).await;
    let store = world.engine.store();
    let picture = SendMessage {
        conversation_id: Some(direct),
        kind: MessageKind::Image,
        attachment_ids: vec![file],
        ..SendMessage::default()
    };
    let original = ada.send(picture).await.unwrap().message.id;
    let copy = ForwardMessage {
        message_id: original,
        conversation_id: Some(direct),
        recipient_id: None,
        client_id: None,
        silent: false,
        client_time: None,
    };
    ben.forward(copy.clone()).await.unwrap();
    assert!(ben.attachment(file).await.is_ok());
    world.advance(DAY / 2);
    let newest = ben.forward(copy).await.unwrap().message.id;
    world.advance(DAY * 3 / 4);
    assert_eq!(sweep(&world.engine).await, 2);
    assert!(ben.attachment(file).await.is_ok(), "a newer message shows it");
    let rows = store.attachments(&[file]).await.unwrap();
    assert_eq!(rows[0].state, AttachmentState::Attached);
    assert!(ada.message(newest).await.is_ok());
    world.advance(DAY * 2);
    assert_eq!(sweep(&world.engine).await, 1);
    assert_eq!(
        code(ben.attachment(file).await.map(drop)),
        ErrorCode::AttachmentNotFound
    );
    // The row may be swept by now; while it is there, it is on its way out.
    let rows = store.attachments(&[file]).await.unwrap();
    assert!(rows.iter().all(|row| row.state == AttachmentState::Deleted));
}

async fn a_conversation_has_a_retention_of_its_own(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let short = ada.group_of("Short", &[&ben, &cem]).await.id;
    let long = ada.group_of("Long", &[&ben, &cem]).await.id;
    let usual = ada.group_of("Usual", &[&ben, &cem]).await.id;
    for group in [short, long, usual] {
        ada.say(group, "old").await;
    }
    let hour = Retention::For(Duration::from_secs(3_600));
    world.engine.set_retention(short, Some(hour)).await.unwrap();
    world
        .engine
        .set_retention(long, Some(Retention::Forever))
        .await
        .unwrap();
    assert_eq!(
        code(
            world
                .engine
                .set_retention(long, Some(Retention::For(Duration::from_millis(999))))
                .await
        ),
        ErrorCode::InvalidArgument
    );
    let nowhere = ConversationId::from_uuid(uuid::Uuid::now_v7());
    assert_eq!(
        code(world.engine.set_retention(nowhere, Some(hour)).await),
        ErrorCode::ConversationNotFound
    );
    world.advance(Duration::from_secs(3_601));
    // The message and the line of the beginning.
    assert_eq!(sweep(&world.engine).await, 2);
    assert!(ben.texts(short).await.is_empty());
    assert_eq!(
        ben.conversation(short).await.unwrap().retention_seconds,
        Some(3_600)
    );
    world.advance(DAY * 3);
    assert_eq!(sweep(&world.engine).await, 2);
    assert!(ben.texts(usual).await.is_empty());
    assert_eq!(ben.texts(long).await, ["old"]);
    assert_eq!(ben.conversation(long).await.unwrap().retention_seconds, None);
    world.engine.set_retention(long, None).await.unwrap();
    assert_eq!(sweep(&world.engine).await, 2);
    assert!(ben.texts(long).await.is_empty());
}

async fn live_sessions_hear_where_messages_begin(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "old").await;
    let rev = ada.conversation(direct).await.unwrap().rev;
    let mut phone = world.connect(&ben).await;
    world.advance(DAY * 2);
    sweep(&world.engine).await;
    let event = phone.next_named("conversation_updated").await;
    assert_eq!(event["changed"], serde_json::json!({ "first_seq": 2 }));
    assert_eq!(event["rev"].as_u64(), Some(rev + 1));
    assert_eq!(ada.conversation(direct).await.unwrap().rev, rev + 1);
}

async fn a_client_that_saw_everything_drops_what_is_purged(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "old").await;
    world.advance(DAY);
    ada.say(direct, "kept").await;
    let token = sync(&ben, None).await.token;
    world.advance(Duration::from_secs(1));
    assert_eq!(sweep(&world.engine).await, 1);
    ada.say(direct, "new").await;
    let answer = sync(&ben, Some(&token)).await;
    let [changed] = &answer.conversations[..] else {
        panic!("one conversation")
    };
    assert!(!changed.limited);
    assert_eq!(changed.conversation.first_seq, 2);
    assert_eq!(changed.messages.len(), 1);
}

async fn a_client_that_missed_something_reads_anew(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let other = cem.direct_with(&ben).await.id;
    ada.say(direct, "seen").await;
    let first = sync(&ben, None).await;
    let known = first
        .conversations
        .iter()
        .map(|synced| (synced.conversation.id, synced.conversation.rev))
        .collect();
    ada.say(direct, "never seen").await;
    world.advance(DAY * 2);
    ada.say(direct, "new").await;
    cem.say(other, "new").await;
    assert_eq!(sweep(&world.engine).await, 2);
    let by_token = sync(&ben, Some(&first.token)).await;
    let by_revs = ben
        .sync(SyncRequest {
            token: None,
            conversations: Some(known),
        })
        .await
        .unwrap();
    for answer in [by_token, by_revs] {
        for changed in &answer.conversations {
            let purged = changed.conversation.id == direct;
            assert_eq!(changed.limited, purged);
            assert_eq!(changed.messages.len(), 1);
            assert_eq!(changed.conversation.first_seq, if purged { 3 } else { 1 });
        }
        assert_eq!(answer.conversations.len(), 2);
    }
}

async fn a_key_goes_with_its_message(world: World) {
    let world = world.with_config(kept_for_a_day);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let send = SendMessage {
        client_id: Some(client_id("key")),
        ..SendMessage::text(direct, "hello")
    };
    let first = ada.send(send.clone()).await.unwrap();
    assert!(ada.send(send.clone()).await.unwrap().replayed);
    world.advance(DAY * 2);
    sweep(&world.engine).await;
    let again = ada.send(send).await.unwrap();
    assert!(!again.replayed);
    assert_ne!(again.message.id, first.message.id);
    assert_eq!(again.message.seq, 2);
}

async fn receipt_times_are_forgotten(world: World) {
    let world = world.with_config(|config| config.policies.retention_receipt_times = Some(DAY));
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let first = ada.say(direct, "first").await;
    let second = ada.say(direct, "second").await;
    read(&ben, direct, first.seq).await;
    world.advance(DAY);
    read(&ben, direct, second.seq).await;
    let read_at = |message| {
        let ada = &ada;
        async move {
            let receipts = ada.receipts(message, PageRequest::default()).await.unwrap();
            receipts.items[0].read_at
        }
    };
    assert!(read_at(first.id).await.is_some());
    world.advance(Duration::from_secs(1));
    sweep(&world.engine).await;
    // Unknown, not the time of the next step; that it was read stays known.
    assert_eq!(read_at(first.id).await, None);
    assert!(read_at(second.id).await.is_some());
    let counts = ada.message(first.id).await.unwrap().receipts.unwrap();
    assert_eq!(counts.read, 1);
    let mark = Mark {
        conversation_id: direct,
        seq: Some(first.seq),
    };
    assert!(ben.mark_unread(mark).await.is_ok());
    assert_eq!(ben.unread(direct).await, 2);
}

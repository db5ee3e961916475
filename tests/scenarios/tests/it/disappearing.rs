//! Disappearing messages: gone by the clock, to the millisecond, everywhere at once.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    AddMembers, ConversationPatch, DeleteMessage, DeletionScope, EditMessage, KeepMessage, Mark, Marks,
    PageRequest, ReactTo, SearchMessages, SendMessage, SyncRequest,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{AttachmentState, Message, MessageKind};
use chat_core::view::{ConversationView, MessageView, ReplyState, SyncedMessage};
use serde_json::json;

use crate::world::{Chats, World, client_id, code, whole_history};

for_each_store!(
    the_time_counts_from_the_send_and_is_exact,
    an_expired_message_is_nowhere,
    its_content_goes_for_good_and_everybody_is_told,
    a_repeated_send_tells_nothing_of_what_expired,
    kept_messages_stay_until_they_are_let_go,
    let_go_too_late_it_is_gone_at_once,
    a_tombstone_outlives_the_timer,
    who_may_set_the_timer_and_keep,
    a_block_stops_the_timer_of_a_direct,
);

const MINUTE: Duration = Duration::from_secs(60);
const INSTANT: Duration = Duration::from_millis(1);

async fn set_timer(actor: &Actor, id: ConversationId, ms: Option<u64>) -> ChatResult<ConversationView> {
    let patch = ConversationPatch {
        message_ttl_ms: Some(ms),
        ..ConversationPatch::default()
    };
    actor.update_conversation(id, patch).await
}

async fn found(actor: &Actor, q: &str) -> usize {
    let search = SearchMessages {
        q: q.to_owned(),
        ..SearchMessages::default()
    };
    actor.search_messages(search).await.unwrap().items.len()
}

async fn keep(actor: &Actor, message_id: MessageId) -> ChatResult<MessageView> {
    actor.keep_message(KeepMessage { message_id }).await
}

async fn unkeep(actor: &Actor, message_id: MessageId) -> ChatResult<SyncedMessage> {
    actor.unkeep_message(KeepMessage { message_id }).await
}

async fn row(world: &World, id: MessageId) -> Message {
    world.engine.store().messages(&[id]).await.unwrap().pop().unwrap()
}

async fn the_time_counts_from_the_send_and_is_exact(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "of before").await;
    let mut live = world.connect(&ben).await;
    let view = set_timer(&ada, direct, Some(60_000)).await.unwrap();
    assert_eq!(view.message_ttl_ms, Some(60_000));
    let changed = live.next_named("conversation_updated").await;
    assert_eq!(changed["changed"], json!({ "message_ttl_ms": 60_000 }));
    let line = live.next_named("message_created").await;
    assert_eq!(
        line["message"]["system"],
        json!({ "code": "timer_changed", "params": { "message_ttl_ms": 60_000 } })
    );
    set_timer(&ben, direct, Some(60_000)).await.unwrap();

    let message = ada.say(direct, "short-lived").await;
    assert_eq!(message.expires_at, Some(message.created_at.after(MINUTE)));
    assert_eq!(
        ben.message(message.id).await.unwrap().expires_at,
        message.expires_at
    );
    let listed = ben.conversation(direct).await.unwrap().last_message.unwrap();
    assert_eq!(listed.expires_at, message.expires_at);
    // What is set later changes nothing for what was sent.
    let off = set_timer(&ben, direct, None).await.unwrap();
    assert_eq!(off.message_ttl_ms, None);
    assert_eq!(ada.say(direct, "to stay").await.expires_at, None);

    world.advance(MINUTE - INSTANT);
    assert_eq!(ben.texts(direct).await, ["of before", "short-lived", "to stay"]);
    assert_eq!(ben.unread(direct).await, 3);
    world.advance(INSTANT);
    assert_eq!(ben.texts(direct).await, ["of before", "to stay"]);
    assert_eq!(ada.texts(direct).await, ["of before", "to stay"]);
    assert_eq!(ben.unread(direct).await, 2);
    // Lines of the engine stay: the timer went on and off once.
    let lines = whole_history(&ada, direct).await;
    assert_eq!(lines.iter().filter(|m| m.kind == MessageKind::System).count(), 2);
}

async fn an_expired_message_is_nowhere(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    set_timer(&ada, direct, Some(60_000)).await.unwrap();
    let picture = world.upload(&ada).await;
    let secret = SendMessage {
        kind: MessageKind::Image,
        attachment_ids: vec![picture],
        mentions: vec![ben.user_id().clone()],
        ..SendMessage::text(direct, "xylophone")
    };
    let secret = ada.send(secret).await.unwrap().message;
    let react = ReactTo {
        message_id: secret.id,
        emoji: "👍".to_owned(),
    };
    ben.add_reaction(react.clone()).await.unwrap();
    set_timer(&ada, direct, None).await.unwrap();
    let reply = SendMessage {
        reply_to: Some(secret.id),
        ..SendMessage::text(direct, "re")
    };
    let reply = ben.send(reply.clone()).await.unwrap().message;
    world.advance(MINUTE - INSTANT);
    assert_eq!(
        ada.message(reply.id).await.unwrap().reply_to.unwrap().state,
        ReplyState::Visible
    );
    assert!(ben.attachment(picture).await.is_ok() && ada.attachment(picture).await.is_ok());
    assert_eq!(
        (found(&ben, "xylo").await, ben.badge().await.unwrap().mentions),
        (1, 1)
    );
    world.advance(INSTANT);

    for who in [&ada, &ben] {
        let quote = who.message(reply.id).await.unwrap().reply_to.unwrap();
        assert_eq!((quote.state, quote.preview), (ReplyState::Unavailable, None));
        let everything = [
            format!("{:?}", whole_history(who, direct).await),
            format!("{:?}", who.conversation(direct).await.unwrap()),
            format!("{:?}", who.sync(SyncRequest::default()).await.unwrap()),
        ];
        for text in everything {
            assert!(!text.contains("xylophone"), "{text}");
        }
        assert_eq!(found(who, "xylo").await, 0);
        let codes = [
            code(who.message(secret.id).await),
            code(who.receipts(secret.id, PageRequest::default()).await),
            code(who.add_reaction(react.clone()).await),
            code(who.remove_reaction(react.clone()).await),
            code(keep(who, secret.id).await),
            code(unkeep(who, secret.id).await),
        ];
        assert_eq!(codes, [ErrorCode::MessageNotFound; 6]);
        for scope in [DeletionScope::Me, DeletionScope::Everyone] {
            let delete = DeleteMessage {
                message_id: secret.id,
                scope,
            };
            assert_eq!(code(who.delete_message(delete).await), ErrorCode::MessageNotFound);
        }
        assert_eq!(code(who.attachment(picture).await), ErrorCode::AttachmentNotFound);
    }
    let edit = EditMessage {
        message_id: secret.id,
        text: "x".to_owned(),
        mentions: None,
        expected_version: None,
    };
    assert_eq!(code(ada.edit(edit).await), ErrorCode::MessageNotFound);
    let again = SendMessage {
        reply_to: Some(secret.id),
        ..SendMessage::text(direct, "re")
    };
    assert_eq!(code(ada.send(again).await), ErrorCode::MessageNotFound);
    let badge = ben.badge().await.unwrap();
    assert_eq!((badge.unread_messages, badge.mentions), (0, 0));
    assert_eq!(ben.unread(direct).await, 0);
}

async fn its_content_goes_for_good_and_everybody_is_told(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    set_timer(&ada, group, Some(60_000)).await.unwrap();
    let picture = world.upload(&ada).await;
    let first = SendMessage {
        attachment_ids: vec![picture],
        mentions: vec![ben.user_id().clone()],
        ..SendMessage::text(group, "one")
    };
    let first = ada.send(first).await.unwrap().message;
    let second = ada.say(group, "two").await;
    let react = ReactTo {
        message_id: second.id,
        emoji: "👍".to_owned(),
    };
    cem.add_reaction(react).await.unwrap();
    set_timer(&ada, group, None).await.unwrap();
    let last = ada.say(group, "three").await;
    let read = Marks {
        conversation_id: Some(group),
        seq: Some(last.seq),
        marks: None,
    };
    cem.mark_read(read).await.unwrap();
    let hidden = DeleteMessage {
        message_id: second.id,
        scope: DeletionScope::Me,
    };
    cem.delete_message(hidden).await.unwrap();
    let token = ben.sync(SyncRequest::default()).await.unwrap().token;
    let (mut bens, mut cems) = (world.connect(&ben).await, world.connect(&cem).await);
    assert_eq!(world.engine.sweep_expired_messages().await.unwrap(), 0);
    let rev = ada.conversation(group).await.unwrap().rev;
    world.advance(MINUTE);
    // The engine's own clockwork may be faster than this.
    assert!(world.engine.sweep_expired_messages().await.unwrap() <= 2);
    assert_eq!(world.engine.sweep_expired_messages().await.unwrap(), 0);

    for (message, rev) in [(&first, rev + 1), (&second, rev + 2)] {
        let gone = bens.next_named("message_deleted").await;
        assert_eq!(
            gone,
            json!({
                "conversation_id": group, "seq": message.seq, "rev": rev,
                "message": {
                    "id": message.id, "conversation_id": group, "seq": message.seq, "rev": rev, "gone": true,
                },
            })
        );
    }
    let counts = bens.next_named("inbox_updated").await;
    assert_eq!(
        (&counts["unread_count"], &counts["mention_count"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(counts["badge"]["unread_messages"], 1);
    // Cem had read all of it and hidden the second: nothing new for him there.
    assert_eq!(cems.next_named("message_deleted").await["seq"], first.seq);
    cems.hears_no("inbox_updated").await;

    for message in [&first, &second] {
        let row = row(&world, message.id).await;
        assert!(!row.has_content() && row.mentions.is_empty() && row.reply_to.is_none());
        assert_eq!(row.seq, message.seq);
    }
    let store = world.engine.store();
    let files = store.attachments(&[picture]).await.unwrap();
    assert_eq!(files[0].state, AttachmentState::Deleted);
    let reactions = store.personal_facts(second.id).await.unwrap().reactions;
    assert!(reactions.is_empty());

    let since = SyncRequest {
        token: Some(token),
        ..SyncRequest::default()
    };
    let answer = ben.sync(since).await.unwrap();
    let told: Vec<(u64, bool)> = answer.conversations[0]
        .messages
        .iter()
        .map(|message| match message {
            SyncedMessage::Gone(gone) => (gone.seq, true),
            SyncedMessage::Message(message) => (message.seq, false),
        })
        .collect();
    assert_eq!(told, [(first.seq, true), (second.seq, true)]);
    assert_eq!(ada.say(group, "four").await.seq, last.seq + 1);
    // Who joins later hears of neither.
    let dan = world.user("dan").await;
    let add = AddMembers {
        user_ids: vec![dan.user_id().clone()],
    };
    ada.add_members(group, add).await.unwrap();
    let whole = format!("{:?}", dan.sync(SyncRequest::default()).await.unwrap());
    assert!(!whole.contains(&first.id.to_string()));
}

async fn a_repeated_send_tells_nothing_of_what_expired(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    set_timer(&ada, direct, Some(60_000)).await.unwrap();
    let send = SendMessage::text(direct, "once").with_client_id(client_id("k"));
    let first = ada.send(send.clone()).await.unwrap().message;
    world.advance(MINUTE);
    for _before_and_after_it_is_swept in 0..2 {
        let again = ada.send(send.clone()).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.message.id, again.message.text), (first.id, None));
        assert_eq!(again.message.expires_at, first.expires_at);
        // The engine's own clockwork may be faster than this.
        world.engine.sweep_expired_messages().await.unwrap();
        assert!(!row(&world, first.id).await.has_content());
    }
    assert!(ben.texts(direct).await.is_empty());
}

async fn kept_messages_stay_until_they_are_let_go(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let forever = ada.say(direct, "of before").await;
    assert_eq!(code(keep(&ben, forever.id).await), ErrorCode::InvalidOperation);
    unkeep(&ben, forever.id).await.unwrap();
    set_timer(&ada, direct, Some(60_000)).await.unwrap();
    let message = ada.say(direct, "a recipe").await;
    world.advance(MINUTE - INSTANT);
    let mut live = world.connect(&ada).await;
    let kept = keep(&ben, message.id).await.unwrap();
    assert_eq!(kept.expires_at, None);
    assert_eq!(kept.kept.as_ref().map(|kept| &kept.by), Some(ben.user_id()));
    let event = live.next_named("message_updated").await;
    assert_eq!(event["message"]["kept"]["by"], "ben");
    assert_eq!(
        keep(&ada, message.id).await.unwrap().rev,
        kept.rev,
        "it is kept already"
    );
    world.advance(MINUTE * 60);
    assert_eq!(world.engine.sweep_expired_messages().await.unwrap(), 0);
    assert_eq!(ada.texts(direct).await, ["of before", "a recipe"]);

    let other = ada.say(direct, "another").await;
    keep(&ada, other.id).await.unwrap();
    let SyncedMessage::Message(running) = unkeep(&ada, other.id).await.unwrap() else {
        panic!("its time is not over");
    };
    assert_eq!((running.kept, running.expires_at), (None, other.expires_at));
    world.advance(MINUTE);
    assert_eq!(ben.texts(direct).await, ["of before", "a recipe"]);
}

async fn let_go_too_late_it_is_gone_at_once(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    set_timer(&ada, direct, Some(60_000)).await.unwrap();
    let picture = world.upload(&ada).await;
    let message = SendMessage {
        attachment_ids: vec![picture],
        ..SendMessage::text(direct, "a recipe")
    };
    let message = ada.send(message).await.unwrap().message;
    keep(&ada, message.id).await.unwrap();
    world.advance(MINUTE);
    let mut live = world.connect(&ben).await;
    let SyncedMessage::Gone(gone) = unkeep(&ada, message.id).await.unwrap() else {
        panic!("its time is over");
    };
    assert_eq!(gone.seq, message.seq);
    assert_eq!(live.next_named("message_deleted").await["message"], json!(gone));
    assert!(!row(&world, message.id).await.has_content());
    let files = world.engine.store().attachments(&[picture]).await.unwrap();
    assert_eq!(files[0].state, AttachmentState::Deleted);
    assert_eq!(code(ben.message(message.id).await), ErrorCode::MessageNotFound);
}

async fn a_tombstone_outlives_the_timer(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    set_timer(&ada, direct, Some(60_000)).await.unwrap();
    let message = ada.say(direct, "oops").await;
    keep(&ben, message.id).await.unwrap();
    let delete = DeleteMessage {
        message_id: message.id,
        scope: DeletionScope::Everyone,
    };
    ada.delete_message(delete).await.unwrap();
    world.advance(MINUTE * 60);
    let tombstone = ben.message(message.id).await.unwrap();
    assert!(tombstone.deleted.is_some() && tombstone.expires_at.is_none() && tombstone.kept.is_none());
}

async fn who_may_set_the_timer_and_keep(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    for (who, may) in [(&ada, true), (&ben, false)] {
        let can = who.conversation(group).await.unwrap().my.can;
        assert_eq!((can.contains(&"set_timer"), can.contains(&"keep")), (may, may));
    }
    assert_eq!(
        code(set_timer(&ben, group, Some(60_000)).await),
        ErrorCode::Forbidden
    );
    let year = 365 * 86_400_000;
    for out in [0, 59_999, year + 1, u64::MAX] {
        let refused = set_timer(&ada, group, Some(out)).await.expect_err("refused");
        assert_eq!(
            (refused.code(), refused.field()),
            (ErrorCode::InvalidArgument, Some("message_ttl_ms"))
        );
    }
    for ttl in [year, 60_000] {
        set_timer(&ada, group, Some(ttl)).await.unwrap();
    }
    let message = ben.say(group, "mine").await;
    assert_eq!(code(keep(&ben, message.id).await), ErrorCode::Forbidden);
    keep(&ada, message.id).await.unwrap();
    assert_eq!(code(unkeep(&cem, message.id).await), ErrorCode::Forbidden);
    let dan = world.user("dan").await;
    assert_eq!(
        code(set_timer(&dan, group, None).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(code(keep(&dan, message.id).await), ErrorCode::MessageNotFound);
    assert_eq!(world.engine.as_host(dan.user_id()).user_id(), dan.user_id());
    set_timer(&world.engine.as_host(dan.user_id()), group, None)
        .await
        .unwrap();
}

async fn a_block_stops_the_timer_of_a_direct(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let can = ben.conversation(direct).await.unwrap().my.can;
    assert!(can.contains(&"set_timer") && can.contains(&"keep"));
    set_timer(&ben, direct, Some(60_000)).await.unwrap();
    let message = ada.say(direct, "hi").await;
    let unread = Mark {
        conversation_id: direct,
        seq: Some(message.seq),
    };
    ben.mark_unread(unread).await.unwrap();
    ada.block(ben.user_id()).await.unwrap();
    for (who, refusal) in [(&ada, ErrorCode::YouBlocked), (&ben, ErrorCode::NotPermitted)] {
        assert_eq!(code(set_timer(who, direct, None).await), refusal);
        assert_eq!(code(keep(who, message.id).await), refusal);
    }
    // What runs runs on.
    world.advance(MINUTE);
    assert_eq!(ben.unread(direct).await, 0);
    let info = ConversationPatch {
        name: Some("x".to_owned()),
        ..ConversationPatch::default()
    };
    ada.unblock(ben.user_id()).await.unwrap();
    assert_eq!(
        code(ada.update_conversation(direct, info).await),
        ErrorCode::InvalidOperation
    );
}

//! Scheduled messages: kept for their owner alone, and sent once when their time has come.

use std::time::Duration;

use chat_core::command::{
    CancelScheduled, ConversationPatch, ListScheduled, MeetingDraft, PageRequest, ScheduleMessage,
    SendMessage, SyncRequest, UpdateScheduled,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{AttachmentId, ConversationId, ScheduledId};
use chat_core::model::{AttachmentState, MessageKind, ScheduledState};
use chat_core::view::ScheduledView;
use chat_core::{Actor, ChatEngine};
use serde_json::json;

use crate::world::{Chats, World, client_id, code, whole_history};

for_each_store!(
    a_scheduled_message_is_sent_when_its_time_comes,
    nobody_else_knows_of_it,
    the_first_message_to_somebody_makes_the_direct,
    scheduling_twice_is_scheduling_once,
    it_is_judged_when_it_is_scheduled,
    it_is_judged_again_when_it_is_sent,
    a_pending_one_is_changed_and_cancelled,
    its_files_wait_with_it,
    two_workers_send_once,
    a_crash_between_send_and_mark_sends_once,
    what_a_dead_worker_held_is_taken_over,
    a_change_and_the_worker_exclude_each_other,
    a_store_that_hangs_back_is_no_failure,
    slow_mode_is_for_who_is_there,
    sync_tells_the_owner,
    the_limits_hold_at_their_edge,
);

const HOUR: Duration = Duration::from_secs(3600);
const INSTANT: Duration = Duration::from_millis(1);
const LEASE: Duration = Duration::from_secs(30);

fn in_an_hour(world: &World, message: SendMessage) -> ScheduleMessage {
    ScheduleMessage::new(message, world.engine.now().after(HOUR))
}

async fn text_in_an_hour(world: &World, actor: &Actor, to: ConversationId, text: &str) -> ScheduledView {
    let schedule = in_an_hour(world, SendMessage::text(to, text));
    actor.schedule(schedule).await.unwrap().scheduled
}

/// The scheduled message once a worker is through with it; the engine's own may be the one.
async fn settled(engine: &ChatEngine, actor: &Actor, id: ScheduledId) -> ScheduledView {
    let work = async {
        loop {
            engine.send_due_messages().await.unwrap();
            let now = actor.scheduled(id).await.unwrap();
            if now.state != ScheduledState::Pending {
                return now;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), work)
        .await
        .expect("it is settled")
}

/// On a drain workers stop and commands go on, so that a case can be the worker itself.
async fn stop_worker(world: &World) {
    assert!(world.engine.drain(Duration::ZERO, Duration::from_secs(10)).await);
    world.engine.send_due_messages().await.unwrap();
}

async fn cancel(actor: &Actor, scheduled_id: ScheduledId) -> ChatResult<()> {
    actor.cancel_scheduled(CancelScheduled { scheduled_id }).await
}

fn change(scheduled_id: ScheduledId) -> UpdateScheduled {
    UpdateScheduled {
        scheduled_id,
        text: None,
        mentions: None,
        send_at: None,
        expected_version: None,
    }
}

async fn listed(actor: &Actor, conversation_id: Option<ConversationId>) -> Vec<ScheduledId> {
    let list = ListScheduled {
        conversation_id,
        ..ListScheduled::default()
    };
    let page = actor.scheduled_messages(list).await.unwrap();
    page.items.into_iter().map(|item| item.id).collect()
}

async fn file_state(world: &World, id: AttachmentId) -> AttachmentState {
    world.engine.store().attachments(&[id]).await.unwrap()[0].state
}

async fn a_scheduled_message_is_sent_when_its_time_comes(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut live = world.connect(&ben).await;
    let mut own = world.connect(&ada).await;
    let message = SendMessage {
        mentions: vec![ben.user_id().clone()],
        ..SendMessage::text(direct, "happy birthday")
    };
    let answer = ada.schedule(in_an_hour(&world, message)).await.unwrap();
    assert!(!answer.replayed);
    let scheduled = answer.scheduled;
    let shown = serde_json::to_value(&scheduled).unwrap();
    assert_eq!(
        shown,
        json!({
            "id": scheduled.id, "conversation_id": direct, "send_at": scheduled.send_at, "state": "pending",
            "message": {
                "kind": "text", "text": "happy birthday", "format": "plain", "mentions": ["ben"], "silent": false,
            },
            "version": 1, "created_at": scheduled.created_at,
        })
    );
    assert_eq!(own.next_named("scheduled_changed").await["scheduled"], shown);

    world.advance(HOUR - INSTANT);
    assert_eq!(world.engine.send_due_messages().await.unwrap(), 0);
    let between = ben.say(direct, "said meanwhile").await;
    world.advance(INSTANT);
    let sent = settled(&world.engine, &ada, scheduled.id).await;
    assert_eq!(
        live.next_named("message_created").await["message"]["text"],
        "said meanwhile"
    );
    let event = live.next_named("message_created").await;
    assert_eq!(event["message"]["text"], "happy birthday");
    // Seq and time are those of the send.
    assert_eq!(event["seq"], between.seq + 1);
    assert_eq!(event["message"]["created_at"], json!(scheduled.send_at));
    assert_eq!(sent.state, ScheduledState::Sent);
    assert_eq!(sent.version, 2);
    assert_eq!(json!(sent.message_id), event["message"]["id"]);
    assert_eq!(
        json!(sent.message),
        json!({"kind": "text", "format": "plain", "silent": false})
    );
    let told = own.next_named("scheduled_changed").await;
    assert_eq!(told["scheduled"], json!(sent));
    let mine = ada.message(sent.message_id.unwrap()).await.unwrap();
    assert_eq!(
        mine.client_id.map(|key| key.as_str().to_owned()),
        Some(format!("sched:{}", scheduled.id))
    );
    assert_eq!(ben.conversation(direct).await.unwrap().my.mention_count, 1);
    assert_eq!(ada.texts(direct).await, ["said meanwhile", "happy birthday"]);
    assert!(listed(&ada, None).await.is_empty());
    assert_eq!(world.engine.send_due_messages().await.unwrap(), 0);
}

async fn nobody_else_knows_of_it(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut live = world.connect(&ben).await;
    let scheduled = text_in_an_hour(&world, &ada, direct, "a surprise").await;
    assert_eq!(code(ben.scheduled(scheduled.id).await), ErrorCode::NotFound);
    assert_eq!(code(cancel(&ben, scheduled.id).await), ErrorCode::NotFound);
    let update = change(scheduled.id);
    assert_eq!(code(ben.update_scheduled(update).await), ErrorCode::NotFound);
    assert!(listed(&ben, Some(direct)).await.is_empty());
    assert_eq!(listed(&ada, Some(direct)).await, [scheduled.id]);
    let everything = [
        format!("{:?}", ben.sync(SyncRequest::default()).await.unwrap()),
        format!("{:?}", whole_history(&ben, direct).await),
    ];
    for text in everything {
        assert!(!text.contains("surprise"), "{text}");
    }
    live.hears_no("scheduled_changed").await;
    let host = world.engine.as_host(ada.user_id());
    let refused = host
        .schedule(in_an_hour(&world, SendMessage::text(direct, "x")))
        .await;
    assert_eq!(code(refused), ErrorCode::InvalidOperation);
}

async fn the_first_message_to_somebody_makes_the_direct(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let to_ben = SendMessage::text_to(ben.user_id().clone(), "hello");
    let scheduled = ada.schedule(in_an_hour(&world, to_ben)).await.unwrap().scheduled;
    assert_eq!(
        (scheduled.conversation_id, scheduled.recipient_id.as_ref()),
        (None, Some(ben.user_id()))
    );
    assert!(
        ben.conversations(Default::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    world.advance(HOUR);
    let sent = settled(&world.engine, &ada, scheduled.id).await;
    let direct = sent.conversation_id.unwrap();
    assert_eq!(ben.texts(direct).await, ["hello"]);
    // Now that there is one, the next names it at once.
    let to_ben = SendMessage::text_to(ben.user_id().clone(), "again");
    let next = ada.schedule(in_an_hour(&world, to_ben)).await.unwrap().scheduled;
    assert_eq!(next.conversation_id, Some(direct));
    assert_eq!(listed(&ada, Some(direct)).await, [next.id]);
}

async fn scheduling_twice_is_scheduling_once(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let picture = world.upload(&ada).await;
    let message = SendMessage {
        attachment_ids: vec![picture],
        ..SendMessage::text(direct, "once").with_client_id(client_id("k"))
    };
    let schedule = in_an_hour(&world, message);
    let first = ada.schedule(schedule.clone()).await.unwrap().scheduled;
    let again = ada.schedule(schedule.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.scheduled, first);
    let other_time = ScheduleMessage {
        send_at: schedule.send_at.after(INSTANT),
        ..schedule.clone()
    };
    assert_eq!(
        code(ada.schedule(other_time).await),
        ErrorCode::IdempotencyConflict
    );
    // Keys of sends and of scheduling are not each other's.
    let send = SendMessage::text(direct, "now").with_client_id(client_id("k"));
    assert!(!ada.send(send).await.unwrap().replayed);
    // Still when it was sent long ago, and its time would be refused.
    world.advance(HOUR);
    settled(&world.engine, &ada, first.id).await;
    let again = ada.schedule(schedule).await.unwrap();
    assert_eq!(
        (again.replayed, again.scheduled.state),
        (true, ScheduledState::Sent)
    );
    assert_eq!(ben.texts(direct).await, ["now", "once"]);
}

async fn it_is_judged_when_it_is_scheduled(world: World) {
    let [ada, ben, eve] = world.users(["ada", "ben", "eve"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let refused = async |who: &Actor, message: SendMessage| {
        let schedule = in_an_hour(&world, message);
        code(who.schedule(schedule).await)
    };
    assert_eq!(
        refused(&ada, SendMessage::text(direct, " ")).await,
        ErrorCode::EmptyMessage
    );
    let stranger = SendMessage::text(direct, "x");
    assert_eq!(refused(&eve, stranger).await, ErrorCode::ConversationNotFound);
    let nowhere = ConversationId::from_uuid(uuid::Uuid::now_v7());
    let nothing = SendMessage::text(nowhere, "x");
    assert_eq!(refused(&ada, nothing).await, ErrorCode::ConversationNotFound);
    let myself = SendMessage::text_to(ada.user_id().clone(), "x");
    assert_eq!(refused(&ada, myself).await, ErrorCode::CannotMessageSelf);
    let theirs = SendMessage {
        attachment_ids: vec![world.upload(&ben).await],
        ..SendMessage::text(direct, "x")
    };
    assert_eq!(refused(&ada, theirs).await, ErrorCode::AttachmentNotFound);
    // A meeting has to lie after the message that proposes it.
    let meeting = |after| SendMessage {
        kind: MessageKind::Meeting,
        conversation_id: Some(direct),
        meeting: Some(MeetingDraft {
            place: None,
            location: None,
            scheduled_at: world.engine.now().after(after),
            note: None,
        }),
        ..SendMessage::default()
    };
    assert_eq!(refused(&ada, meeting(HOUR)).await, ErrorCode::InvalidArgument);
    let fine = in_an_hour(&world, meeting(HOUR + INSTANT));
    ada.schedule(fine).await.unwrap();
    ben.block(ada.user_id()).await.unwrap();
    let blocked = SendMessage::text(direct, "x");
    assert_eq!(refused(&ada, blocked).await, ErrorCode::NotPermitted);
    let to_ben = SendMessage::text_to(ben.user_id().clone(), "x");
    assert_eq!(refused(&ada, to_ben).await, ErrorCode::NotPermitted);
    assert_eq!(listed(&ada, None).await.len(), 1);
}

async fn it_is_judged_again_when_it_is_sent(world: World) {
    let [ada, ben, cem, dan] = world.users(["ada", "ben", "cem", "dan"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let left = ben.group_of("Left", &[&ada, &cem, &dan]).await.id;
    let gone = ben.group_of("Gone", &[&ada, &cem, &dan]).await.id;
    let kept = ben.group_of("Kept", &[&ada, &cem, &dan]).await.id;
    let mut rows = Vec::new();
    for (who, to) in [(&ada, direct), (&ada, left), (&ada, gone), (&dan, kept)] {
        rows.push((who, text_in_an_hour(&world, who, to, "too late").await.id));
    }
    ben.block(ada.user_id()).await.unwrap();
    ada.leave(left).await.unwrap();
    ben.delete_conversation(gone).await.unwrap();
    world.engine.set_suspended(dan.user_id(), true).await.unwrap();
    world.advance(HOUR);
    for ((who, id), code) in rows.iter().zip([
        "not_permitted",
        "conversation_not_found",
        "conversation_gone",
        "not_permitted",
    ]) {
        let failed = settled(&world.engine, who, *id).await;
        assert_eq!(failed.state, ScheduledState::Failed);
        assert_eq!(failed.error_code.as_deref(), Some(code));
        // What failed stays with its words, until its owner has seen it.
        assert_eq!(failed.message.text.as_deref(), Some("too late"));
        assert!(listed(who, None).await.contains(id));
    }
    assert!(ben.texts(direct).await.is_empty() && ben.texts(kept).await.is_empty());
    let (_, first) = rows[0];
    let update = UpdateScheduled {
        text: Some(Some("x".to_owned())),
        ..change(first)
    };
    assert_eq!(
        code(ada.update_scheduled(update).await),
        ErrorCode::InvalidTransition
    );
    cancel(&ada, first).await.unwrap();
    let dismissed = ada.scheduled(first).await.unwrap();
    assert_eq!(
        (dismissed.state, dismissed.error_code),
        (ScheduledState::Cancelled, None)
    );
    assert!(!listed(&ada, None).await.contains(&first));
}

async fn a_pending_one_is_changed_and_cancelled(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut own = world.connect(&ada).await;
    let scheduled = text_in_an_hour(&world, &ada, direct, "draft").await;
    assert_eq!(
        own.next_named("scheduled_changed").await["scheduled"]["version"],
        1
    );
    let later = scheduled.send_at.after(HOUR);
    let update = UpdateScheduled {
        text: Some(Some("final".to_owned())),
        mentions: Some(vec![ben.user_id().clone()]),
        send_at: Some(later),
        expected_version: Some(1),
        ..change(scheduled.id)
    };
    let updated = ada.update_scheduled(update.clone()).await.unwrap();
    assert_eq!((updated.version, updated.send_at), (2, later));
    assert_eq!(updated.message.text.as_deref(), Some("final"));
    assert_eq!(
        own.next_named("scheduled_changed").await["scheduled"]["version"],
        2
    );
    let stale = ada.update_scheduled(update.clone()).await.expect_err("stale");
    assert_eq!(stale.code(), ErrorCode::VersionConflict);
    let same = UpdateScheduled {
        expected_version: Some(2),
        ..update
    };
    assert_eq!(ada.update_scheduled(same).await.unwrap(), updated, "no change");
    for (update, refusal) in [
        (
            UpdateScheduled {
                text: Some(None),
                ..change(scheduled.id)
            },
            ErrorCode::EmptyMessage,
        ),
        (
            UpdateScheduled {
                send_at: Some(world.engine.now()),
                ..change(scheduled.id)
            },
            ErrorCode::InvalidArgument,
        ),
    ] {
        assert_eq!(code(ada.update_scheduled(update).await), refusal);
    }
    world.advance(HOUR);
    world.engine.send_due_messages().await.unwrap();
    assert!(ben.texts(direct).await.is_empty(), "it was moved");
    cancel(&ada, scheduled.id).await.unwrap();
    cancel(&ada, scheduled.id).await.unwrap();
    let cancelled = ada.scheduled(scheduled.id).await.unwrap();
    assert_eq!(
        (cancelled.state, cancelled.version),
        (ScheduledState::Cancelled, 3)
    );
    assert_eq!(cancelled.message.text, None);
    let other = text_in_an_hour(&world, &ada, direct, "other").await;
    world.advance(HOUR * 2);
    settled(&world.engine, &ada, other.id).await;
    assert_eq!(ben.texts(direct).await, ["other"]);
    assert_eq!(code(cancel(&ada, other.id).await), ErrorCode::InvalidTransition);
    let update = UpdateScheduled {
        text: Some(Some("x".to_owned())),
        ..change(scheduled.id)
    };
    assert_eq!(
        code(ada.update_scheduled(update).await),
        ErrorCode::InvalidTransition
    );
}

async fn its_files_wait_with_it(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (picture, other) = (world.upload(&ada).await, world.upload(&ada).await);
    let with = |file| SendMessage {
        kind: MessageKind::Image,
        attachment_ids: vec![file],
        conversation_id: Some(direct),
        ..SendMessage::default()
    };
    let in_a_week = ScheduleMessage::new(with(picture), world.engine.now().after(HOUR * 24 * 7));
    let scheduled = ada.schedule(in_a_week).await.unwrap().scheduled;
    assert_eq!(code(ada.send(with(picture)).await), ErrorCode::Conflict);
    let twice = in_an_hour(&world, with(picture));
    assert_eq!(code(ada.schedule(twice).await), ErrorCode::Conflict);
    assert_eq!(code(ada.delete_attachment(picture).await), ErrorCode::Conflict);
    assert!(ada.attachment(picture).await.is_ok());
    assert_eq!(code(ben.attachment(picture).await), ErrorCode::AttachmentNotFound);
    let dropped = in_an_hour(&world, with(other));
    let dropped = ada.schedule(dropped).await.unwrap().scheduled;
    cancel(&ada, dropped.id).await.unwrap();
    assert_eq!(file_state(&world, other).await, AttachmentState::Pending);
    world.advance(HOUR * 24 * 7);
    let stale = world
        .engine
        .store()
        .stale_attachments(world.engine.now(), None, 9)
        .await
        .unwrap();
    assert!(stale.iter().all(|file| file.id != picture), "it is waited for");
    let sent = settled(&world.engine, &ada, scheduled.id).await;
    assert_eq!((sent.state, sent.error_code), (ScheduledState::Sent, None));
    assert_eq!(file_state(&world, picture).await, AttachmentState::Attached);
    assert!(ben.attachment(picture).await.is_ok());
}

async fn two_workers_send_once(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut rows = Vec::new();
    for n in 0..20 {
        rows.push(text_in_an_hour(&world, &ada, direct, &format!("{n}")).await.id);
    }
    let first = world.engine.clone();
    let world = world.with_config(|_| {});
    world.advance(HOUR);
    let (a, b) = tokio::join!(first.send_due_messages(), world.engine.send_due_messages());
    a.unwrap();
    b.unwrap();
    for id in rows {
        assert_eq!(settled(&world.engine, &ada, id).await.state, ScheduledState::Sent);
    }
    let mut texts = ben.texts(direct).await;
    texts.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(texts, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

async fn a_crash_between_send_and_mark_sends_once(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ben.group_of("Trip", &[&ada, &cem]).await.id;
    let scheduled = text_in_an_hour(&world, &ada, group, "once").await;
    stop_worker(&world).await;
    world.advance(HOUR);
    // What a worker does, and then it is gone.
    let held = world.engine.store().claim_scheduled(LEASE, 9).await.unwrap();
    assert_eq!(held.len(), 1);
    let key = client_id(&format!("sched:{}", scheduled.id));
    let message = SendMessage::text(group, "once").with_client_id(key);
    let sent = ada.send(message).await.unwrap().message;
    let world = world.with_config(|_| {});
    world.engine.send_due_messages().await.unwrap();
    let pending = ada.scheduled(scheduled.id).await.unwrap();
    assert_eq!(pending.state, ScheduledState::Pending, "it is held");
    assert_eq!(code(cancel(&ada, scheduled.id).await), ErrorCode::Conflict);
    // Nor does it matter that its owner cannot send there any more.
    ada.leave(group).await.unwrap();
    world.advance(LEASE);
    let settled = settled(&world.engine, &ada, scheduled.id).await;
    assert_eq!(settled.state, ScheduledState::Sent);
    assert_eq!(settled.message_id, Some(sent.id));
    assert_eq!(ben.texts(group).await, ["once"]);
}

async fn what_a_dead_worker_held_is_taken_over(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let scheduled = text_in_an_hour(&world, &ada, direct, "held").await;
    stop_worker(&world).await;
    world.advance(HOUR);
    let held = world.engine.store().claim_scheduled(LEASE, 9).await.unwrap();
    assert_eq!(held.len(), 1);
    let world = world.with_config(|_| {});
    world.advance(LEASE - INSTANT);
    world.engine.send_due_messages().await.unwrap();
    let refused = ada.update_scheduled(UpdateScheduled {
        text: Some(Some("changed".to_owned())),
        ..change(scheduled.id)
    });
    let refused = refused.await.expect_err("held");
    assert_eq!(refused.code(), ErrorCode::Conflict);
    assert_eq!(refused.retry_after(), Some(INSTANT));
    assert!(ben.texts(direct).await.is_empty());
    world.advance(INSTANT);
    let sent = settled(&world.engine, &ada, scheduled.id).await;
    assert_eq!(sent.state, ScheduledState::Sent);
    assert_eq!(ben.texts(direct).await, ["held"]);
}

async fn a_change_and_the_worker_exclude_each_other(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut expected = Vec::new();
    for round in 0..12_u32 {
        let id = text_in_an_hour(&world, &ada, direct, &format!("{round} old"))
            .await
            .id;
        world.advance(HOUR);
        let edit = UpdateScheduled {
            text: Some(Some(format!("{round} new"))),
            ..change(id)
        };
        let (engine, second) = (world.engine.clone(), ada.clone());
        let worker = tokio::spawn(async move { engine.send_due_messages().await });
        if round % 2 == 0 {
            let edited = second.update_scheduled(edit).await;
            worker.await.unwrap().unwrap();
            let state = settled(&world.engine, &ada, id).await.state;
            assert_eq!(state, ScheduledState::Sent);
            match edited {
                Ok(_) => expected.push(format!("{round} new")),
                Err(refused) => {
                    let fair = [ErrorCode::Conflict, ErrorCode::InvalidTransition];
                    assert!(fair.contains(&refused.code()), "{refused}");
                    expected.push(format!("{round} old"));
                }
            }
        } else {
            let cancelled = cancel(&second, id).await;
            worker.await.unwrap().unwrap();
            let state = settled(&world.engine, &ada, id).await.state;
            match cancelled {
                Ok(()) => assert_eq!(state, ScheduledState::Cancelled),
                Err(_) => {
                    assert_eq!(state, ScheduledState::Sent);
                    expected.push(format!("{round} old"));
                }
            }
        }
    }
    assert_eq!(ben.texts(direct).await, expected);
}

async fn a_store_that_hangs_back_is_no_failure(world: World) {
    // No new conversation is allowed just now: a refusal that passes.
    let world = world.with_config(|config| {
        config.limits.creates = chat_core::config::Rate::new(1, 1);
    });
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let to_ben = SendMessage::text_to(ben.user_id().clone(), "hello");
    let scheduled = ada.schedule(in_an_hour(&world, to_ben)).await.unwrap().scheduled;
    ada.direct_with(&cem).await;
    world.advance(HOUR);
    world.engine.send_due_messages().await.unwrap();
    let pending = ada.scheduled(scheduled.id).await.unwrap();
    assert_eq!((pending.state, pending.version), (ScheduledState::Pending, 1));
    // Too late, it has failed with what stopped it.
    world.advance(HOUR);
    let failed = settled(&world.engine, &ada, scheduled.id).await;
    assert_eq!(failed.error_code.as_deref(), Some("rate_limited"));
}

async fn sync_tells_the_owner(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let first = ada.sync(SyncRequest::default()).await.unwrap();
    assert!(first.scheduled.is_empty());
    let since = async |token: &str| {
        let request = SyncRequest {
            token: Some(token.to_owned()),
            ..SyncRequest::default()
        };
        ada.sync(request).await.unwrap()
    };
    let one = text_in_an_hour(&world, &ada, direct, "one").await;
    let two = text_in_an_hour(&world, &ada, direct, "two").await;
    let answer = since(&first.token).await;
    let ids: Vec<ScheduledId> = answer.scheduled.iter().map(|row| row.id).collect();
    assert_eq!(ids, [one.id, two.id]);
    assert!(since(&answer.token).await.scheduled.is_empty());
    cancel(&ada, one.id).await.unwrap();
    let told = since(&answer.token).await.scheduled;
    assert_eq!((told.len(), told[0].state), (1, ScheduledState::Cancelled));
    // Who knows nothing is told what is open.
    let fresh = ada.sync(SyncRequest::default()).await.unwrap().scheduled;
    assert_eq!((fresh.len(), fresh[0].id), (1, two.id));
    world.advance(HOUR);
    settled(&world.engine, &ada, two.id).await;
    assert!(
        ada.sync(SyncRequest::default())
            .await
            .unwrap()
            .scheduled
            .is_empty()
    );

    // More than fits comes in pages, each once.
    let mut expected = Vec::new();
    for n in 0..60 {
        expected.push(text_in_an_hour(&world, &ada, direct, &format!("{n}")).await.id);
    }
    let start = since(&answer.token).await;
    assert!(start.has_more);
    for mut answer in [start, ada.sync(SyncRequest::default()).await.unwrap()] {
        let mut told: Vec<ScheduledId> = answer.scheduled.iter().map(|row| row.id).collect();
        while answer.has_more {
            answer = since(&answer.token).await;
            told.extend(answer.scheduled.iter().map(|row| row.id));
        }
        told.retain(|id| *id != one.id && *id != two.id);
        assert_eq!(told, expected);
    }
}

async fn the_limits_hold_at_their_edge(world: World) {
    let world = world.with_config(|config| config.limits.scheduled_pending = 2);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let now = world.engine.now();
    let (soonest, latest) = (now.after(Duration::from_secs(5)), now.after(HOUR * 24 * 365));
    let at = async |send_at| {
        let schedule = ScheduleMessage::new(SendMessage::text(direct, "x"), send_at);
        ada.schedule(schedule).await.map(|answer| answer.scheduled.id)
    };
    for out in [
        now.before(HOUR),
        now,
        soonest.before(INSTANT),
        latest.after(INSTANT),
    ] {
        let refused = at(out).await.expect_err("refused");
        assert_eq!(
            (refused.code(), refused.field()),
            (ErrorCode::InvalidArgument, Some("send_at"))
        );
    }
    let first = at(latest).await.unwrap();
    let second = at(soonest).await.unwrap();
    assert_eq!(code(at(soonest).await), ErrorCode::InvalidOperation);
    assert_eq!(listed(&ada, None).await, [second, first]);
    cancel(&ada, first).await.unwrap();
    at(soonest).await.unwrap();
    let list = |limit, cursor| ListScheduled {
        page: PageRequest {
            limit: Some(limit),
            cursor,
        },
        ..ListScheduled::default()
    };
    let page = ada.scheduled_messages(list(1, None)).await.unwrap();
    let next = ada.scheduled_messages(list(1, page.next_cursor)).await.unwrap();
    assert_eq!((next.items.len(), next.next_cursor), (1, None));
    assert_ne!(page.items[0].id, next.items[0].id);
}

async fn slow_mode_is_for_who_is_there(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let slow = ConversationPatch {
        slow_mode_ms: Some(Some(3_600_000)),
        ..ConversationPatch::default()
    };
    ada.update_conversation(group, slow).await.unwrap();
    ben.say(group, "now").await;
    let mut rows = Vec::new();
    for n in ["one", "two"] {
        rows.push(text_in_an_hour(&world, &ben, group, n).await.id);
    }
    world.advance(HOUR);
    for id in rows {
        assert_eq!(settled(&world.engine, &ben, id).await.state, ScheduledState::Sent);
    }
    assert_eq!(ada.texts(group).await, ["now", "one", "two"]);
}

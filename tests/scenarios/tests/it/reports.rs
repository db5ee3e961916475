//! Reports of users to moderators.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    DeleteMessage, DeletionScope, EditMessage, NewReport, PageRequest, ResolveReport, SyncRequest,
};
use chat_core::config::Rate;
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::MessageId;
use chat_core::model::{ReportAction, ReportReason};
use chat_core::view::{ReportAnswer, ReportState, ReportView};

use crate::world::{Chats, World, code, user_id};

for_each_store!(
    a_report_keeps_what_was_said,
    a_repeated_report_is_one_while_it_is_open,
    what_is_not_seen_is_not_reported,
    evidence_outlives_its_message,
    the_reported_notices_nothing,
    reports_have_a_rate_and_a_page,
);

fn of(message: MessageId) -> NewReport {
    NewReport {
        note: Some("please look".to_owned()),
        ..NewReport::of_message(message, ReportReason::Abuse)
    }
}

fn resolve(action: ReportAction) -> ResolveReport {
    ResolveReport {
        action,
        note: Some("done".to_owned()),
    }
}

fn delete(message_id: MessageId) -> DeleteMessage {
    DeleteMessage {
        message_id,
        scope: DeletionScope::Everyone,
    }
}

async fn moderator(world: &World) -> Actor {
    world.user("mod").await.as_moderator()
}

async fn all(moderator: &Actor, state: Option<ReportState>) -> Vec<ReportView> {
    moderator
        .reports(state, PageRequest::default())
        .await
        .unwrap()
        .items
}

async fn a_report_keeps_what_was_said(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let moderator = moderator(&world).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let said = ben.say(group, "something bad").await;
    let made = ada.report(of(said.id)).await.unwrap();
    assert!(made.created);
    let edit = EditMessage {
        message_id: said.id,
        text: "something nice".to_owned(),
        mentions: None,
        expected_version: None,
    };
    ben.edit(edit).await.unwrap();
    ben.delete_message(delete(said.id)).await.unwrap();
    let report = moderator.report_by_id(made.id).await.unwrap();
    assert_eq!(
        all(&moderator, Some(ReportState::Open)).await,
        std::slice::from_ref(&report)
    );
    assert_eq!(report.reporter_id, *ada.user_id());
    assert_eq!(report.user_id, *ben.user_id());
    assert_eq!(report.conversation_id, Some(group));
    assert_eq!(
        (report.target.kind, report.target.id),
        ("message", said.id.to_string())
    );
    assert_eq!(report.reason, ReportReason::Abuse);
    assert_eq!(report.note.as_deref(), Some("please look"));
    let message = report.message.unwrap();
    assert_eq!(
        (message.text.as_str(), message.seq, message.version),
        ("something bad", said.seq, 1)
    );
    assert_eq!(
        (message.created_at, &message.sender_id),
        (said.created_at, ben.user_id())
    );
    let closed = moderator
        .resolve_report(made.id, resolve(ReportAction::MessageDeleted))
        .await
        .unwrap();
    let resolution = closed.resolution.unwrap();
    assert_eq!(resolution.by, *moderator.user_id());
    assert_eq!(resolution.action, ReportAction::MessageDeleted);
    assert_eq!(resolution.note.as_deref(), Some("done"));
    assert_eq!(closed.message.unwrap().text, "something bad");
    let again = moderator
        .resolve_report(made.id, resolve(ReportAction::Dismissed))
        .await;
    assert_eq!(code(again), ErrorCode::Conflict);
    assert!(all(&moderator, Some(ReportState::Open)).await.is_empty());
    assert_eq!(all(&moderator, Some(ReportState::Closed)).await.len(), 1);
    assert_eq!(all(&moderator, None).await.len(), 1);
}

async fn a_repeated_report_is_one_while_it_is_open(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let moderator = moderator(&world).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let said = ben.say(group, "bad").await;
    let of_ben = NewReport {
        conversation_id: Some(group),
        ..NewReport::of_user(ben.user_id().clone(), ReportReason::Spam)
    };
    for report in [of(said.id), of_ben] {
        let first = ada.report(report.clone()).await.unwrap();
        let same = ada.report(report.clone()).await.unwrap();
        assert_eq!((same.id, first.created, same.created), (first.id, true, false));
        let others = cem.report(report.clone()).await.unwrap();
        assert!(others.created && others.id != first.id);
        moderator
            .resolve_report(first.id, resolve(ReportAction::Dismissed))
            .await
            .unwrap();
        let new = ada.report(report).await.unwrap();
        assert!(new.created && new.id != first.id);
    }
    // Also when it cannot be seen any more: the open one is found.
    ben.delete_message(delete(said.id)).await.unwrap();
    assert!(!ada.report(of(said.id)).await.unwrap().created);
    assert_eq!(all(&moderator, None).await.len(), 6);
}

async fn what_is_not_seen_is_not_reported(world: World) {
    let [ada, ben, cem, dan] = world.users(["ada", "ben", "cem", "dan"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let said = ben.say(group, "words").await;
    let gone = ben.say(group, "gone").await;
    ben.delete_message(delete(gone.id)).await.unwrap();
    let refused = async |who: &Actor, report: NewReport| -> ErrorCode { code(who.report(report).await) };
    assert_eq!(refused(&dan, of(said.id)).await, ErrorCode::MessageNotFound);
    assert_eq!(refused(&ben, of(said.id)).await, ErrorCode::InvalidOperation);
    assert_eq!(refused(&ada, of(gone.id)).await, ErrorCode::InvalidOperation);
    cem.leave(group).await.unwrap();
    assert_eq!(refused(&cem, of(said.id)).await, ErrorCode::MessageNotFound);
    let of_user = |id: &str| NewReport::of_user(user_id(id), ReportReason::Other);
    assert_eq!(refused(&ada, of_user("nobody")).await, ErrorCode::UserNotFound);
    assert_eq!(refused(&ada, of_user("ada")).await, ErrorCode::InvalidOperation);
    let there = |id| NewReport {
        conversation_id: Some(group),
        ..of_user(id)
    };
    assert_eq!(refused(&dan, there("ben")).await, ErrorCode::ConversationNotFound);
    assert_eq!(refused(&ada, there("dan")).await, ErrorCode::UserNotFound);
    assert!(
        ada.report(there("cem")).await.unwrap().created,
        "who has left was there"
    );
    let both = NewReport {
        user_id: Some(user_id("ben")),
        ..of(said.id)
    };
    let neither = NewReport {
        user_id: None,
        ..of_user("ben")
    };
    let long = |n| NewReport {
        note: Some("ü".repeat(n)),
        ..of_user("ben")
    };
    for bad in [both, neither, long(0), long(1_001)] {
        assert_eq!(refused(&ada, bad).await, ErrorCode::InvalidArgument);
    }
    ada.report(long(1_000)).await.unwrap();
    let moderator = moderator(&world).await;
    assert_eq!(all(&moderator, None).await.len(), 2, "nothing refused was kept");
}

async fn evidence_outlives_its_message(world: World) {
    use chat_core::command::SendMessage;
    use chat_core::model::MessageKind;
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let moderator = moderator(&world).await;
    let direct = ada.direct_with(&ben).await.id;
    let id = world.upload(&ben).await;
    let store = world.engine.store();
    let send = SendMessage {
        kind: MessageKind::File,
        attachment_ids: vec![id],
        ..SendMessage::text(direct, "")
    };
    let said = ben.send(send).await.unwrap().message;
    let made = ada.report(of(said.id)).await.unwrap();
    ben.delete_message(delete(said.id)).await.unwrap();
    let stale = async || {
        store
            .stale_attachments(world.clock_now(), None, 9)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(stale().await, 0, "it is kept");
    assert_eq!(
        code(ada.attachment(id).await.map(drop)),
        ErrorCode::AttachmentNotFound
    );
    assert!(moderator.attachment(id).await.is_ok(), "moderators see it");
    let report = moderator.report_by_id(made.id).await.unwrap();
    assert_eq!(report.message.unwrap().content.attachments, [id]);
    moderator
        .resolve_report(made.id, resolve(ReportAction::UserWarned))
        .await
        .unwrap();
    assert_eq!(stale().await, 1, "and goes when the report is closed");
    assert_eq!(
        code(moderator.attachment(id).await.map(drop)),
        ErrorCode::AttachmentNotFound
    );
}

async fn the_reported_notices_nothing(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let said = ben.say(direct, "bad").await;
    let token = ben.sync(SyncRequest::default()).await.unwrap().token;
    let before = ben.conversation(direct).await.unwrap();
    let mut live = world.connect(&ben).await;
    ada.report(of(said.id)).await.unwrap();
    let of_ben = NewReport::of_user(ben.user_id().clone(), ReportReason::Spam);
    ada.report(of_ben).await.unwrap();
    let marker = ada.say(direct, "marker").await;
    let (name, event) = live.next().await;
    assert_eq!(
        (name.as_str(), &event["message"]["text"]),
        ("message_created", &"marker".into())
    );
    assert_eq!(event["rev"], before.rev + 1, "no change came between");
    let request = SyncRequest {
        token: Some(token),
        ..SyncRequest::default()
    };
    let synced = ben.sync(request).await.unwrap();
    assert_eq!(synced.conversations.len(), 1);
    assert_eq!(synced.conversations[0].messages.len(), 1, "the marker alone");
    assert_eq!(marker.seq, said.seq + 1);
}

async fn reports_have_a_rate_and_a_page(world: World) {
    let world = world.with_config(|config| config.limits.reports = Rate::new(5, 1));
    let ada = world.user("ada").await;
    let moderator = moderator(&world).await;
    let report = async |n: usize| -> ChatResult<ReportAnswer> {
        let name = format!("u{n}");
        world.user(&name).await;
        ada.report(NewReport::of_user(user_id(&name), ReportReason::Spam))
            .await
    };
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(report(n).await.unwrap().id);
        world.advance(Duration::from_millis(1));
    }
    let refused = report(5).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
    assert!(refused.retry_after().is_some());
    made.reverse();
    let mut cursor = None;
    let mut listed = Vec::new();
    for size in [2, 2, 1] {
        let page = PageRequest {
            limit: Some(2),
            cursor: cursor.take(),
        };
        let page = moderator.reports(Some(ReportState::Open), page).await.unwrap();
        assert_eq!(page.items.len(), size);
        listed.extend(page.items.into_iter().map(|report| report.id));
        cursor = page.next_cursor;
    }
    assert_eq!(cursor, None);
    assert_eq!(listed, made, "newest first");
}

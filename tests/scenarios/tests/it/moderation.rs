//! What moderators do, and the log of it.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    ConversationPatch, DeleteMessage, DeletionScope, EditMessage, ListAudit, MuteUser, NewReport,
    PageRequest, PermissionsPatch, ReactTo, ResolveReport, SendMessage, SetRole, SetTyping, SuspendUser,
    TransferOwnership,
};
use chat_core::error::ErrorCode;
use chat_core::id::{MessageId, ReportId};
use chat_core::model::{
    AuditAction, AuditTarget, DeletionBy, Muted, Permission, ReportAction, ReportReason, Role,
};
use chat_core::port::Identity;
use chat_core::view::{AuditView, ReportState};
use serde_json::json;

use crate::world::{Chats, World, client_id, code, user_id};

for_each_store!(
    only_moderators_moderate,
    moderators_delete_anything,
    a_suspension_ends_by_the_clock,
    who_is_muted_everywhere_writes_nowhere,
    every_act_is_in_the_log,
    what_changes_nothing_is_not_in_the_log,
    the_log_is_filtered_and_paged,
);

async fn moderator(world: &World) -> Actor {
    world.user("mod").await.as_moderator()
}

async fn log(moderator: &Actor) -> Vec<AuditView> {
    moderator.audit_log(ListAudit::default()).await.unwrap().items
}

fn delete(message_id: MessageId) -> DeleteMessage {
    DeleteMessage {
        message_id,
        scope: DeletionScope::Everyone,
    }
}

async fn only_moderators_moderate(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let said = ben.say(direct, "words").await;
    let report = ada
        .report(NewReport::of_message(said.id, ReportReason::Spam))
        .await
        .unwrap();
    let resolve = ResolveReport {
        action: ReportAction::Dismissed,
        note: None,
    };
    let ben_id = ben.user_id();
    let refused = [
        code(ada.reports(None, PageRequest::default()).await),
        code(ada.report_by_id(report.id).await),
        code(ada.resolve_report(report.id, resolve.clone()).await),
        code(ada.moderate_message(said.id).await),
        code(ada.suspend_user(ben_id, SuspendUser::default()).await),
        code(ada.lift_suspension(ben_id).await),
        code(ada.mute_everywhere(ben_id, MuteUser::default()).await),
        code(ada.unmute_everywhere(ben_id).await),
        code(ada.audit_log(ListAudit::default()).await),
    ];
    assert!(
        refused.iter().all(|code| *code == ErrorCode::Forbidden),
        "{refused:?}"
    );
    let moderator = moderator(&world).await;
    assert!(log(&moderator).await.is_empty());
    assert_eq!(
        moderator
            .reports(Some(ReportState::Open), PageRequest::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let nothing = ReportId::from_uuid(said.id.as_uuid());
    assert_eq!(code(moderator.report_by_id(nothing).await), ErrorCode::NotFound);
    assert_eq!(
        code(moderator.resolve_report(nothing, resolve).await),
        ErrorCode::NotFound
    );
    let nobody = user_id("nobody");
    assert_eq!(
        code(moderator.suspend_user(&nobody, SuspendUser::default()).await),
        ErrorCode::UserNotFound
    );
    assert_eq!(
        code(
            moderator
                .suspend_user(moderator.user_id(), SuspendUser::default())
                .await
        ),
        ErrorCode::InvalidOperation
    );
    // As a member he has no more rights than before.
    assert_eq!(code(moderator.message(said.id).await), ErrorCode::MessageNotFound);
    assert_eq!(
        code(moderator.delete_message(delete(said.id)).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(
        code(moderator.send(SendMessage::text(direct, "x")).await),
        ErrorCode::ConversationNotFound
    );
    let host = world.engine.as_host(ada.user_id());
    assert!(
        host.reports(None, PageRequest::default()).await.is_ok(),
        "the host is one"
    );
}

async fn moderators_delete_anything(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let moderator = moderator(&world).await;
    let direct = ada.direct_with(&ben).await.id;
    let said = ben.say(direct, "old words").await;
    world.advance(Duration::from_secs(30 * 86_400));
    ada.block(ben.user_id()).await.unwrap();
    moderator.moderate_message(said.id).await.unwrap();
    moderator.moderate_message(said.id).await.unwrap();
    for reader in [&ada, &ben] {
        let left = reader.message(said.id).await.unwrap();
        assert_eq!(left.deleted.unwrap().by, DeletionBy::Moderator);
        assert_eq!(left.text, None);
    }
    let [entry] = &log(&moderator).await[..] else {
        panic!("once");
    };
    assert_eq!(entry.action, AuditAction::MessageDeleted);
    assert_eq!(entry.actor_id.as_ref(), Some(moderator.user_id()));
    assert_eq!(entry.target_id, said.id.to_string());
    assert_eq!(entry.conversation_id, Some(direct));
    assert_eq!(entry.details.0["as"], "moderator");
    assert_eq!(entry.details.0["sender_id"], "ben");
}

async fn a_suspension_ends_by_the_clock(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let moderator = moderator(&world).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut live = world.connect(&ben).await;
    let until = world.clock_now().after(Duration::from_secs(60));
    let suspend = |until| SuspendUser {
        until,
        reason: Some("spam".to_owned()),
    };
    let past = moderator
        .suspend_user(ben.user_id(), suspend(Some(world.clock_now())))
        .await;
    assert_eq!(code(past), ErrorCode::InvalidArgument);
    let now = moderator
        .suspend_user(ben.user_id(), suspend(Some(until)))
        .await
        .unwrap();
    assert_eq!(now.suspended_until, Some(Muted::Until(until)));
    assert_eq!(now.muted_until, None);
    assert_eq!(live.next_named("session_ending").await, "revoked");
    let admit = async || world.engine.admit(&Identity::new(user_id("ben"))).await.map(drop);
    assert_eq!(code(admit().await), ErrorCode::NotPermitted);
    assert_eq!(
        code(world.try_connect(&ben).await.map(drop)),
        ErrorCode::NotPermitted
    );
    // What was let in before is refused inside the commit.
    let late = ben.send(SendMessage::text(direct, "late")).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::NotPermitted);
    assert_eq!(late.details()["muted_until"], until.to_string());
    world.advance(Duration::from_millis(59_999));
    assert_eq!(code(admit().await), ErrorCode::NotPermitted);
    world.advance(Duration::from_millis(1));
    admit().await.unwrap();
    world.connect(&ben).await;
    ben.say(direct, "back").await;
    let forever = moderator
        .suspend_user(ben.user_id(), suspend(None))
        .await
        .unwrap();
    assert_eq!(forever.suspended_until, Some(Muted::Forever));
    world.advance(Duration::from_secs(86_400 * 365));
    assert_eq!(code(admit().await), ErrorCode::NotPermitted);
    let free = moderator.lift_suspension(ben.user_id()).await.unwrap();
    assert_eq!(free.suspended_until, None);
    admit().await.unwrap();
    assert_eq!(ada.texts(direct).await, ["back"]);
}

async fn who_is_muted_everywhere_writes_nowhere(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let moderator = moderator(&world).await;
    let group = ben.group_of("his own", &[&ada, &cem]).await.id;
    let direct = ada.direct_with(&ben).await.id;
    let mine = ben.say(direct, "mine").await;
    let theirs = ada.say(direct, "theirs").await;
    let keyed = SendMessage::text(direct, "sent before").with_client_id(client_id("k"));
    ben.send(keyed.clone()).await.unwrap();
    let until = world.clock_now().after(Duration::from_secs(60));
    let mute = |until| MuteUser { until, reason: None };
    let past = Muted::Until(world.clock_now());
    assert_eq!(
        code(moderator.mute_everywhere(ben.user_id(), mute(Some(past))).await),
        ErrorCode::InvalidArgument
    );
    let now = moderator
        .mute_everywhere(ben.user_id(), mute(Some(Muted::Until(until))))
        .await
        .unwrap();
    assert_eq!(
        (now.muted_until, now.suspended_until),
        (Some(Muted::Until(until)), None)
    );
    for to in [
        SendMessage::text(direct, "x"),
        SendMessage::text(direct, "x").with_client_id(client_id("new")),
        SendMessage::text(group, "x"),
        SendMessage::text_to(user_id("cem"), "x"),
        SendMessage::text_to(user_id("cem"), "x").with_client_id(client_id("first")),
    ] {
        let refused = ben.send(to).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::NotPermitted);
        assert_eq!(refused.details()["muted_until"], until.to_string());
    }
    let edit = EditMessage {
        message_id: mine.id,
        text: "no".to_owned(),
        mentions: None,
        expected_version: None,
    };
    assert_eq!(code(ben.edit(edit).await), ErrorCode::NotPermitted);
    let react = ReactTo {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
    };
    assert_eq!(code(ben.add_reaction(react).await), ErrorCode::NotPermitted);
    let typing = SetTyping {
        conversation_id: direct,
        active: true,
    };
    assert_eq!(code(ben.set_typing(typing).await), ErrorCode::NotPermitted);
    assert!(!ben.conversation(group).await.unwrap().my.can.contains(&"send"));
    assert!(ben.send(keyed).await.unwrap().replayed);
    ben.delete_message(delete(mine.id)).await.unwrap();
    assert!(ben.sees(theirs.id).await);
    world.connect(&ben).await;
    ada.say(direct, "others go on").await;
    world.advance(Duration::from_secs(60));
    ben.say(group, "the mute has lapsed").await;
    moderator
        .mute_everywhere(ben.user_id(), mute(None))
        .await
        .unwrap();
    assert_eq!(
        code(ben.send(SendMessage::text(group, "x")).await),
        ErrorCode::NotPermitted
    );
    moderator.unmute_everywhere(ben.user_id()).await.unwrap();
    ben.say(group, "lifted").await;
    assert_eq!(cem.texts(group).await, ["the mute has lapsed", "lifted"]);
}

async fn every_act_is_in_the_log(world: World) {
    let [ada, ben, cem, dan] = world.users(["ada", "ben", "cem", "dan"]).await;
    let moderator = moderator(&world).await;
    let group = ada.group_of("g", &[&ben, &cem, &dan]).await.id;
    let words = ben.say(group, "words").await;
    let role = |role| SetRole { role };
    ada.set_role(group, cem.user_id(), role(Role::Admin))
        .await
        .unwrap();
    cem.delete_message(delete(words.id)).await.unwrap();
    cem.mute_member(group, ben.user_id(), Muted::Forever)
        .await
        .unwrap();
    cem.unmute_member(group, ben.user_id()).await.unwrap();
    let all_at_once = ConversationPatch {
        name: Some("not in the log".to_owned()),
        permissions: Some(PermissionsPatch {
            send: Some(Permission::Admins),
            ..PermissionsPatch::default()
        }),
        frozen: Some(true),
        slow_mode_ms: Some(Some(1_000)),
        ..ConversationPatch::default()
    };
    cem.update_conversation(group, all_at_once).await.unwrap();
    let thaw = ConversationPatch {
        frozen: Some(false),
        ..ConversationPatch::default()
    };
    world
        .engine
        .as_host(dan.user_id())
        .update_conversation(group, thaw)
        .await
        .unwrap();
    cem.remove_member(group, ben.user_id()).await.unwrap();
    let to = TransferOwnership {
        user_id: cem.user_id().clone(),
    };
    ada.transfer_ownership(group, to).await.unwrap();
    cem.leave(group).await.unwrap();
    ada.delete_conversation(group).await.unwrap();
    world.engine.set_suspended(ben.user_id(), true).await.unwrap();
    moderator.lift_suspension(ben.user_id()).await.unwrap();
    let mute = MuteUser {
        until: None,
        reason: Some("calm down".to_owned()),
    };
    moderator.mute_everywhere(ben.user_id(), mute).await.unwrap();
    moderator.unmute_everywhere(ben.user_id()).await.unwrap();
    let report = dan
        .report(NewReport::of_user(ben.user_id().clone(), ReportReason::Spam))
        .await
        .unwrap();
    let resolve = ResolveReport {
        action: ReportAction::UserWarned,
        note: None,
    };
    moderator.resolve_report(report.id, resolve).await.unwrap();

    let mut entries = log(&moderator).await;
    // All at one moment: by id, which is the order they were made in.
    entries.sort_by_key(|entry| (entry.at, entry.id));
    let told: Vec<(AuditAction, Option<&str>, &str)> = entries
        .iter()
        .map(|entry| {
            let actor = entry.actor_id.as_ref().map(|actor| actor.as_str());
            (entry.action, actor, entry.target_id.as_str())
        })
        .collect();
    let (words, group_id, report) = (words.id.to_string(), group.to_string(), report.id.to_string());
    use AuditAction as A;
    let expected = [
        (A::RoleChanged, Some("ada"), "cem"),
        (A::MessageDeleted, Some("cem"), words.as_str()),
        (A::MemberMuted, Some("cem"), "ben"),
        (A::MemberUnmuted, Some("cem"), "ben"),
        (A::PermissionsChanged, Some("cem"), group_id.as_str()),
        (A::ConversationFrozen, Some("cem"), group_id.as_str()),
        (A::SlowModeChanged, Some("cem"), group_id.as_str()),
        (A::ConversationUnfrozen, Some("dan"), group_id.as_str()),
        (A::MemberRemoved, Some("cem"), "ben"),
        (A::OwnershipTransferred, Some("ada"), "cem"),
        (A::OwnershipTransferred, Some("cem"), "ada"),
        (A::ConversationDeleted, Some("ada"), group_id.as_str()),
        (A::UserSuspended, None, "ben"),
        (A::SuspensionLifted, Some("mod"), "ben"),
        (A::UserMuted, Some("mod"), "ben"),
        (A::UserUnmuted, Some("mod"), "ben"),
        (A::ReportResolved, Some("mod"), report.as_str()),
    ];
    assert_eq!(told, expected);
    let details = |action: AuditAction| {
        let entry = entries.iter().find(|entry| entry.action == action).unwrap();
        serde_json::to_value(&entry.details).unwrap()
    };
    assert_eq!(details(A::RoleChanged), json!({"role": "admin"}));
    assert_eq!(details(A::MemberMuted), json!({"until": "forever"}));
    assert_eq!(details(A::ConversationUnfrozen), json!({"as": "host"}));
    assert_eq!(details(A::SlowModeChanged), json!({"slow_mode_ms": 1_000}));
    assert_eq!(
        details(A::UserSuspended),
        json!({"until": "forever", "as": "host"})
    );
    assert_eq!(
        details(A::UserMuted),
        json!({"until": "forever", "reason": "calm down", "as": "moderator"})
    );
    assert_eq!(
        details(A::ReportResolved),
        json!({"action": "user_warned", "as": "moderator"})
    );
    assert!(
        entries[..12]
            .iter()
            .all(|entry| entry.conversation_id == Some(group))
    );
    assert!(entries[12..].iter().all(|entry| entry.conversation_id.is_none()));
    assert_eq!(entries[1].target_kind, AuditTarget::Message);
}

async fn what_changes_nothing_is_not_in_the_log(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let moderator = moderator(&world).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let own = ben.say(group, "own").await;
    ben.delete_message(delete(own.id)).await.unwrap();
    let kept = cem.say(group, "kept").await;
    assert_eq!(
        code(ben.delete_message(delete(kept.id)).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(ben.remove_member(group, cem.user_id()).await),
        ErrorCode::Forbidden
    );
    ada.unmute_member(group, ben.user_id()).await.unwrap();
    let same = SetRole { role: Role::Member };
    ada.set_role(group, ben.user_id(), same).await.unwrap();
    let rename = ConversationPatch {
        name: Some("new".to_owned()),
        frozen: Some(false),
        ..ConversationPatch::default()
    };
    ada.update_conversation(group, rename).await.unwrap();
    ben.leave(group).await.unwrap();
    assert!(log(&moderator).await.is_empty());
}

async fn the_log_is_filtered_and_paged(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let moderator = moderator(&world).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    for _ in 0..3 {
        ada.mute_member(group, ben.user_id(), Muted::Forever)
            .await
            .unwrap();
        ada.unmute_member(group, ben.user_id()).await.unwrap();
        moderator
            .mute_everywhere(cem.user_id(), MuteUser::default())
            .await
            .unwrap();
        world.advance(Duration::from_secs(1));
    }
    let list = async |filter: ListAudit| moderator.audit_log(filter).await.unwrap();
    let by_ada = ListAudit {
        actor: Some(user_id("ada")),
        ..ListAudit::default()
    };
    assert_eq!(list(by_ada.clone()).await.items.len(), 6);
    let muted = ListAudit {
        action: Some(AuditAction::MemberMuted),
        ..by_ada
    };
    assert_eq!(list(muted).await.items.len(), 3);
    let of_cem = ListAudit {
        target: Some("cem".to_owned()),
        page: PageRequest {
            limit: Some(2),
            cursor: None,
        },
        ..ListAudit::default()
    };
    let first = list(of_cem.clone()).await;
    assert_eq!(first.items.len(), 2);
    assert!(first.items[0].at > first.items[1].at, "newest first");
    let next = ListAudit {
        page: PageRequest {
            limit: Some(2),
            cursor: first.next_cursor.clone(),
        },
        ..of_cem
    };
    let rest = list(next.clone()).await;
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    assert!(rest.items[0].at < first.items[1].at);
    let elsewhere = ListAudit { target: None, ..next };
    assert_eq!(
        code(moderator.audit_log(elsewhere).await),
        ErrorCode::InvalidCursor
    );
}

//! Who may know what of whom, as tables: each of the two settings and whether they are contacts decide alone.

use std::time::Duration;

use chat_core::command::{Marks, PageRequest, SendMessage, SetTyping, SettingsPatch, SyncRequest};
use chat_core::id::UserId;
use chat_core::model::Visibility::{self, Contacts, Everyone, Nobody};
use chat_core::view::PresenceStatus;
use serde_json::json;

use crate::world::World;

const SETTINGS: [Visibility; 3] = [Everyone, Contacts, Nobody];

/// Every combination of the settings of a viewer and a subject, contacts or not.
fn cases() -> impl Iterator<Item = (Visibility, Visibility, bool)> {
    SETTINGS.into_iter().flat_map(|viewer| {
        SETTINGS
            .into_iter()
            .flat_map(move |subject| [true, false].map(|contact| (viewer, subject, contact)))
    })
}

fn lets(setting: Visibility, contact: bool) -> bool {
    setting == Everyone || (setting == Contacts && contact)
}

/// Two in a group with a third, contacts or not.
async fn two(contact: bool) -> (World, [UserId; 3], chat_core::id::ConversationId) {
    let world = World::new();
    let users = world.users(["subject", "third", "viewer"]).await;
    let [subject, third, viewer] = &users;
    if contact {
        world.direct(viewer, subject).await;
    }
    let group = world.group(viewer, &[subject, third]).await;
    (world, users, group)
}

async fn settings(world: &World, user: &UserId, edit: impl FnOnce(&mut SettingsPatch)) {
    let mut patch = SettingsPatch::default();
    edit(&mut patch);
    world.on(user).update_settings(patch).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reading_is_known_as_both_settings_let() {
    for (viewers, subjects, contact) in cases() {
        let case = format!("viewer {viewers:?}, subject {subjects:?}, contact {contact}");
        let (world, [subject, _, viewer], group) = two(contact).await;
        settings(&world, &viewer, |s| s.receipts = Some(viewers)).await;
        settings(&world, &subject, |s| s.receipts = Some(subjects)).await;
        let mut of_viewer = world.connect(&viewer).await;
        let sent = world
            .on(&viewer)
            .send(SendMessage::text(group, "x"))
            .await
            .unwrap();
        of_viewer.got().await;
        let marks = Marks {
            conversation_id: Some(group),
            seq: Some(sent.message.seq),
            marks: None,
        };
        world.on(&subject).mark_delivered(marks.clone()).await.unwrap();
        of_viewer.got().await;
        world.on(&subject).mark_read(marks).await.unwrap();
        // Who hides his own reading learns of nobody's; who shows it to contacts learns what others show him.
        let known = viewers != Nobody && lets(subjects, contact);
        let seq = if known { sent.message.seq } else { 0 };
        let live: Vec<u64> = (of_viewer.got_of("receipt_updated").await.iter())
            .map(|event| event["read_seq"].as_u64().unwrap())
            .collect();
        // A read that nobody may know of is no event at all.
        let expected: &[u64] = if subjects == Nobody { &[] } else { &[seq] };
        assert_eq!(live, expected, "live: {case}");
        let on = world.on(&viewer);
        let message = on.message(sent.message.id).await.unwrap();
        assert_eq!(message.receipts.unwrap().read, u64::from(known), "counts: {case}");
        let page = on
            .receipts(sent.message.id, PageRequest::default())
            .await
            .unwrap();
        let of_subject = page.items.iter().find(|entry| entry.user.id == subject).unwrap();
        assert_eq!(of_subject.read_at.is_some(), known, "times: {case}");
        assert!(of_subject.delivered_at.is_some(), "delivery is no secret: {case}");
        let members = on.members(group, PageRequest::default()).await.unwrap().items;
        let member = members.iter().find(|member| member.user.id == subject).unwrap();
        assert_eq!(member.read_seq, seq, "members: {case}");
        let sync = on.sync(SyncRequest::default()).await.unwrap();
        let synced = sync
            .conversations
            .iter()
            .find(|c| c.conversation.id == group)
            .unwrap();
        let members = synced.conversation.members.as_ref().unwrap();
        let member = members.iter().find(|member| member.user.id == subject).unwrap();
        assert_eq!(member.read_seq, seq, "sync: {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn being_there_and_typing_are_known_as_both_settings_let() {
    for (viewers, subjects, contact) in cases() {
        let case = format!("viewer {viewers:?}, subject {subjects:?}, contact {contact}");
        let (world, [subject, _, viewer], group) = two(contact).await;
        settings(&world, &viewer, |s| s.show_online = Some(viewers)).await;
        settings(&world, &subject, |s| s.show_online = Some(subjects)).await;
        let mut of_viewer = world.connect(&viewer).await;
        let subscribe = json!({ "user_ids": ["subject"] });
        of_viewer
            .session
            .execute("subscribe_presence", subscribe)
            .await
            .unwrap();
        of_viewer.got().await;
        let _of_subject = world.connect(&subject).await;
        let known = lets(viewers, contact) && lets(subjects, contact);
        let live = of_viewer.got_of("presence_changed").await.len();
        assert_eq!(live, usize::from(known), "live: {case}");
        let status = if known {
            PresenceStatus::Online
        } else {
            PresenceStatus::Offline
        };
        let on = world.on(&viewer);
        let seen = on.presence(std::slice::from_ref(&subject)).await.unwrap();
        assert_eq!(seen[0].presence.status, status, "asked: {case}");
        let person = on.user(&subject).await.unwrap();
        assert_eq!(person.presence.unwrap().status, status, "user: {case}");
        let online = on.online_users(PageRequest::default()).await.unwrap();
        assert_eq!(online.items.len(), usize::from(known), "list: {case}");
        let typing = SetTyping {
            conversation_id: group,
            active: true,
        };
        world.on(&subject).set_typing(typing).await.unwrap();
        let typing = of_viewer.got_of("typing_changed").await.len();
        assert_eq!(typing, usize::from(known), "typing: {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn last_seen_is_known_as_both_settings_let() {
    for (viewers, subjects, contact) in cases() {
        let case = format!("viewer {viewers:?}, subject {subjects:?}, contact {contact}");
        let (world, [subject, _, viewer], _) = two(contact).await;
        settings(&world, &viewer, |s| s.show_last_seen = Some(viewers)).await;
        settings(&world, &subject, |s| s.show_last_seen = Some(subjects)).await;
        drop(world.connect(&subject).await);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let known = lets(viewers, contact) && lets(subjects, contact);
        let seen = world.on(&viewer).presence(std::slice::from_ref(&subject)).await;
        assert_eq!(seen.unwrap()[0].presence.last_seen_at.is_some(), known, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_nobody_may_know_of_leaves_no_trace() {
    let (world, [subject, _, viewer], group) = two(true).await;
    settings(&world, &subject, |s| s.receipts = Some(Nobody)).await;
    let seq = world.send(&viewer, group, "x").await;
    let marks = Marks {
        conversation_id: Some(group),
        seq: Some(seq),
        marks: None,
    };
    world.on(&subject).mark_delivered(marks.clone()).await.unwrap();
    let first = world.on(&viewer).sync(SyncRequest::default()).await.unwrap();
    let before = world.conversation(group).await;
    world.clock.advance(Duration::from_secs(5));
    let mut other_device = world.connect(&subject).await;
    world.on(&subject).mark_read(marks).await.unwrap();
    assert_eq!(
        world.conversation(group).await,
        before,
        "the conversation is as it was"
    );
    let token = SyncRequest {
        token: Some(first.token),
        conversations: None,
    };
    let synced = world.on(&viewer).sync(token).await.unwrap();
    assert!(synced.conversations.is_empty(), "and so is everybody's sync");
    let own = other_device.got_of("inbox_updated").await;
    assert_eq!(
        (&own[0]["read_seq"], &own[0]["unread_count"]),
        (&json!(seq), &json!(0))
    );
    assert_eq!(
        world.on(&subject).conversation(group).await.unwrap().my.read_seq,
        seq
    );
}

#[tokio::test(start_paused = true)]
async fn lists_of_typists_follow_the_settings_at_once() {
    let (world, [subject, third, viewer], group) = two(true).await;
    let mut of_viewer = world.connect(&viewer).await;
    let mut of_third = world.connect(&third).await;
    let typing = SetTyping {
        conversation_id: group,
        active: true,
    };
    world.on(&subject).set_typing(typing).await.unwrap();
    let listed = |ids: &[&str]| json!({ "conversation_id": group, "user_ids": ids });
    assert_eq!(of_viewer.got_of("typing_changed").await, [listed(&["subject"])]);
    assert_eq!(of_third.got_of("typing_changed").await, [listed(&["subject"])]);
    settings(&world, &subject, |s| s.show_online = Some(Contacts)).await;
    assert!(
        of_viewer.got_of("typing_changed").await.is_empty(),
        "a contact sees him still"
    );
    assert_eq!(of_third.got_of("typing_changed").await, [listed(&[])]);
    settings(&world, &viewer, |s| s.show_online = Some(Nobody)).await;
    assert_eq!(
        of_viewer.got_of("typing_changed").await,
        [listed(&[])],
        "who shows nothing sees nothing"
    );
    settings(&world, &viewer, |s| s.show_online = Some(Everyone)).await;
    assert_eq!(of_viewer.got_of("typing_changed").await, [listed(&["subject"])]);
}

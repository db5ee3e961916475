//! Why something is as it is, asked of the engine itself.

use chat_core::access::Action;
use chat_core::command::{
    AddMembers, ConversationSettings, DeleteMessage, DeletionScope, Mark, Marks, RegisterDevice, SendMessage,
};
use chat_core::config::BlockedInGroup;
use chat_core::engine::explain::UnreadReason;
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::{Platform, Provider, Seq};
use chat_core::{Actor, ChatEngine};

use crate::world::{Chats, World, code};

for_each_store!(
    every_message_has_its_reason,
    a_marker_and_a_long_backlog_are_told,
    a_push_has_its_reason,
    a_denial_names_its_rule
);

fn up_to(conversation: ConversationId, seq: Seq) -> Marks {
    Marks {
        conversation_id: Some(conversation),
        seq: Some(seq),
        marks: None,
    }
}

async fn delete(actor: &Actor, message: &chat_core::view::MessageView, scope: DeletionScope) {
    let delete = DeleteMessage {
        message_id: message.id,
        scope,
    };
    actor.delete_message(delete).await.unwrap();
}

async fn reasons(engine: &ChatEngine, user: &Actor, id: ConversationId) -> Vec<(Seq, UnreadReason)> {
    let told = engine.explain().unread(user.user_id(), id).await.unwrap();
    assert_eq!(told.agrees, Some(true), "{told}");
    assert_eq!(told.store_count, user.unread(id).await);
    told.messages.iter().map(|m| (m.seq, m.reason)).collect()
}

async fn every_message_has_its_reason(world: World) {
    use UnreadReason as R;
    let mut world = world;
    for policy in [BlockedInGroup::Hide, BlockedInGroup::Collapse] {
        world = world.with_config(|config| config.policies.blocked_in_group = policy);
        let [ann, bob, cat, dan] = world.users(["ann", "bob", "cat", "dan"]).await;
        let id = ann.group_of("Team", &[&bob, &dan]).await.id;
        ann.say(id, "before cat").await;
        let add = AddMembers {
            user_ids: vec![cat.user_id().clone()],
        };
        ann.add_members(id, add).await.unwrap();
        let joined = world.engine.store().conversations(&[id]).await.unwrap()[0].last_seq;
        let read = ann.say(id, "read").await.seq;
        cat.mark_read(up_to(id, read)).await.unwrap();
        let own = cat.say(id, "own").await.seq;
        let counted = ann.say(id, "counts").await.seq;
        let silent = SendMessage {
            silent: true,
            ..SendMessage::text(id, "silent")
        };
        let silent = ann.send(silent).await.unwrap().message.seq;
        let deleted = ann.say(id, "deleted").await;
        delete(&ann, &deleted, DeletionScope::Everyone).await;
        let hidden = ann.say(id, "hidden").await;
        delete(&cat, &hidden, DeletionScope::Me).await;
        let blocked = bob.say(id, "blocked").await.seq;
        cat.block(bob.user_id()).await.unwrap();
        let told = reasons(&world.engine, &cat, id).await;
        let of = |seq: Seq| told.iter().find(|(other, _)| *other == seq).unwrap().1;
        assert_eq!(of(1), R::OutsideMembership);
        assert_eq!(of(joined - 1), R::OutsideMembership);
        assert_eq!(of(read), R::Read);
        assert_eq!(of(own), R::Own);
        assert_eq!(of(counted), R::Counted);
        assert_eq!(of(silent), R::NotCountable);
        assert_eq!(of(deleted.seq), R::Deleted);
        assert_eq!(of(hidden.seq), R::Hidden);
        assert_eq!(of(blocked), R::Blocked);
        assert!(told.iter().all(|(_, reason)| *reason != R::Other));

        cat.clear(id).await.unwrap();
        let told = reasons(&world.engine, &cat, id).await;
        assert!(told.contains(&(counted, R::Cleared)), "{told:?}");
        cat.unblock(bob.user_id()).await.unwrap();
        let eve = world.user("eve").await;
        let stranger = world.engine.explain().unread(eve.user_id(), id).await;
        assert_eq!(code(stranger), ErrorCode::ConversationNotFound);
    }
}

async fn a_marker_and_a_long_backlog_are_told(world: World) {
    use UnreadReason as R;
    let world = world.with_config(|config| {
        config.limits.commands = chat_core::config::Rate::new(1_000_000, 1_000);
    });
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = ann.direct_with(&bob).await.id;
    for n in 1..=5 {
        ann.say(id, &n.to_string()).await;
    }
    bob.mark_read(up_to(id, 5)).await.unwrap();
    let mark = Mark {
        conversation_id: id,
        seq: Some(4),
    };
    bob.mark_unread(mark).await.unwrap();
    assert_eq!(
        reasons(&world.engine, &bob, id).await,
        [
            (1, R::BelowUnreadMarker),
            (2, R::BelowUnreadMarker),
            (3, R::BelowUnreadMarker),
            (4, R::Counted),
            (5, R::Counted),
        ]
    );
    let told = world.engine.explain().unread(bob.user_id(), id).await.unwrap();
    assert!(
        told.to_string()
            .ends_with(": 1-3 below_unread_marker, 4-5 counted"),
        "{told}"
    );

    let texts: Vec<String> = (6..=1_010).map(|n| n.to_string()).collect();
    // Some at a time, so that they go into few commits.
    for some in texts.chunks(50) {
        futures::future::join_all(some.iter().map(|text| ann.say(id, text))).await;
    }
    let told = world.engine.explain().unread(bob.user_id(), id).await.unwrap();
    assert_eq!((told.store_count, told.counted), (1_007, 1_000));
    assert_eq!(told.agrees, None, "more than is looked at");
}

async fn a_push_has_its_reason(world: World) {
    let [ann, bob, eve] = world.users(["ann", "bob", "eve"]).await;
    let id = ann.direct_with(&bob).await.id;
    let message = ann.say(id, "hello").await.id;
    let reason = async |user: &Actor| {
        let told = world
            .engine
            .explain()
            .push(message, user.user_id())
            .await
            .unwrap();
        (told.decision, told.reason)
    };
    assert_eq!(reason(&bob).await, ("none", Some("no_device")));
    assert_eq!(reason(&ann).await, ("none", Some("author")));
    assert_eq!(reason(&eve).await, ("none", Some("not_a_member")));
    let device = RegisterDevice {
        token: "token".to_owned(),
        platform: Platform::Web,
        provider: Provider::Fcm,
    };
    bob.register_device(device).await.unwrap();
    assert_eq!(reason(&bob).await, ("alert", None));
    let muted: ConversationSettings =
        serde_json::from_value(serde_json::json!({"muted_until": "forever"})).unwrap();
    bob.update_conversation_settings(id, muted).await.unwrap();
    assert_eq!(reason(&bob).await, ("none", Some("muted")));
    let told = world.engine.explain().push(message, bob.user_id()).await.unwrap();
    let facts = serde_json::to_value(&told).unwrap();
    assert_eq!(
        (
            &facts["facts"]["muted"],
            &facts["facts"]["devices"],
            &facts["facts"]["notifier"]
        ),
        (&"forever".into(), &1.into(), &false.into())
    );
    bob.block(ann.user_id()).await.unwrap();
    assert_eq!(reason(&bob).await, ("none", Some("blocked")));
}

async fn a_denial_names_its_rule(world: World) {
    let [ann, bob, cat, eve] = world.users(["ann", "bob", "cat", "eve"]).await;
    let direct = ann.direct_with(&bob).await.id;
    let group = ann.group_of("Team", &[&bob, &cat]).await.id;
    let told = async |user: &Actor, action: Action<'_>, id| {
        let told = world
            .engine
            .explain()
            .denied(user.user_id(), action, id)
            .await
            .unwrap();
        (told.code, told.to_string())
    };
    assert_eq!(told(&ann, Action::Dissolve, group).await.0, None);
    assert_eq!(told(&bob, Action::Dissolve, group).await.0, Some("forbidden"));
    let (code, text) = told(&eve, Action::Send, group).await;
    assert_eq!(code, Some("conversation_not_found"));
    assert!(text.ends_with("(he never was a member)"), "{text}");
    assert_eq!(
        told(&ann, Action::Leave, direct).await.0,
        Some("invalid_operation")
    );
    bob.block(ann.user_id()).await.unwrap();
    let (code, text) = told(&ann, Action::Send, direct).await;
    assert_eq!(code, Some("not_permitted"));
    assert!(text.contains("the other has blocked him"), "{text}");
    assert_eq!(told(&bob, Action::Send, direct).await.0, Some("you_blocked"));
    // The rule is the one the command meets.
    let refused = ann.send(SendMessage::text(direct, "x")).await.unwrap_err();
    let told = world
        .engine
        .explain()
        .denied(ann.user_id(), Action::Send, direct)
        .await
        .unwrap();
    assert_eq!(told.rule.as_deref(), Some(refused.detail()));
    assert_eq!(told.action, "send");
}

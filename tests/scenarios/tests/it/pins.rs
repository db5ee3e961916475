//! Pinned messages: for everybody in the conversation, as far as he sees them.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    AddMembers, ConversationPatch, DeleteMessage, DeletionScope, PageRequest, PermissionsPatch, PinMessage,
    SyncRequest,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{MessageKind, Permission};
use chat_core::view::{MessageView, Page, SyncedMessage};

use crate::world::{Chats, World, code, whole_history};

for_each_store!(
    a_pin_is_told_to_everybody_and_counts_for_nobody,
    who_pins_where,
    a_pin_goes_with_its_message,
    the_list_shows_what_one_sees,
);

fn pin(message: MessageId) -> PinMessage {
    PinMessage {
        message_id: message,
        conversation_id: None,
    }
}

async fn page(who: &Actor, id: ConversationId, limit: usize, cursor: Option<String>) -> Page<MessageView> {
    let page = PageRequest {
        limit: Some(limit),
        cursor,
    };
    who.pinned_messages(id, page).await.unwrap()
}

async fn pinned(who: &Actor, id: ConversationId) -> Vec<MessageId> {
    let page = page(who, id, 100, None).await;
    page.items.into_iter().map(|message| message.id).collect()
}

async fn permit(who: &Actor, id: ConversationId, pins: Permission) {
    let patch = ConversationPatch {
        permissions: Some(PermissionsPatch {
            pin_messages: Some(pins),
            ..PermissionsPatch::default()
        }),
        ..ConversationPatch::default()
    };
    let changed = who.update_conversation(id, patch).await.unwrap();
    assert_eq!(changed.permissions.pin_messages, pins);
}

async fn freeze(who: &Actor, id: ConversationId, frozen: bool) -> ChatResult<()> {
    let patch = ConversationPatch {
        frozen: Some(frozen),
        ..ConversationPatch::default()
    };
    who.update_conversation(id, patch).await.map(drop)
}

async fn a_pin_is_told_to_everybody_and_counts_for_nobody(world: World) {
    let world = world.with_config(|config| config.policies.system_countable = true);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let m = ben.say(direct, "keep").await;
    let token = ben.sync(SyncRequest::default()).await.unwrap().token;
    let mut session = world.connect(&ben).await;
    let view = ada.pin_message(pin(m.id)).await.unwrap();
    let by = view.pinned.expect("pinned").by;
    assert_eq!(by, *ada.user_id());
    let updated = session.next_named("message_updated").await;
    assert_eq!(updated["message"]["pinned"]["by"], "ada");
    let line = session.next_named("message_created").await;
    assert_eq!(line["message"]["system"]["code"], "message_pinned");
    assert_eq!(
        line["message"]["system"]["params"]["message_id"],
        m.id.to_string()
    );
    assert!(line["rev"].as_u64() > updated["rev"].as_u64());
    assert_eq!((ben.unread(direct).await, ada.unread(direct).await), (0, 1));
    let request = SyncRequest {
        token: Some(token),
        ..SyncRequest::default()
    };
    let synced = ben.sync(request).await.unwrap().conversations.remove(0).messages;
    let synced_pin = |synced: &SyncedMessage| match synced {
        SyncedMessage::Message(message) => message.id == m.id && message.pinned.is_some(),
        SyncedMessage::Gone(_) => false,
    };
    assert!(synced.iter().any(synced_pin));

    let before = ada.conversation(direct).await.unwrap().rev;
    assert_eq!(ben.pin_message(pin(m.id)).await.unwrap().pinned.unwrap().by, by);
    assert_eq!(
        ada.conversation(direct).await.unwrap().rev,
        before,
        "nothing changed"
    );
    ben.unpin_message(pin(m.id)).await.unwrap();
    assert!(ada.message(m.id).await.unwrap().pinned.is_none());
    let after = ada.conversation(direct).await.unwrap();
    assert_eq!(after.rev, before + 1, "no line tells of the end");
    ada.unpin_message(pin(m.id)).await.unwrap();
    assert_eq!(ada.conversation(direct).await.unwrap().rev, before + 1);
}

async fn who_pins_where(world: World) {
    let [ada, ben, cem, eve] = world.users(["ada", "ben", "cem", "eve"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let m = ben.say(group, "x").await;
    let can = async |who: &Actor| {
        let my = who.conversation(group).await.unwrap().my;
        my.can.contains(&"pin_messages")
    };
    assert!(can(&ada).await && !can(&ben).await);
    assert_eq!(code(ben.pin_message(pin(m.id)).await), ErrorCode::Forbidden);
    ada.pin_message(pin(m.id)).await.unwrap();
    assert_eq!(code(ben.unpin_message(pin(m.id)).await), ErrorCode::Forbidden);
    permit(&ada, group, Permission::Everyone).await;
    assert!(can(&ben).await);
    ben.unpin_message(pin(m.id)).await.unwrap();
    ben.pin_message(pin(m.id)).await.unwrap();
    assert_eq!(code(eve.pin_message(pin(m.id)).await), ErrorCode::MessageNotFound);
    let line = whole_history(&ada, group).await.remove(0);
    assert_eq!(line.kind, MessageKind::System);
    assert_eq!(
        code(ada.pin_message(pin(line.id)).await),
        ErrorCode::InvalidOperation
    );
    freeze(&ada, group, true).await.unwrap();
    assert_eq!(code(ada.unpin_message(pin(m.id)).await), ErrorCode::NotPermitted);
    assert_eq!(pinned(&cem, group).await, [m.id], "reading goes on");

    let direct = ada.direct_with(&ben).await.id;
    let theirs = ben.say(direct, "y").await;
    let elsewhere = PinMessage {
        conversation_id: Some(group),
        ..pin(theirs.id)
    };
    assert_eq!(
        code(ada.pin_message(elsewhere.clone()).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(
        code(ada.unpin_message(elsewhere).await),
        ErrorCode::MessageNotFound
    );
    ada.block(ben.user_id()).await.unwrap();
    assert_eq!(code(ada.pin_message(pin(theirs.id)).await), ErrorCode::YouBlocked);
    assert_eq!(
        code(ben.pin_message(pin(theirs.id)).await),
        ErrorCode::NotPermitted
    );
}

async fn a_pin_goes_with_its_message(world: World) {
    let world = world.with_config(|config| config.limits.pins_per_conversation = 2);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut m = Vec::new();
    for text in ["a", "b", "c", "d"] {
        m.push(ada.say(direct, text).await.id);
    }
    ada.pin_message(pin(m[0])).await.unwrap();
    ada.pin_message(pin(m[1])).await.unwrap();
    assert_eq!(code(ben.pin_message(pin(m[2])).await), ErrorCode::Conflict);
    ada.pin_message(pin(m[1])).await.unwrap();
    let delete = DeleteMessage {
        message_id: m[1],
        scope: DeletionScope::Everyone,
    };
    ada.delete_message(delete).await.unwrap();
    assert!(ada.message(m[1]).await.unwrap().pinned.is_none());
    assert_eq!(pinned(&ben, direct).await, [m[0]]);
    ben.pin_message(pin(m[2])).await.unwrap();
    assert_eq!(
        code(ada.pin_message(pin(m[1])).await),
        ErrorCode::InvalidOperation
    );
    assert_eq!(code(ada.pin_message(pin(m[3])).await), ErrorCode::Conflict);
}

async fn the_list_shows_what_one_sees(world: World) {
    let [ada, ben, cem, dan] = world.users(["ada", "ben", "cem", "dan"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let mut m = Vec::new();
    for text in ["a", "b", "c"] {
        m.push(ada.say(group, text).await.id);
    }
    let add = AddMembers {
        user_ids: vec![dan.user_id().clone()],
    };
    ada.add_members(group, add).await.unwrap();
    m.push(ada.say(group, "d").await.id);
    for message in [m[2], m[0], m[3], m[1]] {
        world.advance(Duration::from_secs(1));
        ada.pin_message(pin(message)).await.unwrap();
    }
    let all = [m[1], m[3], m[0], m[2]];
    assert_eq!(pinned(&ada, group).await, all);
    let hide = DeleteMessage {
        message_id: m[3],
        scope: DeletionScope::Me,
    };
    ben.delete_message(hide).await.unwrap();
    assert_eq!(pinned(&ben, group).await, [m[1], m[0], m[2]]);
    assert_eq!(pinned(&dan, group).await, [m[3]], "from joining on");
    cem.clear(group).await.unwrap();
    assert!(pinned(&cem, group).await.is_empty());
    let first = page(&ada, group, 3, None).await;
    assert_eq!(first.items.len(), 3);
    let rest = page(&ada, group, 3, first.next_cursor).await;
    assert_eq!(rest.items[0].id, m[2]);
    assert!(rest.next_cursor.is_none());
    let stranger = world.user("eve").await;
    let asked = stranger.pinned_messages(group, PageRequest::default()).await;
    assert_eq!(code(asked), ErrorCode::ConversationNotFound);
}

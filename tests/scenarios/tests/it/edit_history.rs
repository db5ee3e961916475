//! What messages said before they were edited, and who reads it.

use chat_core::Actor;
use chat_core::command::{DeleteMessage, DeletionScope, EditMessage, PageRequest};
use chat_core::config::EditHistory;
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::MessageId;
use chat_core::view::{FormerTextView, Page};

use crate::world::{Chats, World, code};

for_each_store!(
    every_edit_keeps_what_it_replaced,
    the_policy_says_who_reads_it,
    a_deleted_message_keeps_nothing,
);

async fn edit(who: &Actor, message_id: MessageId, text: &str) {
    let edit = EditMessage {
        message_id,
        text: text.to_owned(),
        mentions: None,
        expected_version: None,
    };
    who.edit(edit).await.unwrap();
}

async fn texts(
    who: &Actor,
    id: MessageId,
    limit: usize,
    cursor: Option<String>,
) -> ChatResult<Page<FormerTextView>> {
    let page = PageRequest {
        limit: Some(limit),
        cursor,
    };
    who.former_texts(id, page).await
}

async fn words(who: &Actor, id: MessageId) -> Vec<(u32, String)> {
    let page = texts(who, id, 100, None).await.unwrap();
    page.items
        .into_iter()
        .map(|former| (former.version, former.text))
        .collect()
}

async fn every_edit_keeps_what_it_replaced(world: World) {
    let world = world.with_config(|config| config.policies.edit_history = EditHistory::Members);
    let [ada, ben, eve] = world.users(["ada", "ben", "eve"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let m = ada.say(direct, "one").await.id;
    assert!(words(&ben, m).await.is_empty());
    world.advance(std::time::Duration::from_secs(5));
    edit(&ada, m, "two").await;
    edit(&ada, m, "two").await;
    let edited_at = ada.message(m).await.unwrap().edited_at.unwrap();
    edit(&ada, m, "three").await;
    edit(&ada, m, "four").await;
    let all = [
        (3, "three".to_owned()),
        (2, "two".to_owned()),
        (1, "one".to_owned()),
    ];
    assert_eq!(words(&ben, m).await, all);
    let first = texts(&ben, m, 2, None).await.unwrap();
    let rest = texts(&ben, m, 2, first.next_cursor).await.unwrap();
    assert_eq!(rest.items.len(), 1);
    assert_eq!((rest.items[0].version, rest.items[0].edited_at), (1, edited_at));
    assert_eq!(code(texts(&eve, m, 9, None).await), ErrorCode::MessageNotFound);
    let hide = DeleteMessage {
        message_id: m,
        scope: DeletionScope::Me,
    };
    ben.delete_message(hide).await.unwrap();
    assert_eq!(code(texts(&ben, m, 9, None).await), ErrorCode::MessageNotFound);
}

async fn the_policy_says_who_reads_it(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("g", &[&ben, &cem]).await.id;
    let direct = ada.direct_with(&ben).await.id;
    let (here, there) = (ben.say(group, "old").await.id, ben.say(direct, "old").await.id);
    for m in [here, there] {
        edit(&ben, m, "new").await;
    }
    let old = [(1, "old".to_owned())];
    assert_eq!(words(&ada, here).await, old);
    for (who, m) in [(&ben, here), (&cem, here), (&ada, there), (&ben, there)] {
        assert_eq!(code(texts(who, m, 9, None).await), ErrorCode::Forbidden);
    }
    let host = world.engine.as_host(cem.user_id());
    assert_eq!(words(&host, there).await, old);

    let world = world.with_config(|config| config.policies.edit_history = EditHistory::Off);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    edit(&ben, here, "newer").await;
    assert_eq!(code(texts(&ada, here, 9, None).await), ErrorCode::Forbidden);
    let world = world.with_config(|config| config.policies.edit_history = EditHistory::Members);
    let cem = world.user("cem").await;
    assert_eq!(words(&cem, here).await, old, "nothing was kept while it was off");
}

async fn a_deleted_message_keeps_nothing(world: World) {
    let world = world.with_config(|config| config.policies.edit_history = EditHistory::Members);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let m = ada.say(direct, "regretted").await.id;
    edit(&ada, m, "better").await;
    let delete = DeleteMessage {
        message_id: m,
        scope: DeletionScope::Everyone,
    };
    ada.delete_message(delete).await.unwrap();
    assert!(words(&ben, m).await.is_empty());
    let kept = world.engine.store().former_texts(m, None, 9).await.unwrap();
    assert!(kept.is_empty());
}

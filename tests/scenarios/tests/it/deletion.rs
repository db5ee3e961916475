//! Deleting for everyone, for oneself, clearing, hiding.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{DeleteMessage, DeletionScope, EditMessage, ReactTo, SearchMessages, SendMessage};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::MessageId;
use chat_core::view::ReplyState;

use crate::world::{Chats, World, client_id, code, whole_history};

for_each_store!(
    a_deleted_body_is_nowhere,
    the_window_closes_exactly,
    moderators_have_no_window,
    deleting_for_me_is_mine_alone,
    clear_and_hide_are_mine_alone,
    a_retry_does_not_bring_it_back,
);

async fn delete(actor: &Actor, message_id: MessageId, scope: DeletionScope) -> ChatResult<()> {
    actor.delete_message(DeleteMessage { message_id, scope }).await
}

async fn a_deleted_body_is_nowhere(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.say(direct, "stays").await;
    let secret = ada.say(direct, "xylophone").await;
    ben.add_reaction(ReactTo {
        message_id: secret.id,
        emoji: "👍".to_owned(),
    })
    .await
    .unwrap();
    let reply = SendMessage {
        reply_to: Some(secret.id),
        ..SendMessage::text(direct, "re")
    };
    let reply = ben.send(reply).await.unwrap().message;
    delete(&ada, secret.id, DeletionScope::Everyone).await.unwrap();
    delete(&ada, secret.id, DeletionScope::Everyone).await.unwrap();

    for who in [&ada, &ben] {
        let tombstone = who.message(secret.id).await.unwrap();
        assert!(tombstone.deleted.is_some() && tombstone.text.is_none());
        assert!(tombstone.reactions.unwrap_or_default().is_empty());
        let everything = [
            format!("{:?}", whole_history(who, direct).await),
            format!("{:?}", who.conversation(direct).await.unwrap()),
            format!("{:?}", who.sync(Default::default()).await.unwrap()),
            format!("{:?}", search(who, "xylophone").await),
        ];
        for text in everything {
            assert!(!text.contains("xylophone"), "{text}");
        }
    }
    assert_eq!(
        ben.message(reply.id).await.unwrap().reply_to.unwrap().state,
        ReplyState::Deleted
    );
    assert_eq!(ben.unread(direct).await, 1, "it does not count any more");
    let edit = EditMessage {
        message_id: secret.id,
        text: "x".to_owned(),
        mentions: None,
        expected_version: None,
    };
    assert_eq!(code(ada.edit(edit).await), ErrorCode::InvalidOperation);
    let react = ReactTo {
        message_id: secret.id,
        emoji: "👍".to_owned(),
    };
    assert_eq!(code(ben.add_reaction(react).await), ErrorCode::InvalidOperation);
}

async fn search(actor: &Actor, q: &str) -> Vec<String> {
    let search = SearchMessages {
        q: q.to_owned(),
        ..SearchMessages::default()
    };
    let page = actor.search_messages(search).await.unwrap();
    page.items
        .into_iter()
        .filter_map(|message| message.text)
        .collect()
}

async fn the_window_closes_exactly(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (first, second) = (ada.say(direct, "1").await, ada.say(direct, "2").await);
    world.advance(Duration::from_secs(3600));
    delete(&ada, first.id, DeletionScope::Everyone).await.unwrap();
    world.advance(Duration::from_millis(1));
    assert_eq!(
        code(delete(&ada, second.id, DeletionScope::Everyone).await),
        ErrorCode::WindowClosed
    );
    delete(&ada, second.id, DeletionScope::Me).await.unwrap();
    assert_eq!(ben.texts(direct).await, ["2"]);
}

async fn moderators_have_no_window(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    let message = ben.say(group, "rude").await;
    assert_eq!(
        code(delete(&cem, message.id, DeletionScope::Everyone).await),
        ErrorCode::Forbidden
    );
    world.advance(Duration::from_secs(86_400));
    delete(&ada, message.id, DeletionScope::Everyone).await.unwrap();
    let tombstone = serde_json::to_value(cem.message(message.id).await.unwrap().deleted).unwrap();
    assert_eq!(tombstone["by"], "moderator");
}

async fn deleting_for_me_is_mine_alone(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let message = ben.say(direct, "hello").await;
    delete(&ada, message.id, DeletionScope::Me).await.unwrap();
    delete(&ada, message.id, DeletionScope::Me)
        .await
        .unwrap_or_default();
    assert!(!ada.sees(message.id).await);
    assert_eq!(ada.unread(direct).await, 0);
    assert!(ada.conversation(direct).await.unwrap().last_message.is_none());
    assert_eq!(ben.texts(direct).await, ["hello"]);
    assert!(search(&ada, "hello").await.is_empty());
}

async fn clear_and_hide_are_mine_alone(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ben.say(direct, "old").await;
    ada.clear(direct).await.unwrap();
    assert_eq!((ada.texts(direct).await.len(), ada.unread(direct).await), (0, 0));
    assert_eq!(
        ada.conversations(Default::default()).await.unwrap().items.len(),
        1
    );
    ada.hide(direct).await.unwrap();
    assert!(
        ada.conversations(Default::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(ben.texts(direct).await, ["old"]);
    ben.say(direct, "new").await;
    assert_eq!(
        ada.conversations(Default::default()).await.unwrap().items.len(),
        1
    );
    assert_eq!(ada.texts(direct).await, ["new"]);
}

async fn a_retry_does_not_bring_it_back(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let send = SendMessage::text(direct, "gone").with_client_id(client_id("k"));
    let message = ada.send(send.clone()).await.unwrap().message;
    delete(&ada, message.id, DeletionScope::Everyone).await.unwrap();
    let again = ada.send(send).await.unwrap();
    assert!(again.replayed && again.message.deleted.is_some());
    assert!(ben.texts(direct).await.is_empty());
}

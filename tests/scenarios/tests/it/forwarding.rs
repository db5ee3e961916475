//! Forwarding: a copy of what one sees, under the rules of sending.

use std::time::Duration;

use chat_core::Actor;
use chat_core::command::{
    DeleteMessage, DeletionScope, ForwardMessage, MeetingDraft, OpenDirect, ReactTo, SendMessage,
};
use chat_core::error::{ChatResult, ErrorCode};
use chat_core::id::{ConversationId, MessageId};
use chat_core::model::{CustomContent, Location, MessageKind, TextFormat};
use chat_core::time::Clock;
use chat_core::view::{MessageView, SentMessage};
use serde_json::json;

use crate::world::{Chats, World, client_id, code, whole_history};

for_each_store!(
    a_copy_takes_the_content_and_leaves_the_rest,
    the_first_origin_is_kept_and_may_be_kept_silent,
    a_forward_is_repeated_safely,
    what_cannot_be_forwarded,
);

fn to(message: MessageId, conversation: ConversationId) -> ForwardMessage {
    ForwardMessage {
        message_id: message,
        conversation_id: Some(conversation),
        recipient_id: None,
        client_id: None,
        silent: false,
        client_time: None,
    }
}

async fn forward(who: &Actor, message: MessageId, conversation: ConversationId) -> ChatResult<SentMessage> {
    who.forward(to(message, conversation)).await
}

async fn delete(who: &Actor, message: MessageId, scope: DeletionScope) {
    let delete = DeleteMessage {
        message_id: message,
        scope,
    };
    who.delete_message(delete).await.unwrap();
}

fn origin(message: &MessageView) -> (Option<&str>, Option<&str>) {
    let forwarded = message.forwarded.as_ref().expect("a forwarded message");
    (
        forwarded.sender_id.as_ref().map(|id| id.as_str()),
        forwarded.name.as_deref(),
    )
}

async fn a_copy_takes_the_content_and_leaves_the_rest(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let here = ada.group_of("g", &[&ben, &cem]).await.id;
    let first = ada.say(here, "question").await;
    let send = SendMessage {
        kind: MessageKind::Custom,
        format: TextFormat::Markdown,
        custom: Some(CustomContent {
            kind: "order".to_owned(),
            data: json!({ "n": 1 }),
        }),
        reply_to: Some(first.id),
        mentions: vec![cem.user_id().clone()],
        ..SendMessage::text(here, "*answer*")
    };
    let original = ben.send(send).await.unwrap().message;
    cem.add_reaction(ReactTo {
        message_id: original.id,
        emoji: "👍".to_owned(),
    })
    .await
    .unwrap();

    let mut session = world.connect(&ben).await;
    let by_recipient = ForwardMessage {
        conversation_id: None,
        recipient_id: Some(ben.user_id().clone()),
        ..to(original.id, here)
    };
    let sent = ada.forward(by_recipient).await.unwrap();
    let direct = sent.conversation.expect("by recipient").id;
    assert!(!sent.replayed && sent.dropped_mentions.is_empty());
    let heard = session.next_named("message_created").await;
    assert_eq!(
        heard["message"]["forwarded"],
        json!({ "sender_id": "ben", "name": "ben" })
    );
    assert_eq!(heard["conversation_id"], json!(direct));
    let copy = ben.message(sent.message.id).await.unwrap();
    assert_eq!(copy.sender.id, *ada.user_id());
    assert_eq!(
        (copy.kind, copy.text.as_deref(), copy.format),
        (MessageKind::Custom, Some("*answer*"), Some(TextFormat::Markdown))
    );
    assert_eq!(copy.custom, original.custom);
    assert_eq!((copy.mentions, copy.reply_to, copy.reactions), (None, None, None));
    assert_eq!(ben.unread(direct).await, 1);
    assert_eq!(ben.message(original.id).await.unwrap().forwarded, None);

    let mut quiet = to(original.id, direct);
    quiet.silent = true;
    assert!(ben.forward(quiet).await.unwrap().message.silent);
    assert_eq!(ada.unread(direct).await, 0);
}

async fn the_first_origin_is_kept_and_may_be_kept_silent(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let (ab, bc) = (ada.direct_with(&ben).await.id, ben.direct_with(&cem).await.id);
    let original = ada.say(ab, "word").await;
    let once = forward(&ben, original.id, bc).await.unwrap().message;
    let own = forward(&cem, once.id, bc).await.unwrap().message;
    for message in [&once, &own] {
        assert_eq!(origin(message), (Some("ada"), Some("ada")));
    }
    let world = world.with_config(|config| config.policies.forward_shows_sender = false);
    let [ben, cem] = world.users(["ben", "cem"]).await;
    let silent = forward(&ben, original.id, bc).await.unwrap().message;
    assert_eq!(origin(&silent), (None, None));
    assert_eq!(origin(&cem.message(once.id).await.unwrap()), (None, None));
    let world = world.with_config(|_| {});
    let cem = world.user("cem").await;
    let copy = forward(&cem, silent.id, bc).await.unwrap().message;
    assert_eq!(origin(&copy), (None, None), "what was not told stays untold");
}

async fn a_forward_is_repeated_safely(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let one = ben.say(direct, "one").await;
    let two = ben.say(direct, "two").await;
    let keyed = |message: &MessageView, key: &str| ForwardMessage {
        client_id: Some(client_id(key)),
        ..to(message.id, direct)
    };
    let sent = ada.forward(keyed(&one, "k")).await.unwrap();
    let repeated = async || {
        let again = ada.forward(keyed(&one, "k")).await.unwrap();
        assert!(again.replayed);
        assert_eq!(
            (again.message.id, again.message.seq),
            (sent.message.id, sent.message.seq)
        );
    };
    repeated().await;
    assert_eq!(
        code(ada.forward(keyed(&two, "k")).await),
        ErrorCode::IdempotencyConflict
    );
    let mut quiet = keyed(&one, "k");
    quiet.silent = true;
    assert_eq!(code(ada.forward(quiet).await), ErrorCode::IdempotencyConflict);
    let own_words = SendMessage::text(direct, "one").with_client_id(client_id("k"));
    assert_eq!(code(ada.send(own_words).await), ErrorCode::IdempotencyConflict);

    delete(&ben, one.id, DeletionScope::Everyone).await;
    repeated().await;
    assert_eq!(
        code(ada.forward(keyed(&one, "l")).await),
        ErrorCode::InvalidOperation
    );
    delete(&ada, one.id, DeletionScope::Me).await;
    repeated().await;
    assert_eq!(
        code(ada.forward(keyed(&one, "l")).await),
        ErrorCode::MessageNotFound
    );
    assert_eq!(ada.texts(direct).await, ["two", "one"]);
}

async fn what_cannot_be_forwarded(world: World) {
    let [ada, ben, eve] = world.users(["ada", "ben", "eve"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let group = ada.group_of("g", &[&ben, &eve]).await.id;
    let text = ada.say(direct, "private").await;
    assert_eq!(
        code(forward(&eve, text.id, group).await),
        ErrorCode::MessageNotFound
    );
    let line = whole_history(&ada, group).await.remove(0);
    assert_eq!(line.kind, MessageKind::System);
    let later = world.clock.now().after(Duration::from_secs(3_600));
    let meeting = SendMessage {
        kind: MessageKind::Meeting,
        meeting: Some(MeetingDraft {
            place: None,
            location: None,
            scheduled_at: later,
            note: None,
        }),
        ..SendMessage::text(direct, "")
    };
    let place = |live_until| SendMessage {
        kind: MessageKind::Location,
        location: Some(Location {
            latitude: 48.0,
            longitude: 11.0,
            label: Some("Here".to_owned()),
            live_until,
        }),
        ..SendMessage::text(direct, "")
    };
    let meeting = ada.send(meeting).await.unwrap().message;
    let live = ada.send(place(Some(later))).await.unwrap().message;
    for refused in [&line, &meeting, &live] {
        assert_eq!(
            code(forward(&ada, refused.id, group).await),
            ErrorCode::InvalidOperation,
            "{:?}",
            refused.kind
        );
    }
    world.advance(Duration::from_secs(7_200));
    assert_eq!(
        code(forward(&ada, live.id, group).await),
        ErrorCode::InvalidOperation,
        "also when it has ended"
    );
    let still = ada.send(place(None)).await.unwrap().message;
    let copy = forward(&ben, still.id, group).await.unwrap().message;
    assert_eq!(copy.location, still.location);

    let nowhere = ForwardMessage {
        conversation_id: None,
        ..to(text.id, group)
    };
    assert_eq!(code(ada.forward(nowhere).await), ErrorCode::InvalidArgument);
    let both = ForwardMessage {
        recipient_id: Some(eve.user_id().clone()),
        ..to(text.id, group)
    };
    assert_eq!(code(ada.forward(both).await), ErrorCode::InvalidArgument);
    let open = OpenDirect {
        user_id: eve.user_id().clone(),
    };
    let with_eve = ben.open_direct(open).await.unwrap().conversation.id;
    assert_eq!(
        code(forward(&ada, text.id, with_eve).await),
        ErrorCode::ConversationNotFound
    );
    eve.block(ben.user_id()).await.unwrap();
    assert_eq!(
        code(forward(&ben, text.id, with_eve).await),
        ErrorCode::NotPermitted
    );
    assert_eq!(
        code(forward(&eve, copy.id, with_eve).await),
        ErrorCode::YouBlocked
    );
}

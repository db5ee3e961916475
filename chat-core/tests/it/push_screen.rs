//! What is on the screen of a device follows what happens to the message.

use std::time::Duration;

use chat_core::command::{DeleteMessage, DeletionScope, EditMessage, Marks, SendMessage};
use chat_core::id::{ConversationId, MessageId, UserId};

use crate::phones::{later, register, world};
use crate::world::{World, settle};

const MOMENT: Duration = Duration::from_secs(4);

async fn say(world: &World, user: &UserId, to: ConversationId, text: &str) -> MessageId {
    let sent = world.on(user).send(SendMessage::text(to, text)).await;
    settle().await;
    sent.unwrap().message.id
}

async fn read(world: &World, user: &UserId, conversation: ConversationId, seq: u64) {
    let marks = Marks {
        conversation_id: Some(conversation),
        seq: Some(seq),
        marks: None,
    };
    world.on(user).mark_read(marks).await.unwrap();
    settle().await;
}

async fn delete(world: &World, user: &UserId, message_id: MessageId) {
    let delete = DeleteMessage {
        message_id,
        scope: DeletionScope::Everyone,
    };
    world.on(user).delete_message(delete).await.unwrap();
    settle().await;
}

async fn edit(world: &World, user: &UserId, message_id: MessageId, text: &str, mentions: &[&UserId]) {
    let edit = EditMessage {
        message_id,
        text: text.to_owned(),
        expected_version: None,
        mentions: Some(mentions.iter().copied().cloned().collect()),
    };
    world.on(user).edit(edit).await.unwrap();
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_read_elsewhere_is_cleared_once_for_several_reads() {
    let (world, phones) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "bob").await;
    for text in ["one", "two", "three", "four"] {
        say(&world, &ann, id, text).await;
    }
    phones.taken();
    for seq in 1..=3 {
        read(&world, &bob, id, seq).await;
    }
    later(&world, MOMENT).await;
    assert_eq!(phones.told("bob"), [("clear", 3)]);
    let [clear] = phones.taken().try_into().unwrap();
    assert_eq!(clear.badge, 1);
    assert_eq!((clear.title.as_str(), clear.body.as_str()), ("", ""));
    read(&world, &bob, id, 3).await;
    later(&world, MOMENT).await;
    assert_eq!(phones.taken(), [], "nothing of it is on a screen any more");
}

#[tokio::test(start_paused = true)]
async fn what_never_alerted_is_not_cleared() {
    let (world, phones) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "bob").await;
    let _here = world.connect(&bob).await;
    let message = say(&world, &ann, id, "one").await;
    read(&world, &bob, id, 1).await;
    delete(&world, &ann, message).await;
    later(&world, MOMENT).await;
    assert_eq!(phones.calls("bob"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_message_is_taken_off_the_screens_that_show_it() {
    let (world, phones) = world();
    let [ann, bob, cat, dan] = world.users(["ann", "bob", "cat", "dan"]).await;
    let id = world.group(&ann, &[&bob, &cat, &dan]).await;
    for user in [&ann, &bob, &cat, &dan] {
        register(&world, user, user.as_str()).await;
    }
    let _here = world.connect(&cat).await;
    let message = say(&world, &ann, id, "a secret").await;
    let seq = world.conversation(id).await.last_seq;
    read(&world, &dan, id, seq).await;
    later(&world, MOMENT).await;
    phones.taken();
    delete(&world, &ann, message).await;
    later(&world, MOMENT).await;
    assert_eq!(phones.told("bob"), [("retract", seq)]);
    for nothing_shown in ["ann", "cat", "dan"] {
        assert_eq!(phones.told(nothing_shown), [], "{nothing_shown}");
    }
    let [push] = phones.taken().try_into().unwrap();
    assert_eq!((push.title.as_str(), push.body.as_str(), push.badge), ("", "", 0));
}

#[tokio::test(start_paused = true)]
async fn an_edit_alerts_those_it_mentions_for_the_first_time() {
    let (world, phones) = world();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    register(&world, &bob, "bob").await;
    register(&world, &cat, "cat").await;
    let message = say(&world, &ann, id, "hello").await;
    phones.taken();
    edit(&world, &ann, message, "hello all", &[]).await;
    assert_eq!(phones.taken(), [], "an edit alone alerts nobody");
    edit(&world, &ann, message, "hello bob", &[&bob]).await;
    assert_eq!(phones.bodies("bob"), ["Name of ann: hello bob"]);
    assert_eq!(phones.calls("cat"), 1);
    phones.taken();
    edit(&world, &ann, message, "hello bob!", &[&bob]).await;
    assert_eq!(phones.taken(), [], "nor one that mentions the same again");
}

//! Pushes are judged right before the provider is called, and no provider holds up anybody else.

use chat_core::command::{
    ConversationPatch, DeleteMessage, DeletionScope, EditMessage, Mark, Marks, SendMessage,
};
use chat_core::id::{ConversationId, MessageId, UserId};

use crate::phones::{Act, register, world, world_with};
use crate::world::{World, settle};

async fn say(world: &World, user: &UserId, to: ConversationId, text: &str) -> MessageId {
    let sent = world.on(user).send(SendMessage::text(to, text)).await;
    sent.unwrap().message.id
}

async fn delete(world: &World, user: &UserId, message_id: MessageId, scope: DeletionScope) {
    let delete = DeleteMessage { message_id, scope };
    world.on(user).delete_message(delete).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_edited_hidden_or_read_while_it_waited_is_pushed_as_it_is_now() {
    let (world, phones) = world();
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "bob").await;
    phones.play("bob", &[Act::Wait]);
    say(&world, &ann, id, "first").await;
    settle().await;
    assert_eq!(phones.calls("bob"), 1);

    let read = say(&world, &ann, id, "read elsewhere").await;
    let deleted = say(&world, &ann, id, "deleted").await;
    let hidden = say(&world, &ann, id, "hidden").await;
    let edited = say(&world, &ann, id, "edited").await;
    assert_ne!(read, deleted);
    let mark = Mark {
        conversation_id: id,
        seq: Some(2),
    };
    let marks = Marks {
        conversation_id: None,
        seq: None,
        marks: Some(vec![mark]),
    };
    world.on(&bob).mark_read(marks).await.unwrap();
    delete(&world, &ann, deleted, DeletionScope::Everyone).await;
    delete(&world, &bob, hidden, DeletionScope::Me).await;
    let edit = EditMessage {
        message_id: edited,
        text: "as it is now".to_owned(),
        expected_version: Some(1),
        mentions: None,
    };
    world.on(&ann).edit(edit).await.unwrap();
    phones.let_go().await;
    assert_eq!(phones.bodies("bob"), ["first", "as it is now"]);
}

#[tokio::test(start_paused = true)]
async fn a_block_either_way_stops_pushes_that_wait() {
    for bob_blocks in [true, false] {
        let (world, phones) = world();
        let [ann, bob] = world.users(["ann", "bob"]).await;
        let id = world.direct(&ann, &bob).await;
        register(&world, &bob, "bob").await;
        phones.play("bob", &[Act::Wait]);
        say(&world, &ann, id, "first").await;
        settle().await;
        say(&world, &ann, id, "before the block").await;
        let (blocker, blocked) = if bob_blocks { (&bob, &ann) } else { (&ann, &bob) };
        world.on(blocker).block(blocked).await.unwrap();
        phones.let_go().await;
        assert_eq!(phones.bodies("bob"), ["first"], "bob blocks: {bob_blocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_left_while_a_push_waited_gets_none() {
    let (world, phones) = world();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let id = world.group(&ann, &[&bob, &cat]).await;
    register(&world, &bob, "bob").await;
    phones.play("bob", &[Act::Wait]);
    say(&world, &ann, id, "first").await;
    settle().await;
    say(&world, &ann, id, "for members").await;
    world.on(&bob).leave(id).await.unwrap();
    phones.let_go().await;
    assert_eq!(phones.bodies("bob"), ["Name of ann: first"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_delays_no_send_and_what_waits_stays_in_the_outbox() {
    let (world, phones) = world();
    let [ann, bob, cat] = world.users(["ann", "bob", "cat"]).await;
    let (slow, good) = (world.direct(&ann, &bob).await, world.direct(&ann, &cat).await);
    register(&world, &bob, "bob").await;
    register(&world, &cat, "cat").await;
    phones.play("bob", &[Act::Wait]);
    for n in 0..40 {
        say(&world, &ann, slow, &n.to_string()).await;
        say(&world, &ann, good, &n.to_string()).await;
        settle().await;
    }
    assert_eq!(phones.calls("bob"), 1, "one call at a time");
    assert_eq!(phones.bodies("cat").len(), 40, "others are not held up");
    let waiting = world.store().outbox_backlog("push").await.unwrap();
    assert_eq!(waiting.entries, 40);
    phones.let_go().await;
    let all: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    assert_eq!(phones.bodies("bob"), all, "each once and in order");
    assert_eq!(world.store().outbox_backlog("push").await.unwrap().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn words_that_disappear_are_pushed_by_policy_only() {
    for shown in [false, true] {
        let (world, phones) = world_with(|config| config.policies.push_disappearing_content = shown);
        let [ann, bob] = world.users(["ann", "bob"]).await;
        let id = world.direct(&ann, &bob).await;
        register(&world, &bob, "bob").await;
        say(&world, &ann, id, "stays").await;
        let timer = ConversationPatch {
            message_ttl_ms: Some(Some(60_000)),
            ..ConversationPatch::default()
        };
        world.on(&ann).update_conversation(id, timer).await.unwrap();
        say(&world, &ann, id, "goes").await;
        settle().await;
        let bodies = phones.bodies("bob");
        assert_eq!(bodies.len(), 2);
        assert!(bodies[0].contains("stays"));
        assert_eq!(bodies[1].contains("goes"), shown);
    }
}

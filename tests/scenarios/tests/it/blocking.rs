//! Blocking.

use chat_core::command::{AddMembers, OpenDirect, ReactTo, SendMessage};
use chat_core::error::ErrorCode;

use crate::direct::up_to;
use crate::world::{Chats, World, code, user_id};

for_each_store!(
    a_block_stops_a_direct_both_ways,
    nothing_refused_turns_up_after_unblocking,
    a_group_goes_on_and_folds_for_the_blocker,
    nobody_is_added_over_a_block,
    a_block_races_with_sends_and_wins,
);

async fn a_block_stops_a_direct_both_ways(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let old = ben.say(direct, "before").await;
    let mut live = world.connect(&ben).await;
    ada.block(ben.user_id()).await.unwrap();
    ada.block(ben.user_id()).await.unwrap();
    assert_eq!(
        code(ada.send(SendMessage::text(direct, "x")).await),
        ErrorCode::YouBlocked
    );
    assert_eq!(
        code(ben.send(SendMessage::text(direct, "x")).await),
        ErrorCode::NotPermitted
    );
    let by_name = SendMessage::text_to(user_id("ada"), "x");
    assert_eq!(code(ben.send(by_name).await), ErrorCode::NotPermitted);
    let react = ReactTo {
        message_id: old.id,
        emoji: "👍".to_owned(),
    };
    assert_eq!(code(ben.add_reaction(react).await), ErrorCode::NotPermitted);
    ada.mark_read(up_to(direct, old.seq)).await.unwrap();
    live.hears_no("receipt_updated").await;
    assert_eq!(ada.texts(direct).await, ["before"]);
    assert_eq!(ben.texts(direct).await, ["before"]);
    assert_eq!(code(ada.block(ada.user_id()).await), ErrorCode::InvalidOperation);
}

async fn nothing_refused_turns_up_after_unblocking(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    ada.block(ben.user_id()).await.unwrap();
    assert_eq!(
        code(ben.send(SendMessage::text(direct, "lost")).await),
        ErrorCode::NotPermitted
    );
    ada.unblock(ben.user_id()).await.unwrap();
    ada.unblock(ben.user_id()).await.unwrap();
    ben.say(direct, "after").await;
    assert_eq!(ada.texts(direct).await, ["after"]);
    assert_eq!(ada.unread(direct).await, 1);
}

async fn a_group_goes_on_and_folds_for_the_blocker(world: World) {
    let [ada, ben, cem] = world.users(["ada", "ben", "cem"]).await;
    let group = ada.group_of("Trip", &[&ben, &cem]).await.id;
    ada.block(ben.user_id()).await.unwrap();
    let send = SendMessage {
        mentions: vec![user_id("ada")],
        ..SendMessage::text(group, "to all")
    };
    let message = ben.send(send).await.unwrap().message;
    assert_eq!(ada.message(message.id).await.unwrap().from_blocked, Some(true));
    assert_eq!(cem.message(message.id).await.unwrap().from_blocked, None);
    let my = ada.conversation(group).await.unwrap().my;
    assert_eq!((my.unread_count, my.mention_count), (0, 0));
    assert_eq!(cem.unread(group).await, 1);
    assert_eq!(ada.badge().await.unwrap().unread_messages, 0);
}

async fn nobody_is_added_over_a_block(world: World) {
    let [ada, ben, cem, dora] = world.users(["ada", "ben", "cem", "dora"]).await;
    ada.block(ben.user_id()).await.unwrap();
    let open = OpenDirect {
        user_id: user_id("ada"),
    };
    assert_eq!(code(ben.open_direct(open).await), ErrorCode::NotPermitted);
    let group = ben.group_of("Trip", &[&cem, &dora]).await.id;
    let answer = ben
        .add_members(
            group,
            AddMembers {
                user_ids: vec![user_id("ada")],
            },
        )
        .await
        .unwrap();
    assert_eq!((answer.added.len(), answer.skipped), (0, vec![user_id("ada")]));
}

async fn a_block_races_with_sends_and_wins(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    for round in 0..10 {
        let text = round.to_string();
        let (block, _sent) = tokio::join!(
            ada.block(ben.user_id()),
            ben.send(SendMessage::text(direct, text.as_str()))
        );
        block.unwrap();
        let stored = ada.texts(direct).await.len();
        assert_eq!(
            code(ben.send(SendMessage::text(direct, "late")).await),
            ErrorCode::NotPermitted
        );
        assert_eq!(ada.texts(direct).await.len(), stored);
        ada.unblock(ben.user_id()).await.unwrap();
    }
}

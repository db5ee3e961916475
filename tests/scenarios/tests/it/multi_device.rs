//! One user, several sessions.

use chat_core::command::SendMessage;
use chat_core::live::OutboundItem;
use serde_json::json;

use crate::direct::up_to;
use crate::world::{Chats, World};

for_each_store!(
    own_sessions_hear_of_own_messages_but_not_the_asking_one,
    private_changes_reach_own_sessions_only,
    events_of_a_conversation_come_in_order_with_revs_of_their_own,
    a_session_that_is_not_read_is_told_that_it_lagged,
);

async fn own_sessions_hear_of_own_messages_but_not_the_asking_one(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (mut phone, mut laptop, mut other) = (
        world.connect(&ada).await,
        world.connect(&ada).await,
        world.connect(&ben).await,
    );
    let payload = json!({ "conversation_id": direct, "text": "from my phone" });
    let answer = phone.session.execute("send_message", payload).await.unwrap();
    let event = laptop.next_named("message_created").await;
    assert_eq!(event["message"]["id"], answer["message"]["id"]);
    assert_eq!(
        other.next_named("message_created").await["message"]["text"],
        "from my phone"
    );
    phone.hears_no("message_created").await;
    ada.say(direct, "over HTTP").await;
    phone.next_named("message_created").await;
    laptop.next_named("message_created").await;
}

async fn private_changes_reach_own_sessions_only(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let message = ben.say(direct, "x").await;
    let (mut mine, mut other) = (world.connect(&ada).await, world.connect(&ben).await);
    ada.mark_read(up_to(direct, message.seq)).await.unwrap();
    assert_eq!(mine.next_named("inbox_updated").await["unread_count"], 0);
    ada.block(ben.user_id()).await.unwrap();
    assert_eq!(mine.next_named("block_changed").await["blocked"], true);
    other.hears_no("inbox_updated").await;
    other.hears_no("block_changed").await;
}

async fn events_of_a_conversation_come_in_order_with_revs_of_their_own(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let mut live = world.connect(&ben).await;
    let texts: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    let sends = texts
        .iter()
        .map(|text| ada.send(SendMessage::text(direct, text.as_str())));
    futures::future::join_all(sends).await;
    let (mut last_rev, mut last_seq) = (0, None);
    for _ in 0..50 {
        let event = live.next_named("message_created").await;
        let (rev, seq) = (event["rev"].as_u64().unwrap(), event["seq"].as_u64().unwrap());
        assert!(rev > last_rev);
        assert!(last_seq.is_none_or(|last: u64| seq == last + 1), "no gap");
        (last_rev, last_seq) = (rev, Some(seq));
    }
}

async fn a_session_that_is_not_read_is_told_that_it_lagged(world: World) {
    let world = world.with_config(|config| config.limits.outbound_events = 8);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (mut stalled, mut reading) = (world.connect(&ben).await, world.connect(&ben).await);
    for i in 0..20 {
        ada.say(direct, &i.to_string()).await;
        reading.next_named("message_created").await;
    }
    let mut reason = None;
    while let Some(item) = stalled.outbound.next().await {
        if let OutboundItem::End { reason: why, .. } = item {
            reason = Some(why.as_str());
        }
    }
    assert_eq!(reason, Some("lagged"));
    assert!(stalled.session.has_ended());
    assert!(!reading.session.has_ended());
    assert_eq!(ben.unread(direct).await, 20, "nothing is lost but the hint");
}

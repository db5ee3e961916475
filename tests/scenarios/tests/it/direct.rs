//! Two users.

use chat_core::command::{Mark, Marks, OpenDirect, PageRequest, SendMessage};
use chat_core::error::ErrorCode;
use chat_core::id::ConversationId;
use chat_core::model::Seq;
use chat_core::view::Status;

use crate::world::{Chats, World, client_id, code, user_id};

for_each_store!(
    two_users_chat_and_all_numbers_agree,
    a_pair_has_one_direct_however_it_is_opened,
    a_retry_is_the_same_message,
    concurrent_retries_make_one_message,
    concurrent_sends_get_dense_seqs,
    marks_only_move_forward,
    a_stranger_sees_nothing,
    a_first_message_reads_by_policy,
);

pub(crate) fn up_to(conversation_id: ConversationId, seq: Seq) -> Marks {
    Marks {
        marks: Some(vec![Mark {
            conversation_id,
            seq: Some(seq),
        }]),
        ..Marks::default()
    }
}

async fn two_users_chat_and_all_numbers_agree(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let mut live = world.connect(&ada).await;
    let direct = ada.direct_with(&ben).await.id;
    let first = ada.say(direct, "hello").await;
    assert_eq!(first.status, Some(Status::Sent));
    assert_eq!(ben.unread(direct).await, 1);
    assert_eq!(ben.badge().await.unwrap().unread_messages, 1);
    assert_eq!(ada.unread(direct).await, 0, "one's own messages do not count");

    ben.mark_delivered(up_to(direct, first.seq)).await.unwrap();
    assert_eq!(
        ada.message(first.id).await.unwrap().status,
        Some(Status::Delivered)
    );
    ben.mark_read(up_to(direct, first.seq)).await.unwrap();
    assert_eq!(ada.message(first.id).await.unwrap().status, Some(Status::Read));
    assert_eq!(ben.unread(direct).await, 0);
    let receipts = live.next_named("receipt_updated").await;
    assert_eq!(receipts["user_id"], "ben");
    let times = ada.receipts(first.id, PageRequest::default()).await.unwrap();
    assert!(times.items[0].read_at.is_some());

    let answer = ben.say(direct, "good morning").await;
    assert_eq!(answer.seq, first.seq + 1);
    assert_eq!(ada.texts(direct).await, ["hello", "good morning"]);
    assert_eq!(ada.texts(direct).await, ben.texts(direct).await);
    let listed = ada.conversation(direct).await.unwrap();
    assert_eq!(listed.last_message.unwrap().preview, "good morning");
    assert_eq!(listed.last_seq, answer.seq);
}

async fn a_pair_has_one_direct_however_it_is_opened(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let open = |other: &str| OpenDirect {
        user_id: user_id(other),
    };
    let (a, b, c, d) = tokio::join!(
        ada.open_direct(open("ben")),
        ben.open_direct(open("ada")),
        ada.send(SendMessage::text_to(user_id("ben"), "x")),
        ben.send(SendMessage::text_to(user_id("ada"), "y")),
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    let ids = [
        a.conversation.id,
        b.conversation.id,
        c.unwrap().message.conversation_id,
        d.unwrap().message.conversation_id,
    ];
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(!(a.created && b.created));
    assert_eq!(ada.texts(ids[0]).await.len(), 2);
}

async fn a_retry_is_the_same_message(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let send = SendMessage::text(direct, "once").with_client_id(client_id("k"));
    let first = ada.send(send.clone()).await.unwrap();
    let again = ada.send(send.clone()).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.message.id, again.message.id);
    let other = SendMessage {
        text: Some("twice".to_owned()),
        ..send.clone()
    };
    assert_eq!(code(ada.send(other).await), ErrorCode::IdempotencyConflict);
    assert!(
        !ben.send(send).await.unwrap().replayed,
        "a key is its sender's own"
    );
    assert_eq!(ben.unread(direct).await, 1);
}

async fn concurrent_retries_make_one_message(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let send = SendMessage::text(direct, "race").with_client_id(client_id("race"));
    let all = futures::future::join_all((0..32).map(|_| ada.send(send.clone()))).await;
    let new = all.iter().filter(|sent| !sent.as_ref().unwrap().replayed).count();
    assert_eq!(new, 1);
    assert_eq!(ben.texts(direct).await, ["race"]);
}

async fn concurrent_sends_get_dense_seqs(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let before = ada.conversation(direct).await.unwrap().last_seq;
    let texts: Vec<String> = (0..60).map(|i| i.to_string()).collect();
    let sends = texts.iter().enumerate().map(|(i, text)| {
        let who = if i % 2 == 0 { &ada } else { &ben };
        who.say(direct, text)
    });
    let mut seqs: Vec<Seq> = futures::future::join_all(sends)
        .await
        .iter()
        .map(|m| m.seq)
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (before + 1..=before + 60).collect::<Vec<_>>());
    assert_eq!(ada.conversation(direct).await.unwrap().last_seq, before + 60);
    assert_eq!(ada.unread(direct).await, 30);
}

async fn marks_only_move_forward(world: World) {
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let (first, second) = (ada.say(direct, "1").await, ada.say(direct, "2").await);
    ben.mark_read(up_to(direct, second.seq)).await.unwrap();
    ben.mark_read(up_to(direct, first.seq)).await.unwrap();
    ben.mark_delivered(up_to(direct, first.seq)).await.unwrap();
    let my = ben.conversation(direct).await.unwrap().my;
    assert_eq!(
        (my.read_seq, my.delivered_seq, my.unread_count),
        (second.seq, second.seq, 0)
    );
    let beyond = ben.mark_read(up_to(direct, second.seq + 1)).await.unwrap();
    let refusal = serde_json::to_value(&beyond.marks[0]).unwrap();
    assert_eq!(refusal["error"]["code"], "invalid_argument");
    let back = Mark {
        conversation_id: direct,
        seq: Some(first.seq),
    };
    ben.mark_unread(back).await.unwrap();
    assert_eq!(ben.unread(direct).await, 2);
    assert_eq!(
        ada.message(second.id).await.unwrap().status,
        Some(Status::Read),
        "read stays read"
    );
}

async fn a_stranger_sees_nothing(world: World) {
    let [ada, ben, eve] = world.users(["ada", "ben", "eve"]).await;
    let direct = ada.direct_with(&ben).await.id;
    let message = ada.say(direct, "private").await;
    assert_eq!(
        code(eve.conversation(direct).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(eve.history(direct, Default::default()).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(code(eve.message(message.id).await), ErrorCode::MessageNotFound);
    assert_eq!(
        code(eve.send(SendMessage::text(direct, "x")).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(eve.members(direct, PageRequest::default()).await),
        ErrorCode::ConversationNotFound
    );
    assert_eq!(
        code(eve.receipts(message.id, PageRequest::default()).await),
        ErrorCode::MessageNotFound
    );
    let unknown = ConversationId::from_uuid(message.id.as_uuid());
    assert_eq!(
        code(eve.conversation(unknown).await),
        ErrorCode::ConversationNotFound
    );
}

async fn a_first_message_reads_by_policy(world: World) {
    let world = world.with_config(|config| config.policies.read_on_send = true);
    let [ada, ben] = world.users(["ada", "ben"]).await;
    let first = SendMessage::text_to(ben.user_id().clone(), "hi");
    let sent = ada.send(first).await.unwrap();
    let my = sent.conversation.unwrap().my;
    assert_eq!((my.read_seq, my.delivered_seq), (1, 1));
    assert_eq!(ben.unread(sent.message.conversation_id).await, 1);
}

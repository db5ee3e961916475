//! What the store sends: so many statements, however much they are about.

use crate::changes::{group, send, since};
use crate::space::{any, on, space};
use chat_conformance::fixtures::{NOW, Room, direct_conversation, member, people, user};
use chat_core::config::BlockedInGroup;
use chat_core::store::{
    Anchor, Change, ConversationStore, HistoryQuery, InboxList, InboxQuery, Needs, Target, Writes,
};
#[tokio::test]
async fn a_send_runs_as_many_statements_in_a_large_group_as_in_a_small_one() {
    let (_guard, store) = store_or_return!("send");
    for members in [10, 1_000] {
        let (id, users) = group(&store, members).await;
        let before = store.stats();
        let answers = store.commit(&[send(id, &users[1], "hello", "key-1")]).await;
        answers.unwrap().remove(0).unwrap();
        // BEGIN, lock, member, earlier send, conversation, message, COMMIT.
        assert_eq!(since(before, store.stats()), (1, 7, 0));
    }
}

#[tokio::test]
async fn a_batch_of_sends_costs_what_one_costs() {
    let (_guard, store) = store_or_return!("batch");
    let (id, users) = group(&store, 10).await;
    let (other, others) = group(&store, 3).await;
    let sends: Vec<Change> = (0..100)
        .map(|n| {
            let (room, sender) = if n % 3 == 0 {
                (other, &others[2])
            } else {
                (id, &users[1])
            };
            send(room, sender, "hello", &format!("key-{n}"))
        })
        .collect();
    let before = store.stats();
    let answers = store.commit(&sends).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(since(before, store.stats()), (1, 7, 0));
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 66);
    assert_eq!(store.conversations(&[other]).await.unwrap()[0].last_seq, 34);
}

#[tokio::test]
async fn a_long_slice_goes_in_parts() {
    let url = url_or_return!("parts");
    let (_guard, config) = space(&url);
    let store = on(&url, &config.with_batch_changes(8)).await;
    let (id, users) = group(&store, 2).await;
    let before = store.stats();
    let sends: Vec<Change> = (0..20)
        .map(|n| send(id, &users[0], "hello", &format!("key-{n}")))
        .collect();
    assert!(store.commit(&sends).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(since(before, store.stats()).0, 3);
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 20);
}

#[tokio::test]
async fn reads_are_one_statement_however_long() {
    let (_guard, store) = store_or_return!("reads");
    let [ann] = people(&any(&store), ["ann"]).await;
    let mut made = 0_usize;
    for conversations in [3, 120] {
        let mut changes = Vec::new();
        while made < conversations {
            let peer = user(&format!("peer-{made}"));
            let conversation = direct_conversation(&ann, &peer);
            let id = conversation.id;
            let rows = vec![member(id, &ann), member(id, &peer)];
            changes.push(Change::new(Needs::new(Target::Conversation(id)), move |_| {
                Ok(Writes {
                    conversation: Some(conversation.clone()),
                    members: rows.clone(),
                    ..Writes::default()
                })
            }));
            changes.push(send(id, &peer, "hello", "key"));
            made += 1;
        }
        assert!(store.commit(&changes).await.unwrap().iter().all(Result::is_ok));
        let query = InboxQuery {
            user: ann.clone(),
            now: NOW,
            blocked_in_group: BlockedInGroup::default(),
            list: Some(InboxList {
                limit: 50,
                ..InboxList::default()
            }),
            ids: Vec::new(),
        };
        let before = store.stats();
        let page = store.inbox(&query).await.unwrap();
        assert_eq!(page.len(), conversations.min(50));
        assert!(page.iter().all(|entry| entry.unread_count == 1));
        assert_eq!(since(before, store.stats()), (0, 0, 1));
        let before = store.stats();
        let badge = store.badge(&ann, NOW, BlockedInGroup::default()).await.unwrap();
        assert_eq!(badge.unread_messages, u64::try_from(conversations).unwrap());
        assert_eq!(since(before, store.stats()), (0, 0, 1));
    }
}

#[tokio::test]
async fn a_page_of_history_is_one_statement() {
    let (_guard, store) = store_or_return!("history");
    let (id, users) = group(&store, 3).await;
    let room = Room {
        store: any(&store),
        id,
    };
    room.chatter(&users[0], 30).await;
    let viewer = room.viewer(&users[1]).await;
    for anchor in [
        Anchor::Newest,
        Anchor::Before(20),
        Anchor::After(5),
        Anchor::Around(10),
    ] {
        let query = HistoryQuery {
            viewer: viewer.clone(),
            anchor,
            limit: 5,
            kind: None,
        };
        let before = store.stats();
        assert_eq!(room.store.history(&query).await.unwrap().messages.len(), 5);
        assert_eq!(since(before, store.stats()), (0, 0, 1), "{anchor:?}");
    }
}

//! What calls cost: commands to the server, whatever the size of conversations and batches.

use chat_conformance::fixtures::{NOW, Room, direct_conversation, people, user};
use chat_core::config::BlockedInGroup;
use chat_core::store::{Anchor, BlockStore, Change, ConversationStore, HistoryQuery, InboxList, InboxQuery};
use chat_mongodb::{MongoConfig, MongoStats};

use crate::changes::{any, create, group, send};
use crate::space::{on, open, space};
use crate::there_or_return;

/// Commits, writing commands and reading commands since.
fn since(before: MongoStats, after: MongoStats) -> (u64, u64, u64) {
    (
        after.commits - before.commits,
        after.writes - before.writes,
        after.reads - before.reads,
    )
}

/// Slot, conversation, message, slot; read: conversation, member, earlier send, sender, whether the place and the id are free.
const ONE_SEND: (u64, u64, u64) = (1, 4, 6);

#[tokio::test]
async fn a_send_runs_as_many_commands_in_a_large_group_as_in_a_small_one() {
    let (_space, store) = there_or_return!(open().await, "send");
    for members in [10, 1_000] {
        let (id, users) = group(&store, members).await;
        let before = store.stats();
        let answers = store.commit(&[send(id, &users[1], "hello", "key-1")]).await;
        answers.unwrap().remove(0).unwrap();
        assert_eq!(since(before, store.stats()), ONE_SEND);
    }
}

#[tokio::test]
async fn a_batch_of_sends_costs_what_one_costs() {
    let (_space, store) = there_or_return!(open().await, "batch");
    let (id, users) = group(&store, 10).await;
    let (other, others) = group(&store, 3).await;
    let sends: Vec<Change> = (0..100)
        .map(|n| match n % 3 {
            0 => send(other, &others[2], "hello", &format!("key-{n}")),
            _ => send(id, &users[1], "hello", &format!("key-{n}")),
        })
        .collect();
    let before = store.stats();
    let answers = store.commit(&sends).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(since(before, store.stats()), ONE_SEND);
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 66);
    assert_eq!(store.conversations(&[other]).await.unwrap()[0].last_seq, 34);
}

#[tokio::test]
async fn a_long_slice_goes_in_parts() {
    let space = there_or_return!(space().await, "parts");
    let store = on(&space.database, MongoConfig::default().with_batch_changes(8)).await;
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
async fn a_list_takes_as_many_commands_however_long() {
    let (_space, store) = there_or_return!(open().await, "lists");
    let [ann] = people(&any(&store), ["ann"]).await;
    let mut made = 0_usize;
    for conversations in [3, 90] {
        let mut changes = Vec::new();
        while made < conversations {
            let peer = user(&format!("peer-{made}"));
            let conversation = direct_conversation(&ann, &peer);
            let id = conversation.id;
            changes.push(create(conversation, &[ann.clone(), peer.clone()]));
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
        // Slot, memberships, conversations; hides, blocks, counts; newest messages with hides and blocks.
        assert_eq!(since(before, store.stats()), (0, 0, 9));
        let before = store.stats();
        let badge = store.badge(&ann, NOW, BlockedInGroup::default()).await.unwrap();
        assert_eq!(badge.unread_messages, u64::try_from(conversations).unwrap());
        assert_eq!(since(before, store.stats()), (0, 0, 6));
    }
}

#[tokio::test]
async fn a_page_of_history_takes_a_few_commands_however_long_the_conversation() {
    let (_space, store) = there_or_return!(open().await, "history");
    let (id, users) = group(&store, 3).await;
    let room = Room {
        store: any(&store),
        id,
    };
    room.chatter(&users[0], 30).await;
    let viewer = room.viewer(&users[1]).await;
    // The slot, and for each side of the page its messages with hides and blocks.
    for (anchor, reads) in [
        (Anchor::Newest, 4),
        (Anchor::Before(20), 7),
        (Anchor::After(5), 7),
        (Anchor::Around(10), 7),
    ] {
        let query = HistoryQuery {
            viewer: viewer.clone(),
            anchor,
            limit: 5,
            kind: None,
        };
        let before = store.stats();
        assert_eq!(room.store.history(&query).await.unwrap().messages.len(), 5);
        assert_eq!(since(before, store.stats()), (0, 0, reads), "{anchor:?}");
    }
}

/// More than a few unread messages are counted along an index, and by the same rules.
#[tokio::test]
async fn many_unread_messages_are_counted_as_a_few_are() {
    let (_space, store) = there_or_return!(open().await, "many unread");
    let (id, users) = group(&store, 3).await;
    let [reader] = people(&any(&store), [users[1].as_str()]).await;
    let sends: Vec<Change> = (0..250)
        .map(|n| send(id, &users[n % 3], "hello", &format!("key-{n}")))
        .collect();
    assert!(store.commit(&sends).await.unwrap().iter().all(Result::is_ok));
    let query = InboxQuery {
        user: reader.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        list: None,
        ids: vec![id],
    };
    let entry = store.inbox(&query).await.unwrap().remove(0);
    // A third, of 84, 83 and 83, is his own.
    assert_eq!((entry.unread_count, entry.first_unread_seq), (167, Some(1)));
    store.set_block(&reader, &users[0], true, NOW).await.unwrap();
    let entry = store.inbox(&query).await.unwrap().remove(0);
    assert_eq!((entry.unread_count, entry.first_unread_seq), (83, Some(3)));
}

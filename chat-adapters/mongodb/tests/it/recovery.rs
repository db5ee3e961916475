//! Writers that end in the middle, late ones, and several at once.

use chat_conformance::fixtures::{Room, at, people, user};
use chat_core::error::BackendErrorKind;
use chat_core::store::{
    Anchor, BlockStore, Change, ConversationStore, Needs, Purge, Target, UserStore, Writes,
};
use chat_mongodb::MongoConfig;
use futures::future::join_all;
use mongodb::bson::{Document, doc};

use crate::changes::{any, group, send};
use crate::space::{on, open, space};
use crate::there_or_return;

/// What a writer leaves that ends right after its commit was decided is finished by whoever reads next, and the next
/// commit comes after it.
#[tokio::test]
async fn an_unfinished_commit_is_finished_by_the_next_reader() {
    let (space, store) = there_or_return!(open().await, "unfinished");
    let [ann, bob] = people(&any(&store), ["ann", "bob"]).await;
    assert_eq!(store.set_block(&ann, &bob, true, at(1)).await.unwrap(), Some(1));
    let state = space.database.collection::<Document>("chat_state");
    let slot = state.find_one(doc! { "_id": "slot" }).await.unwrap().unwrap();
    let number = slot.get_i64("no").unwrap();
    let steps = vec![
        doc! { "n": number + 1, "k": "set", "c": "users", "i": ann.as_str(), "f": { "user_rev": 2_i64 } },
        doc! { "n": number + 2, "k": "bury", "c": "blocks", "i": format!("{ann}\n{bob}"), "f": {} },
    ];
    let left = doc! { "$set": { "no": number + 2, "pending": true, "steps": steps } };
    state.update_one(doc! { "_id": "slot" }, left).await.unwrap();
    assert!(store.blocks_of(&ann).await.unwrap().blocked.is_empty());
    assert_eq!(
        store.users(std::slice::from_ref(&ann)).await.unwrap()[0].user_rev,
        2
    );
    let slot = state.find_one(doc! { "_id": "slot" }).await.unwrap().unwrap();
    assert!(!slot.get_bool("pending").unwrap());
    assert!(!slot.contains_key("steps"), "what was written stays in the slot");
    assert_eq!(store.set_block(&ann, &bob, true, at(2)).await.unwrap(), Some(3));
}

/// A writer that was taken for dead and goes on changes nothing: neither what later commits wrote nor what they buried.
#[tokio::test]
async fn a_late_writer_changes_nothing() {
    let (space, store) = there_or_return!(open().await, "late");
    let (id, users) = group(&store, 2).await;
    let room = Room {
        store: any(&store),
        id,
    };
    let first = room.say(&users[0], "first").await;
    let second = room.say(&users[0], "second").await;
    let messages = space.database.collection::<Document>("chat_messages");
    let old: Vec<Document> = {
        use futures::TryStreamExt;
        messages
            .find(doc! { "seq": { "$exists": true } })
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap()
    };
    assert_eq!(old.len(), 2);
    room.edit(&second, |message| message.text = "edited".to_owned())
        .await;
    let purge = Change::new(Needs::new(Target::Conversation(id)), move |facts| {
        let mut conversation = facts.conversation.clone().unwrap();
        conversation.horizon.first_seq = 2;
        Ok(Writes {
            conversation: Some(conversation),
            purge: Some(Purge {
                conversation_id: id,
                below: 2,
            }),
            ..Writes::default()
        })
    });
    store.commit(&[purge]).await.unwrap().remove(0).unwrap();
    // The same commands again.
    for document in old {
        let (key, number) = (
            document.get("_id").cloned().unwrap(),
            document.get_i64("no").unwrap(),
        );
        let late = doc! { "q": { "_id": key, "no": { "$lt": number } }, "u": document, "upsert": true };
        let update = doc! { "update": "chat_messages", "updates": [late], "ordered": false };
        space.database.run_command(update).await.unwrap();
    }
    let page = room.history(&users[1], Anchor::After(0), 10).await.messages;
    let texts: Vec<_> = page.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["edited"]);
    assert!(room.store.messages(&[first.id]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_a_conversation_without_gaps() {
    let space = there_or_return!(space().await, "nodes");
    let first = on(&space.database, MongoConfig::default()).await;
    let second = on(&space.database, MongoConfig::default()).await;
    let (id, users) = group(&first, 2).await;
    let sends = (0..60).map(|n| {
        let store = if n % 2 == 0 { &first } else { &second };
        let (store, sender) = (store.clone(), users[n % 2].clone());
        tokio::spawn(async move {
            let change = send(id, &sender, "hello", &format!("key-{n}"));
            store.commit(&[change]).await.unwrap().remove(0).unwrap();
        })
    });
    for sent in join_all(sends).await {
        sent.unwrap();
    }
    let row = second.conversations(&[id]).await.unwrap().remove(0);
    assert_eq!((row.last_seq, row.rev), (60, 61));
}

/// A block on one node is seen by every change on another that starts after it was answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_on_one_node_is_seen_on_the_other() {
    let space = there_or_return!(space().await, "block");
    let first = on(&space.database, MongoConfig::default()).await;
    let second = on(&space.database, MongoConfig::default()).await;
    let [ann, bob] = people(&any(&first), ["ann", "bob"]).await;
    let (id, _) = group(&first, 2).await;
    for round in 0..5 {
        let on = round % 2 == 0;
        first.set_block(&ann, &bob, on, at(round)).await.unwrap();
        let mut needs = Needs::new(Target::Conversation(id));
        needs.blocks = Some((bob.clone(), vec![ann.clone()]));
        let (blocker, blocked) = (ann.clone(), bob.clone());
        let sees = Change::new(needs, move |facts| {
            assert_eq!(facts.is_blocked(&blocker, &blocked), on);
            Ok(Writes::none())
        });
        second.commit(&[sees]).await.unwrap().remove(0).unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_has_done_what_was_queued_and_refuses_the_rest() {
    let (_space, store) = there_or_return!(open().await, "close");
    let (id, users) = group(&store, 2).await;
    let (first, closing) = (store.clone(), store.clone());
    let change = send(id, &users[0], "queued", "key-1");
    let queued = tokio::spawn(async move { first.commit(&[change]).await });
    tokio::task::yield_now().await;
    closing.close().await;
    queued.await.unwrap().unwrap().remove(0).unwrap();
    let refused = store
        .commit(&[send(id, &users[0], "late", "key-2")])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), BackendErrorKind::Unavailable);
    assert_eq!(store.conversations(&[id]).await.unwrap()[0].last_seq, 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let space = there_or_return!(space().await, "queue");
    let store = on(&space.database, MongoConfig::default().with_queued_writes(1)).await;
    let [ann] = people(&any(&store), ["ann"]).await;
    let calls = (0..20).map(|n| {
        let (store, ann) = (store.clone(), ann.clone());
        async move {
            store
                .set_block(&ann, &user(&format!("user-{n}")), true, at(1))
                .await
        }
    });
    let answers = join_all(calls).await;
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(
        refused
            .clone()
            .all(|error| error.kind() == BackendErrorKind::Unavailable)
    );
    assert!(refused.count() > 0);
    let done = u64::try_from(answers.iter().filter(|answer| answer.is_ok()).count()).unwrap();
    assert_eq!(store.users(&[ann]).await.unwrap()[0].user_rev, done);
}

//! Cases for [`BlockStore`](chat_core::store::BlockStore).

use chat_core::id::UserId;
use chat_core::store::{BlockChange, Blocks};

use crate::fixtures::{AnyStore, Room, at, people, see, user};

fn sorted(mut blocks: Blocks) -> Blocks {
    blocks.blocked.sort();
    blocks.blocked_by.sort();
    blocks
}

async fn user_rev(store: &AnyStore, id: &UserId) -> u64 {
    store.users(std::slice::from_ref(id)).await.unwrap()[0].user_rev
}

/// Blocking and unblocking move the blocker's `user_rev`; repeating either changes nothing.
pub async fn blocking_is_idempotent(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let set = async |on| store.set_block(&ann, &bob, on, at(1)).await.unwrap();
    assert_eq!(set(false).await, None);
    assert_eq!(set(true).await, Some(1));
    assert_eq!(set(true).await, None);
    assert_eq!(user_rev(&store, &ann).await, 1);
    assert_eq!(set(false).await, Some(2));
    assert_eq!(set(false).await, None);
    assert_eq!(set(true).await, Some(3));
    assert_eq!(user_rev(&store, &ann).await, 3);
    assert_eq!(user_rev(&store, &bob).await, 0, "the blocked one learns nothing");
}

/// Of concurrent calls to block the same user exactly one changes something.
pub async fn concurrent_blocks_change_once(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let calls = (0..12).map(|n| {
        let (store, ann, bob) = (store.clone(), ann.clone(), bob.clone());
        tokio::spawn(async move { store.set_block(&ann, &bob, true, at(n)).await.unwrap() })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let changed = answers.into_iter().filter_map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(changed, [1]);
    assert_eq!(user_rev(&store, &ann).await, 1);
}

/// Concurrent blocks of different users each get a `user_rev` of their own.
pub async fn concurrent_blocks_share_no_user_rev(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let calls = (0..12).map(|n| {
        let (store, ann) = (store.clone(), ann.clone());
        tokio::spawn(async move {
            let other = user(&format!("u{n}"));
            store.set_block(&ann, &other, true, at(n)).await.unwrap()
        })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let mut revs: Vec<u64> = answers.into_iter().filter_map(Result::unwrap).collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=12).collect::<Vec<_>>());
}

/// The block list comes in order of id, a page at a time, without lifted blocks.
pub async fn the_block_list_is_paged_by_id(store: AnyStore) {
    let [ann, bob, cid, dan, eve] = people(&store, ["ann", "bob", "cid", "dan", "eve"]).await;
    for other in [&eve, &bob, &dan, &cid] {
        store.set_block(&ann, other, true, at(1)).await.unwrap();
    }
    store.set_block(&ann, &dan, false, at(2)).await.unwrap();
    store.set_block(&bob, &ann, true, at(2)).await.unwrap();
    let all = [bob, cid, eve];
    assert_eq!(store.blocked_users(&ann, None, 9).await.unwrap(), all);
    assert_eq!(store.blocked_users(&ann, None, 2).await.unwrap(), all[..2]);
    let rest = store.blocked_users(&ann, Some(&all[1]), 9).await.unwrap();
    assert_eq!(rest, all[2..]);
}

/// Block relations are told both ways, among some or with everybody.
pub async fn relations_are_told_both_ways(store: AnyStore) {
    let [ann, bob, cid, dan] = people(&store, ["ann", "bob", "cid", "dan"]).await;
    for (blocker, blocked) in [
        (&ann, &bob),
        (&cid, &ann),
        (&ann, &dan),
        (&dan, &ann),
        (&bob, &cid),
    ] {
        store.set_block(blocker, blocked, true, at(1)).await.unwrap();
    }
    let all = Blocks {
        blocked: vec![bob.clone(), dan.clone()],
        blocked_by: vec![cid.clone(), dan.clone()],
    };
    assert_eq!(sorted(store.blocks_of(&ann).await.unwrap()), all);
    let among = store
        .blocks_among(&ann, &[dan.clone(), cid.clone()])
        .await
        .unwrap();
    let expected = Blocks {
        blocked: vec![dan.clone()],
        blocked_by: vec![cid.clone(), dan],
    };
    assert_eq!(sorted(among), expected);
    assert!(!store.blocks_among(&ann, &[]).await.unwrap().any());
    store.set_block(&cid, &ann, false, at(2)).await.unwrap();
    assert!(!store.blocks_among(&ann, &[cid]).await.unwrap().any());
}

/// The log of the block list tells the last change of each entry after a `user_rev`.
pub async fn block_changes_tell_the_last_change_of_each(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    store.set_block(&ann, &bob, true, at(1)).await.unwrap();
    store.set_block(&ann, &cid, true, at(2)).await.unwrap();
    store.set_block(&ann, &bob, false, at(3)).await.unwrap();
    let changes = async |since| {
        let mut changes = store.block_changes(&ann, since).await.unwrap();
        changes.sort_by(|a, b| a.user.cmp(&b.user));
        changes
    };
    let lifted = BlockChange {
        user: bob.clone(),
        blocked: false,
    };
    let stands = BlockChange {
        user: cid,
        blocked: true,
    };
    assert_eq!(changes(0).await, [lifted.clone(), stands.clone()]);
    assert_eq!(changes(1).await, [lifted.clone(), stands]);
    assert_eq!(changes(2).await, [lifted]);
    assert!(changes(3).await.is_empty());
    assert!(store.block_changes(&bob, 0).await.unwrap().is_empty());
}

/// Somebody the store never met can be blocked.
pub async fn a_stranger_can_be_blocked(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let stranger = user("stranger");
    assert_eq!(
        store.set_block(&ann, &stranger, true, at(1)).await.unwrap(),
        Some(1)
    );
    assert_eq!(store.blocked_users(&ann, None, 9).await.unwrap(), [stranger]);
}

/// A change whose commit starts after a block was answered sees the new relation.
pub async fn a_commit_sees_every_answered_block(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::direct(&store, &ann, &bob).await;
    let noise: Vec<_> = (0..4)
        .map(|_| {
            let (room, bob) = (room.clone(), bob.clone());
            tokio::spawn(async move { room.chatter(&bob, 10).await })
        })
        .collect();
    for round in 0..10 {
        let on = round % 2 == 0;
        store.set_block(&ann, &bob, on, at(round)).await.unwrap();
        let mut needs = room.needs();
        needs.blocks = Some((bob.clone(), vec![ann.clone()]));
        let facts = see(&store, needs).await;
        assert_eq!(facts.is_blocked(&ann, &bob), on);
        assert!(!facts.is_blocked(&bob, &ann));
    }
    for task in noise {
        task.await.unwrap();
    }
    assert_eq!(room.row().await.last_seq, 40);
}

//! Cases for [`MuteStore`](chat_core::store::MuteStore).

use chat_core::id::UserId;
use chat_core::model::Muted;
use chat_core::store::{MuteChange, UserMute};

use crate::fixtures::{AnyStore, NOW, at, people, user};

const FOREVER: Option<Muted> = Some(Muted::Forever);

fn mute(user: &UserId, until: Muted) -> UserMute {
    UserMute {
        user: user.clone(),
        until,
    }
}

/// Muting and lifting move the `user_rev` of the one who mutes; setting what is set changes nothing.
pub async fn muting_is_idempotent(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let set = async |until| store.set_mute(&ann, &bob, until).await.unwrap();
    let hour = Some(Muted::Until(at(3_600)));
    for (until, expected) in [
        (None, None),
        (hour, Some(1)),
        (hour, None),
        (FOREVER, Some(2)),
        (FOREVER, None),
        (None, Some(3)),
        (None, None),
        (hour, Some(4)),
    ] {
        assert_eq!(set(until).await, expected, "{until:?}");
        assert_eq!(store.mute_of(&ann, &bob).await.unwrap(), until);
    }
    let revs = async |id: &UserId| store.users(std::slice::from_ref(id)).await.unwrap()[0].user_rev;
    assert_eq!(revs(&ann).await, 4);
    assert_eq!(revs(&bob).await, 0, "the muted one learns nothing");
    assert_eq!(store.mute_of(&bob, &ann).await.unwrap(), None);
    let nobody = user("nobody");
    assert_eq!(store.set_mute(&nobody, &bob, FOREVER).await.unwrap(), None);
    assert_eq!(store.mute_of(&nobody, &bob).await.unwrap(), None);
}

/// The list comes in order of id, a page at a time, without lifted and lapsed mutes.
pub async fn the_mute_list_holds_what_stands(store: AnyStore) {
    let [ann, bob, cid, dan, eve] = people(&store, ["ann", "bob", "cid", "dan", "eve"]).await;
    let just_over = Muted::Until(at(100));
    let just_standing = Muted::Until(at(101));
    for (other, until) in [
        (&eve, just_standing),
        (&bob, Muted::Forever),
        (&dan, just_over),
        (&cid, Muted::Forever),
    ] {
        store.set_mute(&ann, other, Some(until)).await.unwrap();
    }
    store.set_mute(&bob, &ann, FOREVER).await.unwrap();
    let list =
        async |now, after: Option<&UserId>, limit| store.muted_users(&ann, now, after, limit).await.unwrap();
    let all = [
        mute(&bob, Muted::Forever),
        mute(&cid, Muted::Forever),
        mute(&eve, just_standing),
    ];
    assert_eq!(list(at(100), None, 9).await, all);
    assert_eq!(list(at(100), None, 2).await, all[..2]);
    assert_eq!(list(at(100), Some(&cid), 9).await, all[2..]);
    assert_eq!(list(NOW, None, 9).await, all[..2]);
    assert_eq!(list(at(99), None, 9).await.len(), 4);
    store.set_mute(&ann, &cid, None).await.unwrap();
    assert_eq!(list(NOW, None, 9).await, all[..1]);
}

/// Concurrent mutes of different users each get a `user_rev` of their own.
pub async fn concurrent_mutes_share_no_user_rev(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let calls = (0..12).map(|n| {
        let (store, ann) = (store.clone(), ann.clone());
        tokio::spawn(async move {
            let other = user(&format!("u{n}"));
            store.set_mute(&ann, &other, FOREVER).await.unwrap()
        })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let mut revs: Vec<u64> = answers.into_iter().filter_map(Result::unwrap).collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=12).collect::<Vec<_>>());
}

/// The log of the list tells the last change of each entry after a `user_rev`.
pub async fn mute_changes_tell_the_last_change_of_each(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    store.set_mute(&ann, &bob, FOREVER).await.unwrap();
    store
        .set_mute(&ann, &cid, Some(Muted::Until(at(1))))
        .await
        .unwrap();
    store.set_mute(&ann, &bob, None).await.unwrap();
    let changes = async |since| store.mute_changes(&ann, since).await.unwrap();
    let stands = MuteChange {
        user: cid,
        until: Some(Muted::Until(at(1))),
    };
    let lifted = MuteChange {
        user: bob.clone(),
        until: None,
    };
    assert_eq!(changes(0).await, [stands.clone(), lifted.clone()]);
    assert_eq!(changes(1).await, [stands, lifted.clone()]);
    assert_eq!(changes(2).await, [lifted]);
    assert!(changes(3).await.is_empty());
    assert!(store.mute_changes(&bob, 0).await.unwrap().is_empty());
}

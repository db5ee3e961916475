//! Cases for [`StarStore`](chat_core::store::StarStore).

use chat_core::config::BlockedInGroup::{self, Collapse, Hide};
use chat_core::id::{MessageId, UserId};
use chat_core::model::{Message, Star};
use chat_core::store::{Purge, StarChange, StarOutcome, StarredQuery, Writes};
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, Dice, NOW, RandomRoom, Room, at, people, text, user};

const CAP: usize = 100;

fn star(user: &UserId, message: &Message) -> Star {
    Star {
        user_id: user.clone(),
        conversation_id: message.conversation_id,
        message_id: message.id,
        seq: message.seq,
    }
}

async fn set(store: &AnyStore, user: &UserId, message: &Message, on: bool) -> StarOutcome {
    store.set_star(&star(user, message), on, CAP).await.unwrap()
}

fn query(user: &UserId, now: Timestamp, blocked_in_group: BlockedInGroup) -> StarredQuery {
    StarredQuery {
        user: user.clone(),
        now,
        blocked_in_group,
        conversation: None,
        after: None,
        limit: CAP,
    }
}

async fn listed(store: &AnyStore, query: &StarredQuery) -> Vec<MessageId> {
    let starred = store.starred(query).await.unwrap();
    starred.into_iter().map(|starred| starred.message.id).collect()
}

async fn user_rev(store: &AnyStore, id: &UserId) -> u64 {
    store.users(std::slice::from_ref(id)).await.unwrap()[0].user_rev
}

/// Starring and taking the star off move the user's `user_rev`; repeating either changes nothing.
pub async fn starring_is_idempotent(store: AnyStore) {
    use StarOutcome::{Changed, Unchanged};
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let message = room.say(&ann, "x").await;
    for (on, outcome) in [
        (false, Unchanged),
        (true, Changed(1)),
        (true, Unchanged),
        (false, Changed(2)),
        (false, Unchanged),
        (true, Changed(3)),
    ] {
        assert_eq!(set(&store, &ann, &message, on).await, outcome);
    }
    assert_eq!(user_rev(&store, &ann).await, 3);
    let stranger = user("stranger");
    assert_eq!(set(&store, &stranger, &message, true).await, Unchanged);
    let starred = store.starred_among(&stranger, &[message.id]).await.unwrap();
    assert!(starred.is_empty());
}

/// Everybody has stars of his own; events for many learn who has starred a message.
pub async fn stars_are_private(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let m = room.chatter(&ann, 3).await;
    set(&store, &ann, &m[0], true).await;
    set(&store, &ann, &m[1], true).await;
    set(&store, &bob, &m[1], true).await;
    set(&store, &ann, &m[0], false).await;
    let ids: Vec<MessageId> = m.iter().map(|message| message.id).collect();
    assert_eq!(store.starred_among(&ann, &ids).await.unwrap(), [ids[1]]);
    assert!(store.starred_among(&bob, &ids[..1]).await.unwrap().is_empty());
    let mut by = store.personal_facts(ids[1]).await.unwrap().starred_by;
    by.sort_unstable();
    assert_eq!(by, [ann.clone(), bob.clone()]);
    assert!(store.personal_facts(ids[0]).await.unwrap().starred_by.is_empty());
    assert_eq!(user_rev(&store, &bob).await, 1);
    assert_eq!(listed(&store, &query(&bob, NOW, Collapse)).await, [ids[1]]);
}

/// Of one user's stars no more stand than the cap says, however concurrent the calls.
pub async fn no_more_stars_than_the_cap(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let m = room.chatter(&ann, 8).await;
    let calls = m.iter().map(|message| {
        let (store, star) = (store.clone(), star(&ann, message));
        tokio::spawn(async move { store.set_star(&star, true, 3).await.unwrap() })
    });
    let outcomes = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let full = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(StarOutcome::Full)));
    assert_eq!(full.count(), 5);
    assert_eq!(user_rev(&store, &ann).await, 3);
    let standing = listed(&store, &query(&ann, NOW, Collapse)).await;
    assert_eq!(standing.len(), 3);
    let freed = m.iter().find(|message| message.id == standing[0]).unwrap();
    set(&store, &ann, freed, false).await;
    let again = store.set_star(&star(&ann, freed), true, 3).await.unwrap();
    assert_eq!(again, StarOutcome::Changed(5));
    let other = store.set_star(&star(&bob, freed), true, 1).await.unwrap();
    assert_eq!(other, StarOutcome::Changed(1));
}

/// Concurrent stars of one user each get a `user_rev` of their own, blocks too.
pub async fn concurrent_stars_share_no_user_rev(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let m = room.chatter(&ann, 8).await;
    let calls = m.iter().enumerate().map(|(n, message)| {
        let (store, ann, bob, message) = (store.clone(), ann.clone(), bob.clone(), message.clone());
        tokio::spawn(async move {
            set(&store, &ann, &message, true).await;
            if n == 0 {
                store.set_block(&ann, &bob, true, at(1)).await.unwrap();
            }
        })
    });
    for call in futures::future::join_all(calls.collect::<Vec<_>>()).await {
        call.unwrap();
    }
    assert_eq!(user_rev(&store, &ann).await, 9);
    let starred = store.starred(&query(&ann, NOW, Collapse)).await.unwrap();
    assert!(starred.is_sorted_by(|a, b| a.user_rev > b.user_rev));
}

/// The newest star comes first, in pages, in one conversation or in all; what one does not see is passed over.
pub async fn starred_messages_come_newest_star_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let (here, there) = (
        Room::group(&store, &[&ann, &bob]).await,
        Room::direct(&store, &ann, &bob).await,
    );
    let mut m = here.chatter(&bob, 4).await;
    m.extend(there.chatter(&bob, 2).await);
    let gone = Message {
        expires_at: Some(at(1)),
        ..text(&bob, "gone by now")
    };
    m.push(here.send(gone).await);
    for place in [2, 6, 4, 0, 5, 1, 3] {
        set(&store, &ann, &m[place], true).await;
    }
    let all = query(&ann, NOW, Collapse);
    let ids = |places: &[usize]| places.iter().map(|place| m[*place].id).collect::<Vec<_>>();
    assert_eq!(listed(&store, &all).await, ids(&[3, 1, 5, 0, 4, 2]));
    let first = StarredQuery {
        limit: 2,
        ..all.clone()
    };
    let page = store.starred(&first).await.unwrap();
    assert_eq!(page[0].message, here.message(m[3].id).await);
    assert_eq!(page[0].user_rev, 7);
    let rest = StarredQuery {
        after: page.last().map(|starred| starred.user_rev),
        ..all.clone()
    };
    assert_eq!(listed(&store, &rest).await, ids(&[5, 0, 4, 2]));
    let only = StarredQuery {
        conversation: Some(there.id),
        ..all.clone()
    };
    assert_eq!(listed(&store, &only).await, ids(&[5, 4]));
    here.delete(&m[1]).await;
    here.hide(&ann, &m[3]).await;
    there.set_private(&ann, |member| member.visible_from = 2).await;
    assert_eq!(listed(&store, &all).await, ids(&[5, 0, 2]));
    set(&store, &ann, &m[2], false).await;
    set(&store, &ann, &m[2], true).await;
    assert_eq!(listed(&store, &all).await, ids(&[2, 5, 0]), "starred anew");
    here.leave(&ann).await;
    assert_eq!(listed(&store, &all).await, ids(&[5]));
}

/// The log of stars tells the last change of each after a `user_rev`, the newest first.
pub async fn star_changes_tell_the_last_change_of_each(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let m = room.chatter(&ann, 2).await;
    set(&store, &ann, &m[0], true).await;
    set(&store, &ann, &m[1], true).await;
    set(&store, &ann, &m[0], false).await;
    let off = StarChange {
        star: star(&ann, &m[0]),
        starred: false,
        user_rev: 3,
    };
    let on = StarChange {
        star: star(&ann, &m[1]),
        starred: true,
        user_rev: 2,
    };
    let changes = async |since, limit| store.star_changes(&ann, since, limit).await.unwrap();
    assert_eq!(changes(0, 9).await, [off.clone(), on.clone()]);
    assert_eq!(changes(1, 9).await, [off.clone(), on]);
    assert_eq!(changes(0, 1).await, std::slice::from_ref(&off));
    assert_eq!(changes(2, usize::MAX).await, [off]);
    assert!(changes(3, 9).await.is_empty());
    assert!(store.star_changes(&bob, 0, 9).await.unwrap().is_empty());
}

/// A purge takes stars on its messages along, and no others.
pub async fn a_purge_takes_stars_along(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let m = room.chatter(&ann, 3).await;
    for message in &m {
        set(&store, &ann, message, true).await;
    }
    let id = room.id;
    room.decide(room.needs(), move |facts| Writes {
        conversation: facts.conversation.clone(),
        purge: Some(Purge {
            conversation_id: id,
            below: 3,
        }),
        ..Writes::none()
    })
    .await;
    let left = store.star_changes(&ann, 0, 9).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].star, star(&ann, &m[2]));
}

/// The starred messages a user sees are those a naive reader takes from the rows, over random pasts and policies.
pub async fn starred_messages_equal_a_naive_reading(store: AnyStore) {
    let random = RandomRoom::new(&store, 11, 200).await;
    let messages = random.messages().await;
    let mut dice = Dice::new(12);
    let mut seen = 0;
    for user in &random.users {
        let mut order: Vec<MessageId> = Vec::new();
        for _ in 0..40 {
            let message = dice.pick(&messages);
            let on = dice.throw(4) > 0;
            if let StarOutcome::Changed(_) = set(&store, user, message, on).await {
                order.retain(|id| *id != message.id);
                if on {
                    order.insert(0, message.id);
                }
            }
        }
        for (now, policy) in [(at(60), Collapse), (NOW, Hide)] {
            let eye = random.eye(user, now, policy).await;
            let visible = |id: &&MessageId| messages.iter().any(|m| m.id == **id && eye.sees(m));
            let expected: Vec<MessageId> = order.iter().filter(visible).copied().collect();
            seen += expected.len();
            assert_eq!(
                listed(&store, &query(user, now, policy)).await,
                expected,
                "{user}"
            );
        }
    }
    assert!(seen > 0, "some are seen");
}

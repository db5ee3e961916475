//! Cases for lists of conversations and their totals: order, pages, filters, names, badge.

use chat_core::config::BlockedInGroup;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::{MemberState, Message, Muted, NewUser, UserPatch};
use chat_core::store::{Badge, InboxFilter, InboxKey, InboxList, InboxQuery};
use chat_core::text::fold;
use chat_core::time::Timestamp;

use crate::fixtures::{AnyStore, NOW, Room, at, people, text, user};

async fn list(store: &AnyStore, user: &UserId, list: InboxList, now: Timestamp) -> Vec<ConversationId> {
    let query = InboxQuery {
        user: user.clone(),
        now,
        blocked_in_group: BlockedInGroup::default(),
        list: Some(list),
        ids: Vec::new(),
    };
    let entries = store.inbox(&query).await.unwrap();
    entries.into_iter().map(|entry| entry.conversation.id).collect()
}

async fn filtered(
    store: &AnyStore,
    user: &UserId,
    filter: InboxFilter,
    now: Timestamp,
) -> Vec<ConversationId> {
    let wanted = InboxList {
        filter,
        limit: 100,
        ..InboxList::default()
    };
    list(store, user, wanted, now).await
}

async fn by_name(store: &AnyStore, user: &UserId, typed: &str) -> Vec<ConversationId> {
    let wanted = InboxList {
        name: Some(fold(typed)),
        limit: 100,
        ..InboxList::default()
    };
    list(store, user, wanted, NOW).await
}

/// A group whose latest activity was at that time.
async fn active_at(store: &AnyStore, users: &[&UserId], seconds: u64) -> Room {
    Room::group_like(store, users, move |c| c.last_activity_at = at(seconds)).await
}

async fn named(store: &AnyStore, users: &[&UserId], name: &str) -> Room {
    let name = name.to_owned();
    Room::group_like(store, users, move |c| c.name = Some(name)).await
}

/// Pinned conversations come first, then those with the latest activity, then those with the higher id.
pub async fn lists_are_in_order(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = Vec::new();
    for seconds in [5, 1, 3, 3, 3, 9, 2] {
        rooms.push((seconds, active_at(&store, &[&ann, &bob], seconds).await));
    }
    for (n, pinned) in [(1, 100), (2, 50)] {
        let (_, room) = &rooms[n];
        room.set_private(&ann, move |m| m.pinned_at = Some(at(pinned)))
            .await;
    }
    rooms[0].1.set_private(&bob, |m| m.pinned_at = Some(at(1))).await;
    let pinned = [rooms[1].1.id, rooms[2].1.id];
    let mut expected: Vec<_> = rooms
        .iter()
        .map(|(seconds, room)| (pinned.contains(&room.id), *seconds, room.id))
        .collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let expected: Vec<_> = expected.into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(filtered(&store, &ann, InboxFilter::Default, NOW).await, expected);
    rooms[6].1.say(&bob, "up").await;
    rooms[6].1.set(|c| c.last_activity_at = at(20)).await;
    let after = filtered(&store, &ann, InboxFilter::Default, NOW).await;
    assert_eq!(after[2], rooms[6].1.id);
}

/// Pages of any size together are the whole list, also among equal times and across the pinned.
pub async fn pages_make_the_whole_list(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    for n in 0..11 {
        let room = active_at(&store, &[&ann, &bob], 1 + n / 4).await;
        if n % 3 == 0 {
            room.set_private(&ann, move |m| m.pinned_at = Some(at(n))).await;
        }
    }
    let whole = filtered(&store, &ann, InboxFilter::Default, NOW).await;
    assert_eq!(whole.len(), 11);
    for limit in [1, 2, 3, 5, 11, 12] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let query = InboxQuery {
                user: ann.clone(),
                now: NOW,
                blocked_in_group: BlockedInGroup::default(),
                list: Some(InboxList {
                    after: after.take(),
                    limit,
                    ..InboxList::default()
                }),
                ids: Vec::new(),
            };
            let page = store.inbox(&query).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(InboxKey {
                pinned: last.member.pinned_at.is_some(),
                last_activity_at: last.conversation.last_activity_at,
                id: last.conversation.id,
            });
            seen.extend(page.iter().map(|entry| entry.conversation.id));
        }
        assert_eq!(seen, whole, "pages of {limit}");
    }
}

/// A filtered page is full when there is enough for it, however much the filter leaves out.
pub async fn filters_do_not_shorten_a_page(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut unread = Vec::new();
    for n in 0..12 {
        let room = Room::group(&store, &[&ann, &bob]).await;
        let sender = if n % 4 == 0 { &bob } else { &ann };
        room.say(sender, "hi").await;
        let activity = at(100 - n);
        room.set(move |c| c.last_activity_at = activity).await;
        if n % 4 == 0 {
            unread.push(room.id);
        }
    }
    let wanted = InboxList {
        filter: InboxFilter::Unread,
        limit: 2,
        ..InboxList::default()
    };
    assert_eq!(list(&store, &ann, wanted, NOW).await, unread[..2]);
}

/// Every filter shows what it says, and only `All` and `Archived` show archived ones, none hidden ones.
pub async fn filters_show_what_they_say(store: AnyStore) {
    use InboxFilter::{All, Archived, Default, Direct, Group, Muted as MutedOnes, Pinned, Unread};
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let direct = Room::direct(&store, &ann, &bob).await;
    let plain = Room::group(&store, &[&ann, &bob]).await;
    let unread = Room::group(&store, &[&ann, &bob]).await;
    unread.say(&bob, "hi").await;
    let marked = Room::direct(&store, &ann, &cid).await;
    marked.set_private(&ann, |m| m.unread_from = Some(0)).await;
    let pinned = Room::group(&store, &[&ann, &bob]).await;
    pinned.set_private(&ann, |m| m.pinned_at = Some(at(1))).await;
    let muted = Room::group(&store, &[&ann, &bob]).await;
    muted.set_private(&ann, |m| m.muted = Some(Muted::Forever)).await;
    let for_a_while = Room::group(&store, &[&ann, &bob]).await;
    for_a_while
        .set_private(&ann, |m| m.muted = Some(Muted::Until(at(100))))
        .await;
    let archived = Room::group(&store, &[&ann, &bob]).await;
    let hidden = Room::group(&store, &[&ann, &bob]).await;
    for room in [&archived, &hidden] {
        // Everything a filter could look for, to see that it stays out nevertheless.
        room.chatter(&bob, 1).await;
        room.set_private(&ann, |m| {
            m.pinned_at = Some(at(1));
            m.muted = Some(Muted::Forever);
        })
        .await;
    }
    archived.set_private(&ann, |m| m.archived_seq = Some(1)).await;
    hidden
        .set_private(&ann, |m| {
            m.archived_seq = Some(1);
            m.hidden_seq = Some(1);
        })
        .await;
    let shown = async |filter, now| {
        let mut ids = filtered(&store, &ann, filter, now).await;
        ids.sort_unstable();
        ids
    };
    let expect = |rooms: &[&Room]| {
        let mut ids: Vec<_> = rooms.iter().map(|room| room.id).collect();
        ids.sort_unstable();
        ids
    };
    let groups = [&plain, &unread, &pinned, &muted, &for_a_while];
    let listed = [&groups[..], &[&direct, &marked]].concat();
    assert_eq!(shown(Default, NOW).await, expect(&listed));
    assert_eq!(
        shown(All, NOW).await,
        expect(&[&listed[..], &[&archived]].concat())
    );
    assert_eq!(shown(Unread, NOW).await, expect(&[&unread, &marked]));
    assert_eq!(shown(Pinned, NOW).await, expect(&[&pinned]));
    assert_eq!(shown(Archived, NOW).await, expect(&[&archived]));
    assert_eq!(shown(MutedOnes, at(99)).await, expect(&[&muted, &for_a_while]));
    assert_eq!(shown(MutedOnes, at(100)).await, expect(&[&muted]));
    assert_eq!(shown(Direct, NOW).await, expect(&[&direct, &marked]));
    assert_eq!(shown(Group, NOW).await, expect(&groups));
}

/// A name finds groups by a part of theirs and directs by a part of the other side's, whatever the case.
pub async fn names_find_groups_and_peers(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let peer = user("u-77");
    store
        .ensure_user(NewUser::new(peer.clone()).with_name("Мария Straẞer"), at(0))
        .await
        .unwrap();
    let direct = Room::direct(&store, &ann, &peer).await;
    let group = named(&store, &[&ann, &peer], "Weekend in МАРИЯ-Bad").await;
    let other = named(&store, &[&ann, &peer], "100%_\\ sure").await;
    Room::group(&store, &[&ann, &peer]).await;
    let mut both = by_name(&store, &ann, "марИя").await;
    both.sort_unstable();
    let mut expected = [direct.id, group.id];
    expected.sort_unstable();
    assert_eq!(both, expected);
    assert_eq!(by_name(&store, &ann, "straßer").await, [direct.id]);
    assert_eq!(by_name(&store, &ann, "WEEKEND").await, [group.id]);
    for literal in ["%", "_", "\\", "%_\\"] {
        assert_eq!(by_name(&store, &ann, literal).await, [other.id], "{literal}");
    }
    assert!(
        by_name(&store, &ann, "ann").await.is_empty(),
        "one's own name finds nothing"
    );
    assert!(by_name(&store, &ann, "e.*d").await.is_empty());
    assert_eq!(by_name(&store, &peer, "ann").await, [direct.id]);
}

/// Renamed groups and peers are found by their new name only.
pub async fn new_names_are_found_at_once(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let direct = Room::direct(&store, &ann, &bob).await;
    let group = named(&store, &[&ann, &bob], "Bobsleigh").await;
    let patch = UserPatch {
        name: Some("Robert".to_owned()),
        ..UserPatch::default()
    };
    store.update_user(&bob, patch).await.unwrap();
    assert_eq!(by_name(&store, &ann, "bob").await, [group.id]);
    assert_eq!(by_name(&store, &ann, "robert").await, [direct.id]);
    group.set(|c| c.name = Some("Luge".to_owned())).await;
    assert!(by_name(&store, &ann, "bob").await.is_empty());
    assert_eq!(by_name(&store, &ann, "luge").await, [group.id]);
}

/// Conversations one is not in, or not any more, are in no list and no answer.
pub async fn strangers_and_past_members_see_nothing(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let strange = Room::group(&store, &[&bob]).await;
    let mut ids = vec![strange.id];
    for state in [MemberState::Left, MemberState::Removed, MemberState::Dissolved] {
        let room = Room::group(&store, &[&ann, &bob]).await;
        room.say(&bob, "hi").await;
        room.set_public(&ann, move |_, m| m.state = state).await;
        ids.push(room.id);
    }
    let query = InboxQuery {
        user: ann.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        list: None,
        ids,
    };
    assert!(store.inbox(&query).await.unwrap().is_empty());
    assert!(filtered(&store, &ann, InboxFilter::All, NOW).await.is_empty());
    let badge = store.badge(&ann, NOW, BlockedInGroup::default()).await.unwrap();
    assert_eq!(badge, Badge::default());
}

/// Asked for by id, conversations come back whether hidden, archived or neither.
pub async fn hidden_ones_come_back_by_id(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let plain = Room::group(&store, &[&ann, &bob]).await;
    let archived = Room::group(&store, &[&ann, &bob]).await;
    archived.set_private(&ann, |m| m.archived_seq = Some(0)).await;
    let hidden = Room::group(&store, &[&ann, &bob]).await;
    hidden.set_private(&ann, |m| m.hidden_seq = Some(0)).await;
    Room::group(&store, &[&ann, &bob]).await;
    let query = InboxQuery {
        user: ann.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        list: None,
        ids: vec![plain.id, archived.id, hidden.id],
    };
    let entries = store.inbox(&query).await.unwrap();
    let mut found: Vec<_> = entries
        .iter()
        .map(|e| (e.conversation.id, e.archived, e.hidden))
        .collect();
    found.sort_unstable();
    let mut expected = [
        (plain.id, false, false),
        (archived.id, true, false),
        (hidden.id, false, true),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let none = InboxQuery {
        ids: Vec::new(),
        ..query
    };
    assert!(store.inbox(&none).await.unwrap().is_empty());
}

/// The badge adds up all conversations that are neither muted nor archived nor hidden.
pub async fn the_badge_adds_up(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let badge = async |now| store.badge(&ann, now, BlockedInGroup::default()).await.unwrap();
    assert_eq!(badge(NOW).await, Badge::default());
    let mut rooms = Vec::new();
    for n in 1..=6 {
        let room = Room::group(&store, &[&ann, &bob]).await;
        room.chatter(&bob, n).await;
        room.send(Message {
            mentions: vec![ann.clone()],
            ..text(&bob, "hey")
        })
        .await;
        rooms.push(room);
    }
    rooms[2]
        .set_private(&ann, |m| m.muted = Some(Muted::Forever))
        .await;
    rooms[3]
        .set_private(&ann, |m| m.muted = Some(Muted::Until(at(100))))
        .await;
    rooms[4].set_private(&ann, |m| m.archived_seq = Some(6)).await;
    rooms[5].set_private(&ann, |m| m.hidden_seq = Some(7)).await;
    let marked = Room::direct(&store, &ann, &bob).await;
    marked.set_private(&ann, |m| m.unread_from = Some(0)).await;
    Room::group(&store, &[&ann, &bob]).await;
    let expected = |unread_messages, unread_conversations, mentions| Badge {
        unread_messages,
        unread_conversations,
        mentions,
    };
    assert_eq!(badge(at(99)).await, expected(2 + 3, 3, 2));
    assert_eq!(badge(NOW).await, expected(2 + 3 + 5, 4, 3));
    rooms[1].read(&ann, 3).await;
    assert_eq!(badge(NOW).await, expected(2 + 5, 3, 2));
    rooms[4].say(&bob, "back").await;
    assert_eq!(badge(NOW).await, expected(2 + 5 + 7, 4, 3));
}

/// Pages by number are the parts of the whole list, under every filter; beyond the end there is nothing.
pub async fn pages_by_number_are_parts_of_the_whole_list(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    for n in 0..7 {
        let room = active_at(&store, &[&ann, &bob], 1 + n / 3).await;
        if n % 3 == 0 {
            room.set_private(&ann, move |m| m.pinned_at = Some(at(n))).await;
        }
    }
    Room::direct(&store, &ann, &bob).await;
    for filter in [InboxFilter::Default, InboxFilter::Pinned, InboxFilter::Group] {
        let whole = filtered(&store, &ann, filter, NOW).await;
        for limit in [1, 3, 8] {
            let mut pages = Vec::new();
            for page in 0..=whole.len() / limit + 1 {
                let wanted = InboxList {
                    filter,
                    limit,
                    skip: page * limit,
                    ..InboxList::default()
                };
                pages.extend(list(&store, &ann, wanted, NOW).await);
            }
            assert_eq!(pages, whole, "{filter:?} by {limit}");
        }
    }
}

const FILTERS: [InboxFilter; 8] = [
    InboxFilter::Default,
    InboxFilter::All,
    InboxFilter::Unread,
    InboxFilter::Pinned,
    InboxFilter::Archived,
    InboxFilter::Muted,
    InboxFilter::Direct,
    InboxFilter::Group,
];

/// Counts are as many as each filter shows: of all, of a name, and of what is shared with somebody.
pub async fn counts_are_those_of_the_filters(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    for n in 0..14_u64 {
        let room = match n {
            0 => Room::direct(&store, &ann, &bob).await,
            1 => Room::direct(&store, &ann, &cid).await,
            _ if n % 2 == 0 => named(&store, &[&ann, &bob], "Walks with Bob").await,
            _ => named(&store, &[&ann, &cid], "Others").await,
        };
        if n % 4 != 3 {
            room.say(if n == 1 { &cid } else { &bob }, "hi").await;
        }
        room.set_private(&ann, move |m| {
            m.pinned_at = (n % 5 == 0).then(|| at(n));
            m.muted = (n % 3 == 0).then(|| Muted::Until(at(if n % 2 == 0 { 100 } else { 10_000_000 })));
            m.archived_seq = (n % 6 == 4).then_some(1);
            m.hidden_seq = (n == 9).then_some(1);
            m.unread_from = (n == 7).then_some(0);
        })
        .await;
    }
    for now in [at(50), NOW] {
        for (name, with) in [
            (None, None),
            (Some("bob"), None),
            (None, Some(&bob)),
            (Some("oth"), Some(&cid)),
            (None, Some(&ann)),
        ] {
            let list = |filter| InboxList {
                filter,
                name: name.map(str::to_owned),
                with: with.cloned(),
                limit: 100,
                ..InboxList::default()
            };
            let query = |list| InboxQuery {
                user: ann.clone(),
                now,
                blocked_in_group: BlockedInGroup::default(),
                list: Some(list),
                ids: Vec::new(),
            };
            // The filter, place and size of the question make no difference.
            let asked = InboxList {
                limit: 1,
                skip: 2,
                ..list(InboxFilter::Pinned)
            };
            let counts = store.inbox_counts(&query(asked)).await.unwrap();
            for filter in FILTERS {
                let shown = store.inbox(&query(list(filter))).await.unwrap().len();
                assert_eq!(
                    counts.of(filter),
                    u64::try_from(shown).unwrap(),
                    "{filter:?} {name:?} {with:?} {now}"
                );
            }
        }
    }
    let whole = InboxQuery {
        user: ann.clone(),
        now: NOW,
        blocked_in_group: BlockedInGroup::default(),
        list: None,
        ids: Vec::new(),
    };
    let counts = store.inbox_counts(&whole).await.unwrap();
    assert_eq!((counts.all, counts.direct), (13, 2));
}

/// Conversations in common are those both are active members of, in the order of the list.
pub async fn conversations_in_common_are_those_both_are_in(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let old = active_at(&store, &[&ann, &bob, &cid], 5).await;
    let new = active_at(&store, &[&bob, &ann], 9).await;
    active_at(&store, &[&ann, &cid], 7).await;
    active_at(&store, &[&bob, &cid], 8).await;
    let direct = Room::direct(&store, &bob, &ann).await;
    direct.set(|c| c.last_activity_at = at(7)).await;
    let gone = active_at(&store, &[&ann, &bob], 6).await;
    gone.leave(&bob).await;
    let left = active_at(&store, &[&ann, &bob], 6).await;
    left.leave(&ann).await;
    let common = async |with: &UserId, after: Option<InboxKey>, limit| {
        let wanted = InboxList {
            filter: InboxFilter::All,
            with: Some(with.clone()),
            after,
            limit,
            ..InboxList::default()
        };
        list(&store, &ann, wanted, NOW).await
    };
    assert_eq!(common(&bob, None, 9).await, [new.id, direct.id, old.id]);
    let after = InboxKey {
        pinned: false,
        last_activity_at: at(9),
        id: new.id,
    };
    assert_eq!(common(&bob, Some(after), 1).await, [direct.id]);
    assert!(common(&user("nobody"), None, 9).await.is_empty());
}

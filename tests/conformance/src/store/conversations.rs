//! Cases for the reading half of [`ConversationStore`](chat_core::store::ConversationStore): rows, members, contacts.

use std::time::Duration;

use chat_core::id::{AttachmentId, ConversationId, UserId};
use chat_core::model::{
    Conversation, ConversationKind, DirectPair, Horizon, Interval, JsonObject, LastCountable, MemberState,
    Muted, NewUser, NotificationLevel, Permission, Permissions, Retention, Role,
};
use chat_core::store::MemberQuery;
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{AnyStore, Room, at, direct_conversation, group_conversation, member, people, user};

/// Asking for what is not there gives nothing, and no error.
pub async fn absence_is_no_error(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let nowhere = ConversationId::from_uuid(Uuid::now_v7());
    let pair = DirectPair::new(&ann, &bob).unwrap();
    assert!(store.conversations(&[nowhere]).await.unwrap().is_empty());
    assert!(store.conversations(&[]).await.unwrap().is_empty());
    assert!(store.direct(&pair).await.unwrap().is_none());
    assert!(store.member(nowhere, &ann).await.unwrap().is_none());
    assert!(store.member_ids(nowhere).await.unwrap().is_empty());
    let members = store.members_of(&[nowhere], 5).await.unwrap();
    assert!(members.values().all(Vec::is_empty));
    assert!(store.changed_members(nowhere, 0, 5).await.unwrap().is_empty());
    assert!(store.conversation_ids(&ann, None).await.unwrap().is_empty());
    assert!(store.contacts(&ann, None, None, 5).await.unwrap().is_empty());
    assert!(store.contacts_among(&ann, &[bob]).await.unwrap().is_empty());
}

/// Every field of a conversation comes back as it was written, also after the group was deleted.
pub async fn a_conversation_comes_back_whole(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let custom = [("k".to_owned(), json!({"n": [1, 2.5, null, "ü😀"]}))];
    let mut row = Conversation {
        name: Some("Früh & spät 👩\u{200d}👩\u{200d}👧".to_owned()),
        description: Some("%_\\ \u{202e}".to_owned()),
        avatar: Some(AttachmentId::from_uuid(Uuid::now_v7())),
        last_activity_at: at(5),
        changed_at: at(6),
        rev: 8,
        last_seq: 4,
        last_countable: LastCountable {
            seq: 4,
            sender: Some(user("ann")),
            other_seq: 2,
            other_at: at(3),
        },
        members_rev: 3,
        member_count: 1,
        permissions: Permissions {
            send: Permission::Admins,
            add_members: Permission::Everyone,
            edit_info: Permission::Everyone,
            pin_messages: Permission::Everyone,
        },
        frozen: true,
        message_ttl_ms: Some(86_400_000),
        slow_mode: Some(Duration::from_millis(1_500)),
        sends_until: at(7),
        custom: JsonObject(custom.into_iter().collect()),
        dissolved_at: Some(at(9)),
        horizon: Horizon {
            first_seq: 3,
            min_rev: 4,
            oldest_at: Some(at(10)),
            retention: Some(Retention::For(Duration::from_millis(1_500))),
        },
        ..group_conversation(&ann)
    };
    let room = Room::make(&store, row.clone(), &[&ann]).await;
    assert_eq!(room.row().await, row);
    row.permissions.edit_info = Permission::Admins;
    row.description = None;
    row.dissolved_at = None;
    row.last_countable.sender = None;
    let changed = row.clone();
    room.set(move |conversation| *conversation = changed.clone())
        .await;
    assert_eq!(room.row().await, row);
}

/// What was written is what is read, for a conversation just made.
pub async fn a_new_conversation_comes_back_whole(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut group = group_conversation(&ann);
    group.custom = JsonObject([("k".to_owned(), json!("x".repeat(8_000)))].into_iter().collect());
    let room = Room::make(&store, group.clone(), &[&ann]).await;
    assert_eq!(room.row().await, group);
    let direct = direct_conversation(&ann, &bob);
    let room = Room::make(&store, direct.clone(), &[&ann, &bob]).await;
    assert_eq!(room.row().await, direct);
}

/// Several conversations come back at once; unknown ids are left out.
pub async fn conversations_come_back_by_id(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let first = Room::group(&store, &[&ann]).await;
    let second = Room::group(&store, &[&ann]).await;
    let ids = [
        first.id,
        ConversationId::from_uuid(Uuid::now_v7()),
        second.id,
        first.id,
    ];
    let rows = store.conversations(&ids).await.unwrap();
    let mut found: Vec<_> = rows.into_iter().map(|c| c.id).collect();
    found.sort_unstable();
    let mut expected = [first.id, second.id];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// A pair names its conversation from either side.
pub async fn a_direct_is_found_from_either_side(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let room = Room::direct(&store, &bob, &ann).await;
    for pair in [DirectPair::new(&ann, &bob), DirectPair::new(&bob, &ann)] {
        let found = store.direct(&pair.unwrap()).await.unwrap().unwrap();
        assert_eq!(found, room.row().await);
    }
    let other = DirectPair::new(&ann, &cid).unwrap();
    assert!(store.direct(&other).await.unwrap().is_none());
}

/// Every field of a membership comes back as it was written.
pub async fn a_member_comes_back_whole(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let room = Room::group(&store, &[&ann]).await;
    let mut expected = member(room.id, &ann);
    assert_eq!(room.member(&ann).await, expected);
    expected.role = Role::Owner;
    expected.state = MemberState::Removed;
    expected.joined_at = at(3);
    expected.intervals = vec![
        Interval { from: 1, to: Some(4) },
        Interval { from: 6, to: Some(6) },
        Interval { from: 9, to: None },
    ];
    expected.delivered_seq = 12;
    expected.read_seq = 11;
    expected.contacts_read_seq = 10;
    expected.public_read_seq = 9;
    expected.unread_floor = 8;
    expected.visible_from = 7;
    expected.unread_from = Some(0);
    expected.pinned_at = Some(at(4));
    expected.muted = Some(Muted::Until(at(5)));
    expected.archived_seq = Some(0);
    expected.hidden_seq = Some(2);
    expected.notification_level = NotificationLevel::Mentions;
    expected.silenced = Some(Muted::Until(at(6)));
    expected.last_sent_at = Some(at(7));
    expected.rev = 13;
    expected.user_rev = 14;
    expected.reset_user_rev = 15;
    let row = expected.clone();
    room.set_private(&ann, move |member| *member = row.clone()).await;
    assert_eq!(room.member(&ann).await, expected);
    room.set_private(&ann, |member| {
        member.muted = Some(Muted::Forever);
        member.silenced = Some(Muted::Forever);
        member.notification_level = NotificationLevel::None;
        member.intervals.clear();
    })
    .await;
    expected.muted = Some(Muted::Forever);
    expected.silenced = Some(Muted::Forever);
    expected.notification_level = NotificationLevel::None;
    expected.intervals.clear();
    assert_eq!(room.member(&ann).await, expected);
    let first = member(room.id, &ann);
    room.set_private(&ann, move |member| *member = first.clone())
        .await;
    assert_eq!(room.member(&ann).await, member(room.id, &ann));
}

/// A past membership can be read, but is in no list of members.
pub async fn past_members_are_in_no_list(store: AnyStore) {
    let [ann, bob, cid, dan] = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid, &dan]).await;
    let states = [MemberState::Left, MemberState::Removed, MemberState::Dissolved];
    for (gone, state) in [&bob, &cid, &dan].into_iter().zip(states) {
        room.set_public(gone, move |_, member| member.state = state).await;
        assert_eq!(room.member(gone).await.state, state);
        assert!(store.conversation_ids(gone, None).await.unwrap().is_empty());
    }
    assert_eq!(
        store.member_ids(room.id).await.unwrap(),
        std::slice::from_ref(&ann)
    );
    let of = store.members_of(&[room.id], 9).await.unwrap();
    assert_eq!(of[&room.id], [room.member(&ann).await]);
    let query = MemberQuery {
        conversation: room.id,
        name: None,
        role: None,
        after: None,
        limit: 9,
    };
    assert_eq!(store.members(&query).await.unwrap(), [room.member(&ann).await]);
}

/// Members come in order of the bytes of their ids, a page at a time.
pub async fn members_come_in_order_of_id(store: AnyStore) {
    let users = people(&store, ["b", "a", "B", "ä", "a\u{301}", "\u{ffff}", "😀", "_"]).await;
    let room = Room::group(&store, &users.each_ref()).await;
    let mut expected = users.to_vec();
    expected.sort();
    assert_eq!(store.member_ids(room.id).await.unwrap(), expected);
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let query = MemberQuery {
            conversation: room.id,
            name: None,
            role: None,
            after: seen.last().cloned(),
            limit: 3,
        };
        let page = store.members(&query).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        seen.extend(page.into_iter().map(|m| m.user_id));
    }
    assert_eq!(seen, expected);
}

/// Members of several conversations come at once, of each no more than asked for.
pub async fn members_of_several_are_capped_each(store: AnyStore) {
    let [ann, bob, cid] = people(&store, ["ann", "bob", "cid"]).await;
    let large = Room::group(&store, &[&ann, &bob, &cid]).await;
    let small = Room::group(&store, &[&cid]).await;
    let other = Room::group(&store, &[&ann, &bob]).await;
    let of = store.members_of(&[large.id, small.id], 2).await.unwrap();
    assert_eq!(of[&large.id].len(), 2);
    assert!(of[&large.id].iter().all(|m| m.conversation_id == large.id));
    assert_eq!(of[&small.id], [small.member(&cid).await]);
    assert!(!of.contains_key(&other.id));
}

/// Members whose rev is above the one asked for come newest first, past ones too, as many as fit.
pub async fn changed_members_come_newest_first(store: AnyStore) {
    let [ann, bob, cid, dan] = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let room = Room::group(&store, &[&ann, &bob, &cid, &dan]).await;
    room.set_public(&cid, |_, member| member.role = Role::Admin).await;
    let since = room.row().await.rev;
    room.leave(&ann).await;
    room.set_public(&bob, |_, member| member.role = Role::Owner).await;
    let changed = store.changed_members(room.id, since, 9).await.unwrap();
    assert_eq!(changed, [room.member(&bob).await, room.member(&ann).await]);
    let changed = store.changed_members(room.id, 1, 1).await.unwrap();
    assert_eq!(changed, [room.member(&bob).await]);
    assert_eq!(store.changed_members(room.id, 1, 9).await.unwrap().len(), 3);
    let now = room.row().await.rev;
    assert!(store.changed_members(room.id, now, 9).await.unwrap().is_empty());
}

/// A user's conversations are those he is in now, of one kind or all.
pub async fn conversation_ids_are_of_active_memberships(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let direct = Room::direct(&store, &ann, &bob).await;
    let group = Room::group(&store, &[&ann, &bob]).await;
    let left = Room::group(&store, &[&ann, &bob]).await;
    let strange = Room::group(&store, &[&bob]).await;
    left.leave(&ann).await;
    let ids = async |kind| {
        let mut ids = store.conversation_ids(&ann, kind).await.unwrap();
        ids.sort_unstable();
        ids
    };
    let mut both = [direct.id, group.id];
    both.sort_unstable();
    assert_eq!(ids(None).await, both);
    assert_eq!(ids(Some(ConversationKind::Direct)).await, [direct.id]);
    assert_eq!(ids(Some(ConversationKind::Group)).await, [group.id]);
    assert!(
        store
            .conversation_ids(&bob, None)
            .await
            .unwrap()
            .contains(&strange.id)
    );
    left.rejoin(&ann).await;
    assert_eq!(ids(None).await.len(), 3);
}

/// Contacts are the other sides of direct conversations, in order of id, a page at a time.
pub async fn contacts_share_a_direct(store: AnyStore) {
    let [ann, bob, cid, dan, eve] = people(&store, ["ann", "bob", "cid", "dan", "eve"]).await;
    for other in [&eve, &bob, &dan] {
        Room::direct(&store, other, &ann).await;
    }
    Room::group(&store, &[&ann, &cid]).await;
    Room::direct(&store, &bob, &cid).await;
    let all = [bob.clone(), dan.clone(), eve.clone()];
    assert_eq!(store.contacts(&ann, None, None, 9).await.unwrap(), all);
    assert_eq!(store.contacts(&ann, None, None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.contacts(&ann, None, Some(&dan), 2).await.unwrap(), all[2..]);
    assert!(
        store
            .contacts(&ann, None, Some(&eve), 2)
            .await
            .unwrap()
            .is_empty()
    );
    let others = [cid.clone(), eve.clone(), ann.clone(), bob.clone(), user("nobody")];
    let mut among = store.contacts_among(&ann, &others).await.unwrap();
    among.sort();
    assert_eq!(among, [bob, eve]);
    assert!(store.contacts_among(&ann, &[]).await.unwrap().is_empty());
}

/// Contacts are found by a part of their name, whatever the case, in the order and the pages of all.
pub async fn contacts_are_found_by_a_part_of_their_name(store: AnyStore) {
    let [ann, cid] = people(&store, ["ann", "cid"]).await;
    let mut named = Vec::new();
    for (id, name) in [("p1", "Mira"), ("p2", "ADMIRAL"), ("p3", "Bob"), ("p4", "Émir")] {
        let peer = user(id);
        let new = NewUser::new(peer.clone()).with_name(name);
        store.ensure_user(new, at(0)).await.unwrap();
        Room::direct(&store, &ann, &peer).await;
        named.push(peer);
    }
    Room::group(&store, &[&ann, &cid]).await;
    let find = async |name: &str, after: Option<&UserId>, limit| {
        store.contacts(&ann, Some(name), after, limit).await.unwrap()
    };
    assert_eq!(find("mir", None, 9).await, [&named[..2], &named[3..]].concat());
    assert_eq!(find("mir", None, 1).await, named[..1]);
    assert_eq!(find("mir", Some(&named[0]), 1).await, named[1..2]);
    assert_eq!(find("émir", None, 9).await, named[3..]);
    assert!(find("cid", None, 9).await.is_empty());
    assert!(find("%", None, 9).await.is_empty());
}

/// Members are found by a part of their name and by their rank, in order of id, past ones not at all.
pub async fn members_are_found_by_name_and_rank(store: AnyStore) {
    let mut users = Vec::new();
    for (id, name) in [
        ("a", "Anna"),
        ("b", "Hannah"),
        ("c", "Bob"),
        ("d", "Susanna"),
        ("e", "Anne"),
    ] {
        let new = NewUser::new(user(id)).with_name(name);
        store.ensure_user(new, at(0)).await.unwrap();
        users.push(user(id));
    }
    let room = Room::group(&store, &users.iter().collect::<Vec<_>>()).await;
    for admin in [&users[1], &users[2]] {
        room.set_public(admin, |_, member| member.role = Role::Admin)
            .await;
    }
    room.leave(&users[4]).await;
    let find = async |name: Option<&str>, role, after: Option<&UserId>, limit| {
        let query = MemberQuery {
            conversation: room.id,
            name: name.map(str::to_owned),
            role,
            after: after.cloned(),
            limit,
        };
        let members = store.members(&query).await.unwrap().into_iter();
        members
            .map(|member| member.user_id.to_string())
            .collect::<String>()
    };
    assert_eq!(find(Some("ann"), None, None, 9).await, "abd");
    assert_eq!(find(Some("ann"), None, Some(&users[0]), 1).await, "b");
    assert_eq!(find(None, Some(Role::Admin), None, 9).await, "bc");
    assert_eq!(find(Some("ann"), Some(Role::Admin), None, 9).await, "b");
    assert_eq!(find(Some("ann"), Some(Role::Owner), None, 9).await, "");
    assert_eq!(find(None, None, None, 9).await, "abcd");
}

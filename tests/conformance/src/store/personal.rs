//! Cases for [`PersonalStore`](chat_core::store::PersonalStore), and for what erasing a user does to his row.

use std::collections::BTreeSet;

use chat_core::id::UserId;
use chat_core::model::ReadAudience::{Contacts, Everyone};
use chat_core::model::{
    Device, ErasedMessages, Erasure, JsonObject, Muted, NewUser, Platform, Provider, SettingsChange, Star,
    User, UserPatch, UserSettings, Visibility,
};
use chat_core::store::UserSearch;
use serde_json::json;

use super::scheduled::new as scheduled;
use crate::fixtures::{AnyStore, NOW, Room, at, attachment, people, text, user};

/// All memberships come, page by page, past ones too.
pub async fn memberships_come_with_past_ones(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut rooms = BTreeSet::new();
    for _ in 0..5 {
        let room = Room::group(&store, &[&ann, &bob]).await;
        rooms.insert(room.id);
        if rooms.len() == 3 {
            room.leave(&bob).await;
        }
    }
    Room::group(&store, &[&ann]).await;
    let mut seen = Vec::new();
    loop {
        let page = store.memberships(&bob, seen.last().copied(), 2).await.unwrap();
        assert!(page.iter().all(|member| member.user_id == bob));
        seen.extend(page.iter().map(|member| member.conversation_id));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(seen, rooms.into_iter().collect::<Vec<_>>());
}

/// What one user sent comes by seq, tombstones too, and nothing of others or elsewhere.
pub async fn what_a_user_sent_comes_by_seq(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let elsewhere = Room::group(&store, &[&ann, &bob]).await;
    elsewhere.say(&ann, "elsewhere").await;
    for n in 0..3 {
        room.say(&ann, &format!("ann {n}")).await;
        room.say(&bob, &format!("bob {n}")).await;
    }
    let second = store.sent_messages(room.id, &ann, 1, 1).await.unwrap().remove(0);
    room.delete(&second).await;
    let expired = chat_core::model::Message {
        expires_at: Some(at(1)),
        ..text(&ann, "gone by now")
    };
    room.send(expired).await;
    let all = store.sent_messages(room.id, &ann, 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|m| m.seq).collect::<Vec<_>>(), [1, 3, 5, 7]);
    assert!(all[1].is_deleted());
    let page = store.sent_messages(room.id, &ann, 1, 2).await.unwrap();
    assert_eq!(page, all[1..3]);
    assert!(store.sent_messages(room.id, &ann, 7, 2).await.unwrap().is_empty());
}

/// A user's own rows come in pages, and only his.
pub async fn own_rows_come_in_pages(store: AnyStore) {
    let [ann, bob, cem] = people(&store, ["ann", "bob", "cem"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let sent = room.chatter(&ann, 3).await;
    for message in &sent {
        for emoji in ["👍", "👀"] {
            room.react(&bob, message, emoji, at(5)).await;
            room.react(&ann, message, emoji, at(6)).await;
        }
        room.hide(&bob, message).await;
    }
    room.hide(&ann, &sent[0]).await;
    let mut reactions = Vec::new();
    loop {
        let after = reactions
            .last()
            .map(|last: &chat_core::model::Reaction| (last.message_id, last.emoji.clone()));
        let page = store.reactions_by(&bob, after, 4).await.unwrap();
        let last = page.len() < 4;
        reactions.extend(page);
        if last {
            break;
        }
    }
    assert_eq!(reactions.len(), 6);
    assert!(reactions.iter().all(|one| one.user_id == bob && one.at == at(5)));
    let keys: Vec<_> = reactions.iter().map(|one| (one.message_id, &one.emoji)).collect();
    assert!(keys.is_sorted());
    let first = store.hides_by(&bob, None, 2).await.unwrap();
    let rest = store.hides_by(&bob, Some(first[1].message_id), 2).await.unwrap();
    let hidden: Vec<_> = first.iter().chain(&rest).map(|hide| hide.message_id).collect();
    let mut expected: Vec<_> = sent.iter().map(|message| message.id).collect();
    expected.sort_unstable();
    assert_eq!(hidden, expected);
    store.set_block(&bob, &ann, true, at(7)).await.unwrap();
    store.set_block(&bob, &cem, true, at(8)).await.unwrap();
    store.set_block(&bob, &user("dora"), true, at(9)).await.unwrap();
    store.set_block(&bob, &cem, false, at(10)).await.unwrap();
    let blocks = store.blocks_by(&bob, None, 1).await.unwrap();
    assert_eq!((&blocks[0].blocked, blocks[0].at, blocks.len()), (&ann, at(7), 1));
    let blocks = store.blocks_by(&bob, Some(ann.clone()), 5).await.unwrap();
    assert_eq!((blocks[0].blocked.as_str(), blocks.len()), ("dora", 1));
    let mut files = [attachment(&bob), attachment(&bob), attachment(&bob)];
    for file in files.iter().chain([&attachment(&ann)]) {
        store.add_attachment(file.clone()).await.unwrap();
    }
    files.sort_unstable_by_key(|file| file.id);
    assert_eq!(store.uploads_by(&bob, None, 2).await.unwrap(), files[..2]);
    assert_eq!(
        store.uploads_by(&bob, Some(files[1].id), 2).await.unwrap(),
        files[2..]
    );
}

/// Steps of marks come by seq, with the times that are still known.
pub async fn steps_of_marks_come_by_seq(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    room.step(&bob, None, (0, 2), at(10)).await;
    room.step(&bob, Some(Contacts), (0, 2), at(10)).await;
    room.step(&bob, Some(Everyone), (2, 3), at(20)).await;
    room.step(&ann, None, (0, 9), at(20)).await;
    store.forget_mark_times(at(20), 10).await.unwrap();
    let first = store.mark_steps(room.id, &bob, None, 2).await.unwrap();
    assert_eq!(
        first
            .iter()
            .map(|step| (step.to, step.read, step.at))
            .collect::<Vec<_>>(),
        [(2, None, None), (2, Some(Contacts), None)]
    );
    let place = Some((2, Some(Contacts)));
    let rest = store.mark_steps(room.id, &bob, place, 2).await.unwrap();
    assert_eq!(
        rest.iter()
            .map(|step| (step.from, step.to, step.read, step.at))
            .collect::<Vec<_>>(),
        [(2, 3, Some(Everyone), Some(at(20)))]
    );
}

fn device(owner: &UserId, token: &str) -> Device {
    Device {
        token: token.to_owned(),
        user_id: owner.clone(),
        platform: Platform::Web,
        provider: Provider::Fcm,
        refreshed_at: at(1),
        login: None,
    }
}

/// What is a user's alone goes bit by bit, and nothing of anybody else.
pub async fn private_rows_go_bit_by_bit(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let room = Room::group(&store, &[&ann, &bob]).await;
    let sent = room.chatter(&ann, 2).await;
    for one in [&ann, &bob] {
        for (n, message) in sent.iter().enumerate() {
            let token = format!("{one}-{n}");
            store.register_device(device(one, &token), 9).await.unwrap();
            room.hide(one, message).await;
            let star = Star {
                user_id: (*one).clone(),
                conversation_id: room.id,
                message_id: message.id,
                seq: message.seq,
            };
            store.set_star(&star, true, 9).await.unwrap();
            store.set_star(&star, n == 0, 9).await.unwrap();
        }
        room.step(one, None, (0, 1), at(10)).await;
        room.step(one, Some(Everyone), (0, 1), at(10)).await;
        store.add_scheduled(scheduled(one, NOW), 9).await.unwrap();
    }
    store.set_block(&bob, &ann, true, at(3)).await.unwrap();
    store.set_block(&bob, &user("cem"), true, at(3)).await.unwrap();
    store.set_block(&bob, &user("cem"), false, at(4)).await.unwrap();
    store.set_block(&ann, &bob, true, at(3)).await.unwrap();
    for one in [&ann, &bob] {
        let other = user("cem");
        store.set_mute(one, &other, Some(Muted::Forever)).await.unwrap();
    }
    let mut gone = 0;
    loop {
        let step = store.erase_private(&bob, 3).await.unwrap();
        assert!(step <= 3);
        if step == 0 {
            break;
        }
        gone += step;
    }
    // Two devices, two hides, two entries of the block list, a mute, two stars, two steps, a scheduled message.
    assert_eq!(gone, 12);
    assert!(
        store
            .devices(std::slice::from_ref(&bob))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.hides_by(&bob, None, 9).await.unwrap().is_empty());
    assert!(store.block_changes(&bob, 0).await.unwrap().is_empty());
    assert!(store.mute_changes(&bob, 0).await.unwrap().is_empty());
    assert_eq!(store.mute_changes(&ann, 0).await.unwrap().len(), 1);
    assert!(store.star_changes(&bob, 0, 9).await.unwrap().is_empty());
    assert_eq!(store.star_changes(&ann, 0, 9).await.unwrap().len(), 2);
    assert!(store.mark_steps(room.id, &bob, None, 9).await.unwrap().is_empty());
    for (one, left) in [(&bob, 0), (&ann, 1)] {
        let rows = store.changed_scheduled(one, 0, false, 9).await.unwrap();
        assert_eq!(rows.len(), left);
    }
    assert_eq!(store.devices(std::slice::from_ref(&ann)).await.unwrap().len(), 2);
    assert_eq!(store.hides_by(&ann, None, 9).await.unwrap().len(), 2);
    assert_eq!(store.mark_steps(room.id, &ann, None, 9).await.unwrap().len(), 2);
    assert_eq!(store.blocks_of(&ann).await.unwrap().blocked, [bob]);
    assert!(store.blocks_of(&ann).await.unwrap().blocked_by.is_empty());
    assert_eq!(store.erase_private(&user("nobody"), 3).await.unwrap(), 0);
}

fn erasure(done: bool) -> Erasure {
    Erasure {
        at: at(50),
        messages: ErasedMessages::Keep,
        done,
    }
}

/// Of an erased user's row his id is left, and nothing comes back into it.
pub async fn an_erased_row_holds_nothing_and_changes_no_more(store: AnyStore) {
    let id = user("ann");
    let new = NewUser {
        name: Some("Ann Example".to_owned()),
        avatar_url: Some("https://example.com/ann.png".to_owned()),
        email: Some("ann@example.com".to_owned()),
        phone: Some("+4912345".to_owned()),
        custom: JsonObject([("k".to_owned(), json!("v"))].into_iter().collect()),
        ..NewUser::new(id.clone())
    };
    store.ensure_user(new, at(1)).await.unwrap();
    let patch = UserPatch {
        settings: Some(SettingsChange {
            receipts: Some(Visibility::Nobody),
            ..SettingsChange::default()
        }),
        last_seen_at: Some(at(40)),
        ..UserPatch::default()
    };
    store.update_user(&id, patch.clone()).await.unwrap();
    let erase = |done| UserPatch {
        erased: Some(erasure(done)),
        ..UserPatch::default()
    };
    store.update_user(&id, erase(false)).await.unwrap();
    let unfinished = store.unfinished_erasures(5).await.unwrap();
    assert_eq!(unfinished.len(), 1);
    let left = User {
        custom: JsonObject::default(),
        settings: UserSettings::default(),
        erased: Some(erasure(false)),
        user_rev: 1,
        ..NewUser::new(id.clone()).with_name("").into_user(at(1))
    };
    assert_eq!(unfinished[0], left);
    for patch in [
        patch,
        UserPatch {
            name: Some("Ann again".to_owned()),
            ..UserPatch::default()
        },
    ] {
        store.update_user(&id, patch).await.unwrap();
        let row = store.users(std::slice::from_ref(&id)).await.unwrap().remove(0);
        assert_eq!((row.name.as_str(), row.last_seen_at), ("", None));
        assert_eq!(row.settings, UserSettings::default());
    }
    store.update_user(&id, erase(true)).await.unwrap();
    assert!(store.unfinished_erasures(5).await.unwrap().is_empty());
    let (row, made) = store
        .ensure_user(NewUser::new(id.clone()).with_name("New"), NOW)
        .await
        .unwrap();
    assert!(!made);
    assert_eq!(row.erased, Some(erasure(true)));
    for query in ["ann", "deleted", "ann@example.com", "+4912345"] {
        let search = UserSearch {
            query: query.to_owned(),
            exact: query.to_owned(),
            after: None,
            limit: 5,
        };
        assert!(store.search_users(&search).await.unwrap().is_empty(), "{query}");
    }
}

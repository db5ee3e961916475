//! Cases for [`UserStore`](chat_core::store::UserStore).

use chat_core::id::{AttachmentId, UserId};
use chat_core::model::{
    AttachmentState, JsonObject, ManualStatus, Muted, NewUser, OwnPresence, PushContent, PushLevel,
    SettingsChange, UserKind, UserPatch, UserSettings, Visibility,
};
use chat_core::store::UserSearch;
use chat_core::text::fold;
use serde_json::json;
use uuid::Uuid;

use crate::fixtures::{AnyStore, at, attachment, people, user};

fn object(key: &str, value: &str) -> JsonObject {
    JsonObject([(key.to_owned(), json!(value))].into_iter().collect())
}

fn everything_known(id: &str) -> NewUser {
    NewUser {
        id: user(id),
        name: Some("Ada".to_owned()),
        avatar_url: Some("https://example.org/a.png".to_owned()),
        kind: UserKind::Bot,
        email: Some("ada@example.org".to_owned()),
        phone: Some("+4912345".to_owned()),
        custom: object("team", "x"),
    }
}

async fn found(store: &AnyStore, typed: &str) -> Vec<UserId> {
    let search = UserSearch {
        query: fold(typed),
        exact: typed.to_owned(),
        after: None,
        limit: 100,
    };
    let users = store.search_users(&search).await.unwrap();
    users.into_iter().map(|user| user.id).collect()
}

async fn named(store: &AnyStore, id: &str, name: &str) -> UserId {
    let new = NewUser::new(user(id)).with_name(name);
    store.ensure_user(new, at(0)).await.unwrap();
    user(id)
}

/// The first meeting makes the user of everything that is known of him, at the time given.
pub async fn an_unknown_user_is_made_of_what_is_known(store: AnyStore) {
    let (made, is_new) = store.ensure_user(everything_known("u1"), at(7)).await.unwrap();
    assert!(is_new);
    assert_eq!(made, everything_known("u1").into_user(at(7)));
    assert_eq!(store.users(&[user("u1")]).await.unwrap(), [made]);
}

/// Meeting a user again changes nothing of him.
pub async fn a_known_user_stays_as_he_is(store: AnyStore) {
    let (made, _) = store.ensure_user(everything_known("u1"), at(7)).await.unwrap();
    let again = NewUser::new(user("u1")).with_name("Somebody else");
    let (known, is_new) = store.ensure_user(again, at(9)).await.unwrap();
    assert!(!is_new);
    assert_eq!(known, made);
    assert_eq!(store.users(&[user("u1")]).await.unwrap(), [made]);
}

/// Of concurrent first meetings exactly one makes the user, and all see the same one.
pub async fn of_concurrent_makers_one_makes_the_user(store: AnyStore) {
    let calls = (0..16).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let new = NewUser::new(user("u1")).with_name(format!("name {n}"));
            store.ensure_user(new, at(n)).await.unwrap()
        })
    });
    let answers = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|(_, is_new)| *is_new).count(), 1);
    assert!(answers.iter().all(|(made, _)| *made == answers[0].0));
}

/// A patch changes the fields it holds and no other; `Some(None)` clears.
pub async fn a_patch_changes_only_its_fields(store: AnyStore) {
    let (mut expected, _) = store.ensure_user(everything_known("u1"), at(1)).await.unwrap();
    let file = attachment(&user("u1"));
    let avatar = file.id;
    store.add_attachment(file).await.unwrap();
    let patches = [
        UserPatch {
            name: Some("Countess".to_owned()),
            ..UserPatch::default()
        },
        UserPatch {
            avatar_url: Some(None),
            ..UserPatch::default()
        },
        UserPatch {
            avatar: Some(Some(avatar)),
            ..UserPatch::default()
        },
        UserPatch {
            custom: Some(object("team", "y")),
            ..UserPatch::default()
        },
        UserPatch {
            suspended: Some(true),
            ..UserPatch::default()
        },
        UserPatch {
            suspended_until: Some(Some(at(40))),
            muted: Some(Some(Muted::Until(at(41)))),
            ..UserPatch::default()
        },
        UserPatch {
            suspended_until: Some(None),
            muted: Some(Some(Muted::Forever)),
            ..UserPatch::default()
        },
        UserPatch {
            muted: Some(None),
            ..UserPatch::default()
        },
        UserPatch {
            last_seen_at: Some(at(30)),
            ..UserPatch::default()
        },
        UserPatch {
            avatar: Some(None),
            ..UserPatch::default()
        },
        UserPatch::default(),
    ];
    for patch in patches {
        patch.clone().apply(&mut expected);
        let answer = store.update_user(&user("u1"), patch).await.unwrap();
        assert_eq!(answer.as_ref(), Some(&expected));
        let kept = store.users(&[user("u1")]).await.unwrap();
        assert_eq!(kept, [expected.clone()]);
    }
}

/// A patch of somebody unknown makes nobody.
pub async fn a_patch_of_an_unknown_user_is_none(store: AnyStore) {
    let patch = UserPatch {
        name: Some("Nobody".to_owned()),
        ..UserPatch::default()
    };
    assert_eq!(store.update_user(&user("u1"), patch).await.unwrap(), None);
    assert!(store.users(&[user("u1")]).await.unwrap().is_empty());
}

/// Settings move `user_rev` by one, also when they are the same again; other fields do not move it.
pub async fn settings_move_user_rev(store: AnyStore) {
    people(&store, ["ann"]).await;
    let settings = UserSettings {
        receipts: Visibility::Nobody,
        show_online: Visibility::Contacts,
        push: PushLevel::Mentions,
        dnd_until: Some(at(99)),
        ..UserSettings::default()
    };
    for rev in 1..=2 {
        let patch = UserPatch {
            settings: Some(settings.clone().into()),
            ..UserPatch::default()
        };
        let patched = store.update_user(&user("ann"), patch).await.unwrap().unwrap();
        assert_eq!((patched.user_rev, &patched.settings), (rev, &settings));
    }
    let patch = UserPatch {
        name: Some("Ann".to_owned()),
        ..UserPatch::default()
    };
    let patched = store.update_user(&user("ann"), patch).await.unwrap().unwrap();
    assert_eq!((patched.user_rev, patched.settings), (2, settings));
}

/// A presence of one's own comes back as it went in, stays with other changes, and moves no `user_rev`.
pub async fn a_presence_of_ones_own_stays(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    let row = async || store.users(std::slice::from_ref(&ann)).await.unwrap().remove(0);
    let before = row().await;
    assert_eq!(before.presence, OwnPresence::default());
    let wanted = OwnPresence {
        status: ManualStatus::Dnd,
        text: Some("Вне офиса 🏖".to_owned()),
        emoji: Some("🏖".to_owned()),
        until: Some(at(100)),
    };
    let set = async |presence: &OwnPresence| {
        let patch = UserPatch {
            presence: Some(presence.clone()),
            ..UserPatch::default()
        };
        store.update_user(&ann, patch).await.unwrap().unwrap()
    };
    let changed = set(&wanted).await;
    assert_eq!((&changed.presence, changed.user_rev), (&wanted, before.user_rev));
    let renamed = UserPatch {
        name: Some("Ann B.".to_owned()),
        ..UserPatch::default()
    };
    store.update_user(&ann, renamed).await.unwrap();
    assert_eq!(row().await.presence, wanted, "a store knows no time");
    for status in [ManualStatus::Away, ManualStatus::Invisible, ManualStatus::Auto] {
        let bare = OwnPresence {
            status,
            ..OwnPresence::default()
        };
        set(&bare).await;
        assert_eq!(row().await.presence, bare);
    }
}

/// An earlier end of a session does not move `last_seen_at` back.
pub async fn last_seen_never_moves_back(store: AnyStore) {
    people(&store, ["ann"]).await;
    for seen in [at(20), at(10)] {
        let patch = UserPatch {
            last_seen_at: Some(seen),
            ..UserPatch::default()
        };
        let patched = store.update_user(&user("ann"), patch).await.unwrap().unwrap();
        assert_eq!(patched.last_seen_at, Some(at(20)));
    }
}

/// Concurrent patches of different fields all stay, and every settings patch counts.
pub async fn concurrent_patches_are_atomic(store: AnyStore) {
    people(&store, ["ann"]).await;
    let calls = (0..24).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut patch = UserPatch::default();
            match n % 3 {
                0 => patch.settings = Some(SettingsChange::default()),
                1 => patch.name = Some("Ann".to_owned()),
                _ => patch.custom = Some(object("a", "b")),
            }
            store.update_user(&user("ann"), patch).await.unwrap();
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let ann = store.users(&[user("ann")]).await.unwrap().remove(0);
    assert_eq!(ann.user_rev, 8);
    assert_eq!((ann.name.as_str(), ann.custom), ("Ann", object("a", "b")));
}

/// Concurrent patches of different settings all stay.
pub async fn concurrent_patches_of_settings_all_stay(store: AnyStore) {
    people(&store, ["ann"]).await;
    let wanted = UserSettings {
        receipts: Visibility::Nobody,
        show_online: Visibility::Contacts,
        show_last_seen: Visibility::Nobody,
        push: PushLevel::Mentions,
        push_content: PushContent::IdOnly,
        dnd_until: Some(at(99)),
    };
    let whole = SettingsChange::from(wanted.clone());
    let calls = (0..24).map(|n| {
        let mut change = SettingsChange::default();
        match n % 6 {
            0 => change.receipts = whole.receipts,
            1 => change.show_online = whole.show_online,
            2 => change.show_last_seen = whole.show_last_seen,
            3 => change.push = whole.push,
            4 => change.push_content = whole.push_content,
            _ => change.dnd_until = whole.dnd_until,
        }
        let store = store.clone();
        tokio::spawn(async move {
            let patch = UserPatch {
                settings: Some(change),
                ..UserPatch::default()
            };
            store.update_user(&user("ann"), patch).await.unwrap();
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let ann = store.users(&[user("ann")]).await.unwrap().remove(0);
    assert_eq!((ann.settings, ann.user_rev), (wanted, 24));
}

/// A patch takes its picture and lets the old one go in one step; without the picture nothing of it happens.
pub async fn a_picture_is_taken_with_the_patch_or_not_at_all(store: AnyStore) {
    use AttachmentState::{Avatar, Deleted};
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let files = [attachment(&ann), attachment(&ann)];
    let [first, second] = [files[0].id, files[1].id];
    for file in files {
        store.add_attachment(file).await.unwrap();
    }
    let picture = |avatar| UserPatch {
        name: Some(format!("With {avatar:?}")),
        avatar: Some(avatar),
        ..UserPatch::default()
    };
    let state = async |id| store.attachments(&[id]).await.unwrap()[0].state;
    let change =
        async |user: &UserId, patch: UserPatch| store.update_user(user, patch).await.unwrap().unwrap();
    assert_eq!(change(&ann, picture(Some(first))).await.avatar, Some(first));
    assert_eq!(state(first).await, Avatar);
    let kept = store.users(std::slice::from_ref(&bob)).await.unwrap().remove(0);
    let unknown = AttachmentId::from_uuid(Uuid::now_v7());
    for taken in [first, unknown] {
        assert_eq!(change(&bob, picture(Some(taken))).await, kept, "nothing of it");
    }
    let again = change(&ann, picture(Some(first))).await;
    assert_eq!((again.avatar, state(first).await), (Some(first), Avatar));
    assert_eq!(change(&ann, picture(Some(second))).await.avatar, Some(second));
    assert_eq!((state(first).await, state(second).await), (Deleted, Avatar));
    let other = UserPatch {
        suspended: Some(false),
        ..UserPatch::default()
    };
    change(&ann, other).await;
    assert_eq!(state(second).await, Avatar);
    assert_eq!(change(&ann, picture(None)).await.avatar, None);
    assert_eq!(state(second).await, Deleted);
}

/// Users come back by id, each once; unknown ids are left out.
pub async fn users_come_back_by_id(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let ids = [bob.clone(), user("nobody"), ann.clone(), bob.clone()];
    let mut known: Vec<UserId> = store
        .users(&ids)
        .await
        .unwrap()
        .into_iter()
        .map(|u| u.id)
        .collect();
    known.sort();
    assert_eq!(known, [ann, bob]);
    assert!(store.users(&[]).await.unwrap().is_empty());
}

/// Ids that differ only in case, accents or form are different users.
pub async fn user_ids_are_compared_exactly(store: AnyStore) {
    let ids = ["ada", "Ada", "ADA", "adá", "ada\u{301}", "ada "].map(user);
    for id in &ids {
        let (made, is_new) = store.ensure_user(NewUser::new(id.clone()), at(0)).await.unwrap();
        assert!(is_new, "{id:?} is somebody new");
        assert_eq!((&made.id, made.name.as_str()), (id, id.as_str()));
    }
    assert_eq!(store.users(&ids).await.unwrap().len(), ids.len());
}

/// A part of the name finds a user, whatever its case.
pub async fn people_are_found_by_a_part_of_their_name(store: AnyStore) {
    let ada = named(&store, "u1", "Ada Lovelace").await;
    let anna = named(&store, "u2", "Анна").await;
    let odysseus = named(&store, "u3", "ΟΔΥΣΣΕΥΣ").await;
    let strasser = named(&store, "u4", "Straẞer").await;
    assert_eq!(found(&store, "LOVE").await, std::slice::from_ref(&ada));
    assert_eq!(found(&store, "a l").await, [ada]);
    assert_eq!(found(&store, "анн").await, [anna]);
    assert_eq!(found(&store, "οδυσσευς").await, [odysseus]);
    assert_eq!(found(&store, "straßer").await, [strasser]);
    assert!(found(&store, "strasser").await.is_empty());
    assert!(found(&store, "nobody").await.is_empty());
}

/// Pattern characters in a search stand for themselves.
pub async fn people_search_is_literal(store: AnyStore) {
    let percent = named(&store, "u1", "100% Ada").await;
    let underscore = named(&store, "u2", "a_b").await;
    let backslash = named(&store, "u3", "a\\b").await;
    named(&store, "u4", "axb").await;
    assert_eq!(found(&store, "%").await, [percent]);
    assert_eq!(found(&store, "a_b").await, [underscore]);
    assert_eq!(found(&store, "\\").await, [backslash]);
    assert!(found(&store, ".*").await.is_empty());
    assert!(found(&store, "'").await.is_empty());
}

/// A new name is found from its writing on and the old one is not, in part and whole, long and short.
pub async fn new_names_find_people_at_once(store: AnyStore) {
    let ann = named(&store, "u1", "Margarete").await;
    let other = named(&store, "u2", "Marga Reti").await;
    assert_eq!(found(&store, "marga").await, [ann.clone(), other.clone()]);
    let rename = async |name: &str| {
        let patch = UserPatch {
            name: Some(name.to_owned()),
            ..UserPatch::default()
        };
        store.update_user(&ann, patch).await.unwrap();
    };
    rename("Ursula").await;
    for gone in ["marga", "margarete", "ga"] {
        assert!(!found(&store, gone).await.contains(&ann), "{gone}");
    }
    for new in ["u", "ur", "urs", "ursula", "SUL"] {
        assert_eq!(found(&store, new).await, std::slice::from_ref(&ann), "{new}");
    }
    let patch = UserPatch {
        suspended: Some(true),
        ..UserPatch::default()
    };
    store.update_user(&ann, patch).await.unwrap();
    assert_eq!(found(&store, "ursula").await, std::slice::from_ref(&ann));
    rename("Margarete").await;
    assert_eq!(found(&store, "margarete").await, [ann]);
    assert!(found(&store, "ursula").await.is_empty());
}

/// E-mail addresses and phone numbers are found whole or not at all.
pub async fn addresses_are_found_only_whole(store: AnyStore) {
    store.ensure_user(everything_known("u1"), at(0)).await.unwrap();
    named(&store, "u2", "Bob").await;
    assert_eq!(found(&store, "ada@example.org").await, [user("u1")]);
    assert_eq!(found(&store, "+4912345").await, [user("u1")]);
    for part in ["ada@", "example.org", "+49", "12345"] {
        assert!(found(&store, part).await.is_empty(), "{part}");
    }
}

/// People come in order of id, a page at a time.
pub async fn people_come_in_order_of_id(store: AnyStore) {
    let mut ids = Vec::new();
    for id in ["b", "B", "a", "ä", "z", "😀", "\u{ffff}"] {
        ids.push(named(&store, id, "Same Name").await);
    }
    ids.sort();
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let search = UserSearch {
            query: "same".to_owned(),
            exact: "same".to_owned(),
            after: seen.last().cloned(),
            limit: 3,
        };
        let page = store.search_users(&search).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        seen.extend(page.into_iter().map(|user| user.id));
    }
    assert_eq!(seen, ids);
}

/// Every text of a user comes back exactly, up to the limits.
pub async fn user_texts_come_back_as_they_went_in(store: AnyStore) {
    let names = [
        "e\u{301} é",
        "👩\u{200d}👩\u{200d}👧",
        "\u{202e}drow",
        "'\"; --",
        " spaced ",
        "\u{1}\u{7f}",
    ];
    for (n, name) in names.iter().enumerate() {
        let id = named(&store, &format!("u{n}"), name).await;
        assert_eq!(store.users(&[id]).await.unwrap()[0].name, *name);
    }
    let custom = object("k", &"ü".repeat(4_000));
    assert!(custom.json_bytes() > 8_000);
    let patch = UserPatch {
        custom: Some(custom.clone()),
        ..UserPatch::default()
    };
    let patched = store.update_user(&user("u0"), patch).await.unwrap().unwrap();
    assert_eq!(patched.custom, custom);
    assert_eq!(store.users(&[user("u0")]).await.unwrap()[0].custom, custom);
}

use std::time::Duration;

use chat_core::command::{PageRequest, ProfilePatch, SettingsPatch};
use chat_core::error::ErrorCode;
use chat_core::id::UserId;
use chat_core::model::{AttachmentKind, AttachmentState, NewUser, PushLevel, UserSettings, Visibility};
use chat_core::time::Clock;
use chat_core::view::{Page, UserView};

use crate::world::{World, code, id, refusal};

fn ids(page: &Page<UserView>) -> Vec<&str> {
    page.items.iter().map(|user| user.id.as_str()).collect()
}

async fn find(world: &World, user: &UserId, q: &str) -> Vec<String> {
    let page = world
        .on(user)
        .search_users(q, PageRequest::default())
        .await
        .unwrap();
    ids(&page).into_iter().map(ToOwned::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_profile_changes_field_by_field() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    assert_eq!(world.on(&a).me().await.unwrap().name, "Name of a");
    let custom = serde_json::from_value(serde_json::json!({ "k": 1 })).unwrap();
    let patch = ProfilePatch {
        name: Some("Ada".to_owned()),
        custom: Some(Some(custom)),
        ..ProfilePatch::default()
    };
    let me = world.on(&a).update_me(patch).await.unwrap();
    assert_eq!((me.name.as_str(), me.custom.is_empty()), ("Ada", false));
    let patch = ProfilePatch {
        custom: Some(None),
        ..ProfilePatch::default()
    };
    let me = world.on(&a).update_me(patch).await.unwrap();
    assert_eq!((me.name.as_str(), me.custom.is_empty()), ("Ada", true));
    let blank = ProfilePatch {
        name: Some("\u{200b}".to_owned()),
        ..ProfilePatch::default()
    };
    assert_eq!(
        refusal(world.on(&a).update_me(blank).await),
        (ErrorCode::InvalidArgument, "name".to_owned())
    );
    assert_eq!(code(world.on(&id("nobody")).me().await), ErrorCode::UserNotFound);
    assert_eq!(
        code(world.on(&a).user(&id("nobody")).await),
        ErrorCode::UserNotFound
    );
    assert_eq!(world.names().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_claimed_and_the_old_one_goes() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let picture = |avatar| ProfilePatch {
        avatar_attachment_id: Some(avatar),
        ..ProfilePatch::default()
    };
    let first = world.upload(&a, AttachmentKind::Image).await;
    let me = world.on(&a).update_me(picture(Some(first))).await.unwrap();
    assert!(me.avatar_url.unwrap().contains(&first.to_string()));
    assert_eq!(world.upload_state(first).await, AttachmentState::Avatar);
    // Setting it again changes nothing.
    world.on(&a).update_me(picture(Some(first))).await.unwrap();
    let second = world.upload(&a, AttachmentKind::Image).await;
    world.on(&a).update_me(picture(Some(second))).await.unwrap();
    assert_eq!(world.upload_state(first).await, AttachmentState::Deleted);
    assert_eq!(
        code(world.on(&b).update_me(picture(Some(second))).await),
        ErrorCode::AttachmentNotFound
    );
    assert_eq!(
        code(world.on(&a).update_me(picture(Some(first))).await),
        ErrorCode::AttachmentNotFound
    );
    let me = world.on(&a).update_me(picture(None)).await.unwrap();
    assert_eq!(
        (me.avatar_url, world.upload_state(second).await),
        (None, AttachmentState::Deleted)
    );
}

#[tokio::test(start_paused = true)]
async fn settings_keep_what_is_not_named() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    assert_eq!(world.on(&a).settings().await.unwrap(), UserSettings::default());
    let until = world.clock.now().after(Duration::from_secs(60));
    let patch = SettingsPatch {
        push: Some(PushLevel::Mentions),
        dnd_until: Some(Some(until)),
        ..SettingsPatch::default()
    };
    let settings = world.on(&a).update_settings(patch.clone()).await.unwrap();
    assert_eq!(
        (settings.push, settings.dnd_until),
        (PushLevel::Mentions, Some(until))
    );
    world.on(&a).update_settings(patch).await.unwrap();
    assert_eq!(world.row(&a).await.user_rev, 1);
    let patch = SettingsPatch {
        dnd_until: Some(None),
        ..SettingsPatch::default()
    };
    let settings = world.on(&a).update_settings(patch).await.unwrap();
    assert_eq!((settings.push, settings.dnd_until), (PushLevel::Mentions, None));
    assert_eq!(world.on(&a).settings().await.unwrap(), settings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_of_different_settings_all_stay() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    let patch = |receipts, push| SettingsPatch {
        receipts,
        push,
        ..SettingsPatch::default()
    };
    for round in 0..300 {
        let (receipts, push) = if round % 2 == 0 {
            (Visibility::Nobody, PushLevel::None)
        } else {
            (Visibility::Everyone, PushLevel::All)
        };
        let changes = [patch(Some(receipts), None), patch(None, Some(push))].map(|patch| {
            let actor = world.on(&a);
            tokio::spawn(async move { actor.update_settings(patch).await })
        });
        for change in changes {
            change.await.unwrap().unwrap();
        }
        let settings = world.on(&a).settings().await.unwrap();
        assert_eq!(
            (settings.receipts, settings.push),
            (receipts, push),
            "round {round}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn people_are_found_by_part_of_a_name_or_a_whole_address() {
    let world = World::with(|config| config.limits.searches = chat_core::config::Rate::new(100, 100));
    let [a, b] = world.users(["a", "b"]).await;
    let new = NewUser {
        email: Some("zoe@example.org".to_owned()),
        phone: Some("+4912345".to_owned()),
        ..NewUser::new(id("z")).with_name("ZOË")
    };
    world.store().ensure_user(new, world.clock.now()).await.unwrap();
    assert_eq!(find(&world, &a, " zoë ").await, ["z"]);
    assert_eq!(find(&world, &a, "Zoe@Example.org").await, ["z"]);
    assert_eq!(find(&world, &a, "+4912345").await, ["z"]);
    assert!(find(&world, &a, "zoe@example").await.is_empty());
    world.on(&b).block(&id("z")).await.unwrap();
    assert!(find(&world, &b, "zoë").await.is_empty());
    assert!(find(&world, &id("z"), "name of b").await.is_empty());
    assert_eq!(find(&world, &id("z"), "name of a").await, ["a"]);
    for (q, expected) in [
        ("", ErrorCode::QueryRequired),
        (" \u{200b}", ErrorCode::QueryRequired),
        ("x\0", ErrorCode::InvalidArgument),
        ("x".repeat(501).as_str(), ErrorCode::InvalidArgument),
    ] {
        let refused = world.on(&a).search_users(q, PageRequest::default()).await;
        assert_eq!(refusal(refused), (expected, "q".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn search_pages_are_whole_in_spite_of_blocks() {
    let world = World::with(|config| config.limits.searches = chat_core::config::Rate::new(100, 100));
    let [a, ..] = world.users(["a", "b1", "b2", "b3", "b4", "b5"]).await;
    for blocked in ["b1", "b2", "b4"] {
        world.on(&a).block(&id(blocked)).await.unwrap();
    }
    let page = |cursor| PageRequest {
        limit: Some(1),
        cursor,
    };
    let first = world.on(&a).search_users("name of b", page(None)).await.unwrap();
    assert_eq!(ids(&first), ["b3"]);
    let second = world
        .on(&a)
        .search_users("name of b", page(first.next_cursor))
        .await
        .unwrap();
    assert_eq!((ids(&second), &second.next_cursor), (vec!["b5"], &None));
}

#[tokio::test(start_paused = true)]
async fn searches_have_a_rate_of_their_own() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    let mut refused = None;
    for _ in 0..5 {
        if let Err(error) = world.on(&a).search_users("x", PageRequest::default()).await {
            refused = Some(error);
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
    assert!(refused.retry_after().is_some());
}

#[tokio::test(start_paused = true)]
async fn contacts_are_direct_peers() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    world.direct(&a, &b).await;
    world.direct(&c, &a).await;
    world.group(&a, &[&b, &d]).await;
    let page = world
        .on(&a)
        .contacts(PageRequest {
            limit: Some(1),
            cursor: None,
        })
        .await
        .unwrap();
    assert_eq!(ids(&page), ["b"]);
    let rest = PageRequest {
        limit: None,
        cursor: page.next_cursor,
    };
    assert_eq!(ids(&world.on(&a).contacts(rest).await.unwrap()), ["c"]);
    assert!(
        world
            .on(&d)
            .contacts(PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

use std::time::Duration;

use chat_core::command::{PageRequest, SettingsPatch};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::UserId;
use chat_core::model::Visibility;
use chat_core::time::Clock;
use chat_core::view::{PresenceStatus, UserView};
use serde_json::json;

use crate::world::{World, code, id, refusal};

const GRACE: Duration = Duration::from_secs(8);

async fn sees(world: &World, viewer: &UserId, subject: &UserId) -> (PresenceStatus, bool) {
    let seen = world
        .on(viewer)
        .presence(std::slice::from_ref(subject))
        .await
        .unwrap();
    (seen[0].presence.status, seen[0].presence.last_seen_at.is_some())
}

async fn show(world: &World, user: &UserId, online: Visibility, last_seen: Visibility) {
    let patch = SettingsPatch {
        show_online: Some(online),
        show_last_seen: Some(last_seen),
        ..SettingsPatch::default()
    };
    world.on(user).update_settings(patch).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_edges_make_events_and_a_short_break_makes_none() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    let engine = &world.engine;
    let first = world.connect(&a).await;
    let second = world.connect(&a).await;
    drop(first);
    tokio::time::sleep(GRACE * 2).await;
    assert_eq!(world.names().await, [""; 0]);
    drop(second);
    tokio::time::sleep(GRACE / 2).await;
    let third = world.connect(&a).await;
    tokio::time::sleep(GRACE * 2).await;
    assert_eq!(world.names().await, [""; 0]);
    let ended_at = world.clock.now();
    drop(third);
    tokio::time::sleep(GRACE - Duration::from_millis(100)).await;
    assert_eq!(world.names().await, [""; 0]);
    world.clock.advance(GRACE);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let happened = world.happened().await;
    let [event] = happened.as_slice() else {
        panic!("{happened:?}")
    };
    assert_eq!(
        **event,
        ChatEvent::PresenceChanged {
            user_id: a.clone(),
            status: PresenceStatus::Offline,
            last_seen_at: Some(ended_at)
        }
    );
    assert_eq!(world.row(&a).await.last_seen_at, Some(ended_at));
    assert_eq!(engine.live().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn sessions_nobody_looks_at_are_away() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let device = world.connect(&a).await;
    assert_eq!(sees(&world, &b, &a).await, (PresenceStatus::Online, false));
    device
        .session
        .execute("set_foreground", json!({ "foreground": false }))
        .await
        .unwrap();
    assert_eq!(world.names().await, ["presence_changed"]);
    assert_eq!(sees(&world, &b, &a).await, (PresenceStatus::Away, false));
    device
        .session
        .execute("set_foreground", json!({ "foreground": false }))
        .await
        .unwrap();
    assert_eq!(world.names().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn peers_and_subscribers_hear_of_it_and_nobody_else() {
    let world = World::new();
    let [a, peer, watcher, stranger] = world.users(["a", "peer", "watcher", "stranger"]).await;
    world.direct(&a, &peer).await;
    let (mut of_peer, mut of_watcher, mut of_stranger) = (
        world.connect(&peer).await,
        world.connect(&watcher).await,
        world.connect(&stranger).await,
    );
    let asked = of_watcher
        .session
        .execute("subscribe_presence", json!({ "user_ids": ["a"] }))
        .await
        .unwrap();
    assert_eq!(
        asked,
        json!({ "presence": [{ "user_id": "a", "status": "offline" }] })
    );
    let _device = world.connect(&a).await;
    let came = vec![json!({ "user_id": "a", "status": "online" })];
    assert_eq!(of_peer.got_of("presence_changed").await, came);
    assert_eq!(of_watcher.got_of("presence_changed").await, came);
    assert!(of_stranger.got().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn privacy_is_reciprocal() {
    use Visibility::{Contacts, Everyone, Nobody};
    let world = World::new();
    let [a, contact, stranger] = world.users(["a", "contact", "stranger"]).await;
    world.direct(&a, &contact).await;
    drop(world.connect(&a).await);
    tokio::time::sleep(GRACE * 2).await;
    assert_eq!(sees(&world, &stranger, &a).await, (PresenceStatus::Offline, true));
    let _devices = [
        world.connect(&a).await,
        world.connect(&contact).await,
        world.connect(&stranger).await,
    ];
    show(&world, &a, Contacts, Everyone).await;
    assert_eq!(sees(&world, &contact, &a).await, (PresenceStatus::Online, false));
    assert_eq!(sees(&world, &stranger, &a).await, (PresenceStatus::Offline, true));
    assert_eq!(
        sees(&world, &a, &stranger).await,
        (PresenceStatus::Offline, false)
    );
    show(&world, &a, Nobody, Nobody).await;
    assert_eq!(sees(&world, &contact, &a).await, (PresenceStatus::Offline, false));
    assert_eq!(sees(&world, &a, &contact).await, (PresenceStatus::Offline, false));
    assert_eq!(sees(&world, &a, &a).await, (PresenceStatus::Online, false));
}

#[tokio::test(start_paused = true)]
async fn becoming_invisible_looks_like_going() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    world.direct(&a, &b).await;
    let (mut of_a, mut of_b) = (world.connect(&a).await, world.connect(&b).await);
    of_a.got().await;
    show(&world, &a, Visibility::Nobody, Visibility::Everyone).await;
    assert_eq!(
        of_b.got_of("presence_changed").await,
        [json!({ "user_id": "a", "status": "offline" })]
    );
    assert_eq!(
        of_a.got_of("presence_changed").await,
        [json!({ "user_id": "b", "status": "offline" })]
    );
    // What he does while he is invisible is nobody's business.
    of_a.session
        .execute("set_foreground", json!({ "foreground": false }))
        .await
        .unwrap();
    assert!(of_b.got().await.is_empty());
    show(&world, &a, Visibility::Everyone, Visibility::Everyone).await;
    assert_eq!(
        of_b.got_of("presence_changed").await,
        [json!({ "user_id": "a", "status": "away" })]
    );
}

#[tokio::test(start_paused = true)]
async fn answers_have_one_entry_per_user_in_the_order_asked() {
    let world = World::with(|config| config.limits.presence_ids = 3);
    let [a, b] = world.users(["a", "b"]).await;
    let _device = world.connect(&b).await;
    let asked = [id("nobody"), b.clone(), a.clone()];
    let seen = world.on(&a).presence(&asked).await.unwrap();
    let seen: Vec<(&str, PresenceStatus)> = seen
        .iter()
        .map(|p| (p.user_id.as_str(), p.presence.status))
        .collect();
    assert_eq!(
        seen,
        [
            ("nobody", PresenceStatus::Offline),
            ("b", PresenceStatus::Online),
            ("a", PresenceStatus::Offline)
        ]
    );
    let refused = world.on(&a).presence(&[&asked[..], &asked[..1]].concat()).await;
    assert_eq!(
        refusal(refused),
        (ErrorCode::InvalidArgument, "user_ids".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn online_users_are_those_he_may_see_but_himself() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let _devices = [
        world.connect(&a).await,
        world.connect(&b).await,
        world.connect(&c).await,
        world.connect(&d).await,
    ];
    world.on(&b).block(&a).await.unwrap();
    show(&world, &c, Visibility::Nobody, Visibility::Everyone).await;
    let online = world.on(&a).online_users(PageRequest::default()).await.unwrap();
    let online: Vec<&str> = online.items.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(online, ["d"]);
    let none = PageRequest {
        limit: Some(0),
        cursor: None,
    };
    assert_eq!(
        code(world.on(&a).online_users(none).await),
        ErrorCode::InvalidArgument
    );
}

#[tokio::test(start_paused = true)]
async fn online_users_come_in_pages_with_contacts_first() {
    let world = World::new();
    let [a, b, c, d, e] = world.users(["a", "b", "c", "d", "e"]).await;
    world.direct(&a, &c).await;
    let _here = [
        world.connect(&a).await,
        world.connect(&c).await,
        world.connect(&e).await,
        world.connect(&b).await,
    ];
    let gone = world.connect(&d).await;
    let mut page = PageRequest {
        limit: Some(2),
        cursor: None,
    };
    let first = world.on(&a).online_users(page.clone()).await.unwrap();
    let names = |users: &[UserView]| users.iter().map(|user| user.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&first.items), ["c", "d"]);
    page.cursor = first.next_cursor;
    assert_eq!(
        code(world.on(&b).online_users(page.clone()).await),
        ErrorCode::InvalidCursor
    );
    let rest = world.on(&a).online_users(page.clone()).await.unwrap();
    assert_eq!(
        (names(&rest.items), rest.next_cursor),
        (vec!["b".into(), "e".into()], None)
    );
    drop(gone);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let rest = world.on(&a).online_users(page).await.unwrap();
    assert_eq!(
        names(&rest.items),
        ["b", "e"],
        "also when the last one shown has gone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_does_not_wait() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    let device = world.connect(&a).await;
    world.clock.advance(Duration::from_secs(5));
    world.engine.drain(Duration::ZERO, Duration::from_secs(1)).await;
    drop(device);
    assert_eq!(world.names().await, ["presence_changed"]);
    assert_eq!(world.row(&a).await.last_seen_at, Some(world.clock.now()));
}

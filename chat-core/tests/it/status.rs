//! How users want to be seen: a status of their own, a word with it, and being invisible.

use std::time::Duration;

use chat_core::command::{PageRequest, SendMessage, SetPresence, SetTyping};
use chat_core::config::DeliveredOn;
use chat_core::error::ErrorCode;
use chat_core::id::UserId;
use chat_core::model::{ManualStatus, OwnPresence};
use chat_core::time::Clock;
use chat_core::view::{PresenceStatus, PresenceView};
use serde_json::json;

use crate::world::{World, refusal, settle};

const GRACE: Duration = Duration::from_secs(8);

fn wants(status: ManualStatus) -> SetPresence {
    SetPresence {
        status,
        text: None,
        emoji: None,
        until: None,
    }
}

async fn set(world: &World, user: &UserId, status: ManualStatus) {
    world.on(user).set_presence(wants(status)).await.unwrap();
}

async fn seen(world: &World, viewer: &UserId, subject: &UserId) -> PresenceView {
    let mut seen = world
        .on(viewer)
        .presence(std::slice::from_ref(subject))
        .await
        .unwrap();
    seen.remove(0).presence
}

async fn status(world: &World, viewer: &UserId, subject: &UserId) -> PresenceStatus {
    seen(world, viewer, subject).await.status
}

#[tokio::test(start_paused = true)]
async fn a_status_of_ones_own_beats_the_automatic_one_and_stays_over_sessions() {
    use PresenceStatus::{Away, Offline, Online};
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    set(&world, &a, ManualStatus::Away).await;
    assert_eq!(
        status(&world, &b, &a).await,
        Offline,
        "nobody is there by saying so"
    );
    let device = world.connect(&a).await;
    assert_eq!(status(&world, &b, &a).await, Away);
    drop(device);
    tokio::time::sleep(GRACE * 2).await;
    assert_eq!(status(&world, &b, &a).await, Offline);
    let device = world.connect(&a).await;
    assert_eq!(status(&world, &b, &a).await, Away);
    let answer = device
        .session
        .execute(
            "set_presence",
            json!({ "status": "dnd", "text": "in a meeting", "emoji": "📅" }),
        )
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({ "status": "dnd", "text": "in a meeting", "emoji": "📅" })
    );
    let view = seen(&world, &b, &a).await;
    assert_eq!((view.status, view.dnd), (Online, Some(true)));
    assert_eq!(view.status_text.as_deref(), Some("in a meeting"));
    assert_eq!(view.status_emoji.as_deref(), Some("📅"));
    let own = world.on(&a).own_presence().await.unwrap();
    assert_eq!(
        (own.status, own.text.as_deref()),
        (ManualStatus::Dnd, Some("in a meeting"))
    );
    set(&world, &a, ManualStatus::Auto).await;
    assert_eq!(world.on(&a).own_presence().await.unwrap(), OwnPresence::default());
    let view = seen(&world, &b, &a).await;
    assert_eq!((view.status, view.dnd, view.status_text), (Online, None, None));
}

#[tokio::test(start_paused = true)]
async fn each_change_others_see_is_one_event() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    world.direct(&a, &b).await;
    let (of_a, mut of_b) = (world.connect(&a).await, world.connect(&b).await);
    let mut second = world.connect(&a).await;
    of_b.got().await;
    second.got().await;
    let change = async |payload| of_a.session.execute("set_presence", payload).await.unwrap();
    change(json!({ "status": "away", "text": "lunch" })).await;
    let event = json!({ "user_id": "a", "status": "away", "status_text": "lunch" });
    assert_eq!(of_b.got_of("presence_changed").await, [event]);
    let own = json!({ "user_id": "a", "status": "away", "status_text": "lunch", "own": { "status": "away", "text": "lunch" } });
    assert_eq!(second.got_of("presence_changed").await, [own]);
    change(json!({ "status": "away", "text": "lunch" })).await;
    // By his sessions he goes away now; to others he was so already.
    for device in [&of_a, &second] {
        let background = json!({ "foreground": false });
        device
            .session
            .execute("set_foreground", background)
            .await
            .unwrap();
    }
    assert!(of_b.got().await.is_empty());
    change(json!({ "status": "auto" })).await;
    assert_eq!(
        of_b.got_of("presence_changed").await,
        [json!({ "user_id": "a", "status": "away" })],
        "the word is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn it_lapses_by_itself_and_others_hear_of_it() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    world.direct(&a, &b).await;
    let (mut of_a, mut of_b) = (world.connect(&a).await, world.connect(&b).await);
    let until = world.clock.now().after(Duration::from_secs(60));
    let set = SetPresence {
        text: Some("back soon".to_owned()),
        until: Some(until),
        ..wants(ManualStatus::Away)
    };
    world.on(&a).set_presence(set).await.unwrap();
    of_b.got().await;
    of_a.got().await;
    world.clock.advance(Duration::from_secs(59));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(of_b.got().await.is_empty());
    assert_eq!(status(&world, &b, &a).await, PresenceStatus::Away);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&world, &b, &a).await, PresenceStatus::Online);
    assert_eq!(world.on(&a).own_presence().await.unwrap(), OwnPresence::default());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let back = json!({ "user_id": "a", "status": "online" });
    assert_eq!(of_b.got_of("presence_changed").await, [back]);
    let own = json!({ "user_id": "a", "status": "online", "own": { "status": "auto" } });
    assert_eq!(of_a.got_of("presence_changed").await, [own]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(of_b.got().await.is_empty());
    let past = SetPresence {
        until: Some(until),
        ..wants(ManualStatus::Invisible)
    };
    assert_eq!(
        world.on(&a).set_presence(past).await.unwrap(),
        OwnPresence::default(),
        "what has lapsed already says nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_invisible_cannot_be_told_from_who_has_gone() {
    let world = World::with(|config| config.policies.delivered_on = DeliveredOn::Emit);
    let [ghost, gone, b] = world.users(["ghost", "gone", "b"]).await;
    let rooms = [world.direct(&ghost, &b).await, world.direct(&gone, &b).await];
    let mut of_b = world.connect(&b).await;
    let (mut of_ghost, of_gone) = (world.connect(&ghost).await, world.connect(&gone).await);
    of_b.got().await;
    world.clock.advance(Duration::from_secs(30));
    let invisible = SetPresence {
        text: Some("hush".to_owned()),
        ..wants(ManualStatus::Invisible)
    };
    world.on(&ghost).set_presence(invisible).await.unwrap();
    drop(of_gone);
    tokio::time::sleep(GRACE * 2).await;
    let told: Vec<_> = of_b.got_of("presence_changed").await;
    let without_name = |mut event: serde_json::Value| {
        event["user_id"] = json!("x");
        event
    };
    assert_eq!(told.len(), 2);
    assert_eq!(without_name(told[0].clone()), without_name(told[1].clone()));
    // What he does now: sessions come, go, and go to the background; he types; messages reach him.
    world.clock.advance(Duration::from_secs(30));
    let second = world.connect(&ghost).await;
    let background = json!({ "foreground": false });
    second
        .session
        .execute("set_foreground", background)
        .await
        .unwrap();
    let typing = SetTyping {
        conversation_id: rooms[0],
        active: true,
    };
    world.on(&ghost).set_typing(typing).await.unwrap();
    drop(second);
    tokio::time::sleep(GRACE * 2).await;
    assert!(of_b.got().await.is_empty());
    for room in rooms {
        world
            .on(&b)
            .send(SendMessage::text(room, "there?"))
            .await
            .unwrap();
    }
    settle().await;
    assert_eq!(of_ghost.got_of("message_created").await.len(), 1);
    let of = async |user: &UserId, room| {
        let view = seen(&world, &b, user).await;
        let person = world.on(&b).user(user).await.unwrap().presence.unwrap();
        let peer = world.on(&b).conversation(room).await.unwrap();
        let delivered = world.member(room, user).await.delivered_seq;
        (view, person, peer.peer_presence(), delivered)
    };
    let (hidden, absent) = (of(&ghost, rooms[0]).await, of(&gone, rooms[1]).await);
    assert_eq!(hidden, absent);
    assert_eq!(hidden.0.status, PresenceStatus::Offline);
    assert!(hidden.0.last_seen_at.is_some() && hidden.0.status_text.is_none());
    assert!(
        world
            .on(&b)
            .online_users(PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let mine = seen(&world, &ghost, &ghost).await;
    assert_eq!(
        (mine.status, mine.status_text.as_deref()),
        (PresenceStatus::Online, Some("hush"))
    );
    assert_eq!(
        seen(&world, &ghost, &b).await.status,
        PresenceStatus::Online,
        "he sees others"
    );
    drop(of_ghost);
    tokio::time::sleep(GRACE * 2).await;
    assert!(of_b.got_of("presence_changed").await.is_empty());
    assert_eq!(
        seen(&world, &b, &ghost).await,
        absent.0,
        "also when he has really gone"
    );
}

#[tokio::test(start_paused = true)]
async fn becoming_invisible_ends_what_others_see_him_type() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let mut of_c = world.connect(&c).await;
    for user in [&a, &b] {
        let typing = SetTyping {
            conversation_id: group,
            active: true,
        };
        world.on(user).set_typing(typing).await.unwrap();
    }
    of_c.got().await;
    set(&world, &a, ManualStatus::Invisible).await;
    let lists = of_c.got_of("typing_changed").await;
    assert_eq!(lists, [json!({ "conversation_id": group, "user_ids": ["b"] })]);
    tokio::time::sleep(Duration::from_secs(7)).await;
    let lists = of_c.got_of("typing_changed").await;
    assert_eq!(lists, [json!({ "conversation_id": group, "user_ids": [] })]);
}

#[tokio::test(start_paused = true)]
async fn a_word_of_ones_own_is_seen_by_who_sees_that_he_is_there() {
    use chat_core::command::SettingsPatch;
    use chat_core::model::Visibility;
    let world = World::new();
    let [a, contact, stranger] = world.users(["a", "contact", "stranger"]).await;
    world.direct(&a, &contact).await;
    let _device = world.connect(&a).await;
    let set = SetPresence {
        text: Some("here".to_owned()),
        ..wants(ManualStatus::Auto)
    };
    world.on(&a).set_presence(set).await.unwrap();
    let patch = SettingsPatch {
        show_online: Some(Visibility::Contacts),
        ..SettingsPatch::default()
    };
    world.on(&a).update_settings(patch).await.unwrap();
    assert_eq!(
        seen(&world, &contact, &a).await.status_text.as_deref(),
        Some("here")
    );
    let view = seen(&world, &stranger, &a).await;
    assert_eq!((view.status, view.status_text), (PresenceStatus::Offline, None));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_presence_is_refused_and_changes_nothing() {
    let world = World::new();
    let [a] = world.users(["a"]).await;
    let long = |n: usize| SetPresence {
        text: Some("ü".repeat(n)),
        ..wants(ManualStatus::Auto)
    };
    let emoji = |emoji: &str| SetPresence {
        emoji: Some(emoji.to_owned()),
        ..wants(ManualStatus::Auto)
    };
    for (set, field) in [
        (long(101), "text"),
        (
            SetPresence {
                text: Some("two\nlines".to_owned()),
                ..wants(ManualStatus::Auto)
            },
            "text",
        ),
        (emoji("a b"), "emoji"),
        (emoji(&"x".repeat(65)), "emoji"),
    ] {
        let refused = world.on(&a).set_presence(set).await;
        assert_eq!(refusal(refused), (ErrorCode::InvalidArgument, field.to_owned()));
    }
    assert_eq!(world.on(&a).own_presence().await.unwrap(), OwnPresence::default());
    world.on(&a).set_presence(long(100)).await.unwrap();
    assert_eq!(
        world.names().await,
        [""; 0],
        "nobody sees what somebody says who is not there"
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_in_the_background_make_away_after_a_while() {
    let wait = Duration::from_secs(300);
    let world = World::with(|config| config.limits.away_after = wait);
    let [a, b] = world.users(["a", "b"]).await;
    let device = world.connect(&a).await;
    let look = async |foreground: bool| {
        let payload = json!({ "foreground": foreground });
        device.session.execute("set_foreground", payload).await.unwrap();
    };
    look(false).await;
    tokio::time::sleep(wait - Duration::from_secs(1)).await;
    assert_eq!(status(&world, &b, &a).await, PresenceStatus::Online);
    look(true).await;
    tokio::time::sleep(wait).await;
    assert_eq!(
        status(&world, &b, &a).await,
        PresenceStatus::Online,
        "he came back"
    );
    look(false).await;
    tokio::time::sleep(wait + Duration::from_secs(1)).await;
    assert_eq!(status(&world, &b, &a).await, PresenceStatus::Away);
    assert_eq!(world.names().await, ["presence_changed"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_follows_so_many_users() {
    let world = World::with(|config| config.limits.presence_ids = 3);
    let [a, _b] = world.users(["a", "b"]).await;
    let device = world.connect(&a).await;
    let ask = async |command: &str, users: &[&str]| {
        device
            .session
            .execute(command, json!({ "user_ids": users }))
            .await
    };
    ask("subscribe_presence", &["u1", "u2"]).await.unwrap();
    ask("subscribe_presence", &["u2", "u3"]).await.unwrap();
    assert_eq!(
        refusal(ask("subscribe_presence", &["u3", "u4"]).await),
        (ErrorCode::InvalidArgument, "user_ids".to_owned())
    );
    ask("unsubscribe_presence", &["u1"]).await.unwrap();
    ask("subscribe_presence", &["u4"]).await.unwrap();
    let other = world.connect(&a).await;
    let again = json!({ "user_ids": ["u5", "u6", "u7"] });
    other.session.execute("subscribe_presence", again).await.unwrap();
}

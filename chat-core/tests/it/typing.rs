use std::time::Duration;

use chat_core::command::{AddMembers, SetTyping, SettingsPatch};
use chat_core::error::ErrorCode;
use chat_core::event::ChatEvent;
use chat_core::id::{ConversationId, UserId};
use chat_core::model::Visibility;
use serde_json::{Value, json};

use crate::world::{Device, World, code};

/// Lists of typists that were told since the last question.
async fn told(world: &World) -> Vec<Vec<String>> {
    let happened = world.happened().await;
    happened
        .iter()
        .filter_map(|event| match event.as_ref() {
            ChatEvent::TypingChanged { user_ids, .. } => {
                Some(user_ids.iter().map(ToString::to_string).collect())
            }
            _ => None,
        })
        .collect()
}

async fn type_in(world: &World, user: &UserId, conversation_id: ConversationId, active: bool) {
    let typing = SetTyping {
        conversation_id,
        active,
    };
    world.on(user).set_typing(typing).await.unwrap();
}

async fn type_on(device: &Device, conversation: ConversationId, active: bool) {
    let payload = json!({ "conversation_id": conversation, "active": active });
    assert_eq!(
        device.session.execute("typing", payload).await.unwrap(),
        json!({})
    );
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn it_ends_by_itself_and_repeats_only_make_it_last() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    type_in(&world, &a, direct, true).await;
    assert_eq!(told(&world).await, [list(&["a"])]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    type_in(&world, &a, direct, true).await;
    assert!(told(&world).await.is_empty());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(told(&world).await.is_empty());
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert_eq!(told(&world).await, [list(&[])]);
    // After the interval a repeat is told again, for clients that have a clock of their own.
    type_in(&world, &a, direct, true).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    type_in(&world, &a, direct, true).await;
    assert_eq!(told(&world).await, [list(&["a"]), list(&["a"])]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_never_dropped_and_one_without_a_start_says_nothing() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    type_in(&world, &a, direct, false).await;
    assert!(told(&world).await.is_empty());
    type_in(&world, &a, direct, true).await;
    told(&world).await;
    type_in(&world, &a, direct, false).await;
    assert_eq!(told(&world).await, [list(&[])]);
    type_in(&world, &a, direct, true).await;
    assert_eq!(told(&world).await, [list(&["a"])]);
}

#[tokio::test(start_paused = true)]
async fn the_whole_list_goes_to_the_others() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let (mut of_a, mut of_b, mut of_c) = (
        world.connect(&a).await,
        world.connect(&b).await,
        world.connect(&c).await,
    );
    type_on(&of_a, group, true).await;
    world.happened().await;
    type_on(&of_b, group, true).await;
    let lists = |got: Vec<Value>| -> Vec<Value> { got.into_iter().map(|p| p["user_ids"].clone()).collect() };
    assert_eq!(
        lists(of_c.got_of("typing_changed").await),
        [json!(["a"]), json!(["a", "b"])]
    );
    assert_eq!(lists(of_b.got_of("typing_changed").await), [json!(["a"])]);
    assert_eq!(lists(of_a.got_of("typing_changed").await), [json!(["b"])]);
}

#[tokio::test(start_paused = true)]
async fn a_block_hides_typing_in_groups_both_ways() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    world.on(&c).block(&a).await.unwrap();
    let (mut of_a, mut of_c) = (world.connect(&a).await, world.connect(&c).await);
    type_in(&world, &a, group, true).await;
    world.happened().await;
    assert!(of_c.got().await.is_empty());
    type_in(&world, &b, group, true).await;
    world.happened().await;
    type_on(&of_c, group, true).await;
    world.happened().await;
    let lists = |got: Vec<Value>| -> Vec<Value> { got.into_iter().map(|p| p["user_ids"].clone()).collect() };
    assert_eq!(lists(of_c.got_of("typing_changed").await), [json!(["b"])]);
    assert_eq!(lists(of_a.got_of("typing_changed").await), [json!(["b"])]);
}

#[tokio::test(start_paused = true)]
async fn a_block_takes_each_off_the_lists_the_other_has_heard() {
    let world = World::new();
    let [a, b, c] = world.users(["a", "b", "c"]).await;
    let (direct, group) = (world.direct(&a, &b).await, world.group(&a, &[&b, &c]).await);
    let (mut of_a, mut of_b, mut of_c) = (
        world.connect(&a).await,
        world.connect(&b).await,
        world.connect(&c).await,
    );
    for (device, conversation) in [(&of_b, direct), (&of_b, group), (&of_c, group)] {
        type_on(device, conversation, true).await;
    }
    world.happened().await;
    for device in [&mut of_a, &mut of_b, &mut of_c] {
        device.got().await;
    }
    world.on(&a).block(&b).await.unwrap();
    world.happened().await;
    let mut told: Vec<(String, Value)> = (of_a.got_of("typing_changed").await.into_iter())
        .map(|p| {
            (
                p["conversation_id"].as_str().unwrap().to_owned(),
                p["user_ids"].clone(),
            )
        })
        .collect();
    told.sort_by(|x, y| x.0.cmp(&y.0));
    let mut expected = vec![(direct.to_string(), json!([])), (group.to_string(), json!(["c"]))];
    expected.sort_by(|x, y| x.0.cmp(&y.0));
    assert_eq!(told, expected);
    assert!(of_c.got_of("typing_changed").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn he_types_until_all_his_sessions_have_stopped() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let (phone, laptop) = (world.connect(&a).await, world.connect(&a).await);
    type_on(&phone, direct, true).await;
    type_on(&laptop, direct, true).await;
    assert_eq!(told(&world).await, [list(&["a"])]);
    type_on(&phone, direct, false).await;
    assert!(told(&world).await.is_empty());
    drop(laptop);
    assert_eq!(told(&world).await, [list(&[])]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_last_session() {
    let world = World::new();
    let [a, b] = world.users(["a", "b"]).await;
    let direct = world.direct(&a, &b).await;
    let device = world.connect(&a).await;
    type_in(&world, &a, direct, true).await;
    type_on(&device, direct, true).await;
    told(&world).await;
    drop(device);
    assert_eq!(told(&world).await, [list(&[])]);
}

#[tokio::test(start_paused = true)]
async fn a_message_a_departure_and_the_end_of_the_group_end_it() {
    let world = World::new();
    let [a, b, c, d] = world.users(["a", "b", "c", "d"]).await;
    let group = world.group(&a, &[&b, &c, &d]).await;
    for user in [&a, &b, &c, &d] {
        type_in(&world, user, group, true).await;
    }
    assert_eq!(told(&world).await.last(), Some(&list(&["a", "b", "c", "d"])));
    world.send(&a, group, "hi").await;
    assert_eq!(told(&world).await, [list(&["b", "c", "d"])]);
    world.on(&b).leave(group).await.unwrap();
    assert_eq!(told(&world).await, [list(&["c", "d"])]);
    world.on(&a).remove_member(group, &c).await.unwrap();
    assert_eq!(told(&world).await, [list(&["d"])]);
    world.on(&a).delete_conversation(group).await.unwrap();
    assert_eq!(told(&world).await, [list(&[])]);
}

#[tokio::test(start_paused = true)]
async fn who_may_type() {
    let world = World::with(|config| config.policies.large_group_threshold = 3);
    let [a, b, c, d, x] = world.users(["a", "b", "c", "d", "x"]).await;
    let group = world.group(&a, &[&b, &c]).await;
    let typing = SetTyping {
        conversation_id: group,
        active: true,
    };
    assert_eq!(
        code(world.on(&x).set_typing(typing.clone()).await),
        ErrorCode::ConversationNotFound
    );
    let frozen = |on| chat_core::command::ConversationPatch {
        frozen: Some(on),
        ..Default::default()
    };
    world
        .on(&a)
        .update_conversation(group, frozen(true))
        .await
        .unwrap();
    assert_eq!(
        code(world.on(&b).set_typing(typing.clone()).await),
        ErrorCode::NotPermitted
    );
    type_in(&world, &b, group, false).await;
    world
        .on(&a)
        .update_conversation(group, frozen(false))
        .await
        .unwrap();
    // Invisible users are not seen typing.
    let patch = SettingsPatch {
        show_online: Some(Visibility::Nobody),
        ..SettingsPatch::default()
    };
    world.on(&c).update_settings(patch).await.unwrap();
    type_in(&world, &c, group, true).await;
    world
        .on(&a)
        .add_members(group, AddMembers { user_ids: vec![d] })
        .await
        .unwrap();
    type_in(&world, &b, group, true).await;
    assert!(told(&world).await.is_empty());
}

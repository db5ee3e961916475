use chat_core::command::{PageRequest, RegisterDevice, UnregisterDevice};
use chat_core::error::ErrorCode;
use chat_core::model::{Platform, Provider};

use crate::talk::{World, fault};

fn device(token: &str) -> RegisterDevice {
    RegisterDevice {
        token: token.to_owned(),
        platform: Platform::Android,
        provider: Provider::Fcm,
    }
}

async fn tokens(world: &World, who: &str) -> Vec<String> {
    let devices = world.actor(who).devices(PageRequest::default()).await.unwrap();
    assert!(devices.next_cursor.is_none());
    devices.items.into_iter().map(|device| device.token).collect()
}

#[tokio::test]
async fn a_token_has_one_owner_and_the_newest_stay() {
    let world = World::with(|config| config.limits.devices = 2).await;
    for token in ["1", "2", "3"] {
        world.actor("a").register_device(device(token)).await.unwrap();
        world.pass(1);
    }
    assert_eq!(tokens(&world, "a").await, ["3", "2"]);
    world.actor("b").register_device(device("3")).await.unwrap();
    assert_eq!(
        (tokens(&world, "a").await, tokens(&world, "b").await),
        (vec!["2".to_owned()], vec!["3".to_owned()])
    );
    let forget = |token: &str| UnregisterDevice {
        token: token.to_owned(),
    };
    world.actor("a").unregister_device(forget("3")).await.unwrap();
    assert_eq!(tokens(&world, "b").await, ["3"]);
    for _ in 0..2 {
        world.actor("b").unregister_device(forget("3")).await.unwrap();
    }
    assert!(tokens(&world, "b").await.is_empty());
}

#[tokio::test]
async fn tokens_are_bounded() {
    let world = World::new().await;
    for token in ["", "a\0b", &"x".repeat(4_097)] {
        let refused = (ErrorCode::InvalidArgument, "token".to_owned());
        assert_eq!(
            fault(world.actor("a").register_device(device(token)).await),
            refused
        );
    }
    world
        .actor("a")
        .register_device(device(&"x".repeat(4_096)))
        .await
        .unwrap();
}

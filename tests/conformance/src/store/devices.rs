//! Cases for [`DeviceStore`](chat_core::store::DeviceStore).

use chat_core::id::UserId;
use chat_core::model::{Device, Platform, Provider};

use crate::fixtures::{AnyStore, at, people};

fn device(user: &UserId, token: &str, seconds: u64) -> Device {
    Device {
        token: token.to_owned(),
        user_id: user.clone(),
        platform: Platform::Android,
        provider: Provider::Fcm,
        refreshed_at: at(seconds),
        login: None,
    }
}

async fn tokens(store: &AnyStore, user: &UserId) -> Vec<String> {
    let devices = store.devices(std::slice::from_ref(user)).await.unwrap();
    devices.into_iter().map(|device| device.token).collect()
}

/// Devices come back whole, the most recently refreshed first.
pub async fn devices_come_back_newest_first(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    let mut phone = device(&ann, &"t".repeat(4_096), 2);
    phone.platform = Platform::Ios;
    phone.login = Some("login ü".to_owned());
    let mut browser = device(&ann, "browser ü😀", 1);
    browser.platform = Platform::Web;
    for device in [&browser, &phone, &device(&bob, "other", 3)] {
        store.register_device(device.clone(), 25).await.unwrap();
    }
    assert_eq!(
        store.devices(std::slice::from_ref(&ann)).await.unwrap(),
        [phone, browser]
    );
}

/// Registering a device again refreshes it.
pub async fn registering_again_refreshes(store: AnyStore) {
    let [ann] = people(&store, ["ann"]).await;
    for (token, seconds) in [("a", 1), ("b", 2), ("a", 3)] {
        store
            .register_device(device(&ann, token, seconds), 25)
            .await
            .unwrap();
    }
    assert_eq!(tokens(&store, &ann).await, ["a", "b"]);
    let by_login = Device {
        login: Some("new".to_owned()),
        ..device(&ann, "a", 3)
    };
    store.register_device(by_login.clone(), 25).await.unwrap();
    let devices = store.devices(std::slice::from_ref(&ann)).await.unwrap();
    assert_eq!(devices[0], by_login);
}

/// A token that another user registers leaves its former owner.
pub async fn a_token_has_one_owner(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    store.register_device(device(&ann, "a", 1), 25).await.unwrap();
    store.register_device(device(&bob, "a", 2), 25).await.unwrap();
    assert!(tokens(&store, &ann).await.is_empty());
    assert_eq!(tokens(&store, &bob).await, ["a"]);
    assert!(!store.unregister_device(&ann, "a").await.unwrap());
    assert_eq!(tokens(&store, &bob).await, ["a"]);
}

/// A token two users register at the same time ends with one of them.
pub async fn a_contested_token_has_one_owner(store: AnyStore) {
    let users = people(&store, ["ann", "bob", "cid", "dan"]).await;
    let calls = users.clone().map(|user| {
        let store = store.clone();
        tokio::spawn(async move { store.register_device(device(&user, "a", 1), 25).await.unwrap() })
    });
    for call in calls {
        call.await.unwrap();
    }
    let mut owners = 0;
    for user in &users {
        owners += tokens(&store, user).await.len();
    }
    assert_eq!(owners, 1);
}

/// Beyond the cap the least recently refreshed devices of that owner go, and nobody else's.
pub async fn the_longest_unused_devices_go(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    store.register_device(device(&bob, "bobs", 0), 3).await.unwrap();
    for (token, seconds) in [("a", 1), ("b", 2), ("c", 3), ("a", 4)] {
        store
            .register_device(device(&ann, token, seconds), 3)
            .await
            .unwrap();
    }
    assert_eq!(tokens(&store, &ann).await, ["a", "c", "b"]);
    store.register_device(device(&ann, "d", 5), 3).await.unwrap();
    assert_eq!(tokens(&store, &ann).await, ["d", "a", "c"]);
    store.register_device(device(&ann, "e", 6), 1).await.unwrap();
    assert_eq!(tokens(&store, &ann).await, ["e"]);
    assert_eq!(tokens(&store, &bob).await, ["bobs"]);
}

/// A device can be removed once, by its owner.
pub async fn a_device_is_removed_once(store: AnyStore) {
    let [ann, bob] = people(&store, ["ann", "bob"]).await;
    store.register_device(device(&ann, "a", 1), 25).await.unwrap();
    assert!(!store.unregister_device(&bob, "a").await.unwrap());
    assert!(!store.unregister_device(&ann, "A").await.unwrap());
    assert!(store.unregister_device(&ann, "a").await.unwrap());
    assert!(!store.unregister_device(&ann, "a").await.unwrap());
    assert!(tokens(&store, &ann).await.is_empty());
}

//! A bus and a notifier that fail in every way: sending goes on, and those who are connected hear of everything.

use std::sync::Arc;
use std::time::Duration;

use chat_conformance::faults::{Fault, Faults, FaultyBus, FaultyNotifier};
use chat_core::ChatEngine;
use chat_core::command::{HistoryRequest, SendMessage};
use chat_core::model::Device;
use chat_core::port::{LocalBus, Notified, Notifier, Push};
use serde_json::json;

use crate::stage::{LONG, connect, of, quiet, scene, told, user_id};

/// Messages sent while the port fails.
const SENDS: usize = 10;

#[derive(Debug)]
struct Taken;

#[async_trait::async_trait]
impl Notifier for Taken {
    async fn notify(&self, _: &Device, _: &Push) -> Notified {
        Notified::Sent
    }
}

/// Ada sends, Ben is connected, Cem has a device and is not. All of it goes on while `calls` fail.
async fn goes_on(fault: Fault, calls: &'static [&'static str]) {
    let scene = scene().await;
    let faults = Faults::default();
    let engine = ChatEngine::builder(Arc::clone(&scene.inner))
        .with_bus(Arc::new(FaultyBus::new(Arc::new(LocalBus::new()), &faults)))
        .with_notifier(Arc::new(FaultyNotifier::new(Arc::new(Taken), &faults)))
        .build();
    let group = scene.stage.group;
    engine
        .as_user(&user_id("cem"))
        .register_device(of(
            json!({ "token": "cems", "platform": "android", "provider": "fcm" }),
        ))
        .await
        .unwrap();
    let (_session, mut bens) = connect(&engine, "ben").await;
    tokio::time::sleep(LONG).await;
    told(&mut bens);

    faults.fail_all(calls, fault);
    let what = format!("{fault:?} of {calls:?}");
    for number in 0..SENDS {
        let words = SendMessage::text(group, format!("words {number}"));
        engine.as_user(&user_id("ada")).send(words).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let page = engine
        .as_user(&user_id("ben"))
        .history(group, HistoryRequest::default())
        .await;
    let texts = json!(page.unwrap()).to_string();
    assert!(
        (0..SENDS).all(|number| texts.contains(&format!("words {number}"))),
        "{what}"
    );
    tokio::time::sleep(LONG).await;
    let heard = told(&mut bens);
    let messages = heard.iter().filter(|name| *name == "message_created").count();
    assert_eq!(messages, SENDS, "{what}: {heard:?}");
    assert!(faults.has_failed(), "{what}: not one call");
}

#[tokio::test(start_paused = true)]
async fn a_failing_bus_holds_up_no_message() {
    quiet();
    for fault in Fault::ALL {
        goes_on(fault, &["publish"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_notifier_holds_up_no_message() {
    quiet();
    for fault in Fault::ALL {
        goes_on(fault, &["notify"]).await;
    }
}

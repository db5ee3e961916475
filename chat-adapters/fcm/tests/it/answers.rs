//! What the server answers, and what the engine is told of it.

use std::time::Duration;

use chat_core::model::Platform;
use chat_core::port::{Notified, Notifier as _, PushKind};
use chat_fake_fcm::{Act, FakeFcm};
use futures::future::join_all;

use crate::fixture::{device, fcm, push};

#[tokio::test]
async fn answers_become_verdicts() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    let device = device("t", Platform::Android);
    let after = |notified: Notified| match notified {
        Notified::Retry { after, .. } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    let told = async |act: Act| {
        fake.play("t", &[act]);
        fcm.notify(&device, &push(PushKind::Alert)).await
    };
    for act in [
        Act::Refuse(404, "UNREGISTERED"),
        Act::Refuse(403, "SENDER_ID_MISMATCH"),
        Act::BadField("message.token"),
    ] {
        assert_eq!(told(act.clone()).await, Notified::Dead, "{act:?}");
    }
    let refused = told(Act::BadField("message.data")).await;
    assert!(matches!(refused, Notified::Refused { .. }), "{refused:?}");
    for act in [
        Act::Refuse(500, "INTERNAL"),
        Act::Refuse(503, "UNAVAILABLE"),
        Act::Reset,
    ] {
        assert_eq!(after(told(act).await), None);
    }
    assert_eq!(after(told(Act::RetryAfter(429, 7)).await), Some(7));
    assert_eq!(after(told(Act::RetryAfter(503, 9)).await), Some(9));
    assert_eq!(fcm.notify(&device, &push(PushKind::Alert)).await, Notified::Sent);
    assert_eq!(fake.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake).with_endpoint("http://127.0.0.1:1").unwrap();
    let notified = fcm
        .notify(&device("t", Platform::Web), &push(PushKind::Alert))
        .await;
    assert!(
        matches!(notified, Notified::Retry { after: None, .. }),
        "{notified:?}"
    );
}

#[tokio::test]
async fn connections_are_used_again_and_calls_are_bounded() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake).with_concurrency(4);
    let one = push(PushKind::Alert);
    for _ in 0..20 {
        let notified = fcm.notify(&device("t", Platform::Android), &one).await;
        assert_eq!(notified, Notified::Sent);
    }
    assert_eq!(fake.connections(), 1);
    // Four calls hang; the others wait outside.
    let devices: Vec<_> = (0..9)
        .map(|n| device(&format!("slow-{n}"), Platform::Android))
        .collect();
    for device in &devices {
        fake.play(&device.token, &[Act::Hang]);
    }
    let calls = join_all(devices.iter().map(|device| fcm.notify(device, &one)));
    let waiting = tokio::time::timeout(Duration::from_millis(500), calls).await;
    assert!(waiting.is_err(), "nothing is answered");
    let come: usize = devices.iter().map(|device| fake.calls(&device.token)).sum();
    assert_eq!(come, 4);
    // Calls that are given up make room.
    let notified = fcm.notify(&device("t", Platform::Android), &one).await;
    assert_eq!(notified, Notified::Sent);
}

//! Every kind of push on every platform is a message that the schema allows.

use chat_core::model::Platform;
use chat_core::port::{Notified, Notifier as _, PushKind};
use chat_fake_fcm::{FakeFcm, faults_of};
use serde_json::{Value, json};

use crate::fixture::{device, fcm, push};

const KINDS: [PushKind; 4] = [
    PushKind::Alert,
    PushKind::Silent,
    PushKind::Clear,
    PushKind::Retract,
];
const PLATFORMS: [Platform; 3] = [Platform::Android, Platform::Ios, Platform::Web];
const CONVERSATION: &str = "00000000-0000-0000-0000-000000000007";

async fn sent(platform: Platform, kind: PushKind) -> Value {
    let fake = FakeFcm::start().await;
    let notified = fcm(&fake).notify(&device("t", platform), &push(kind)).await;
    assert_eq!(notified, Notified::Sent, "{kind:?} {:?}", fake.faults());
    fake.taken().remove(0)
}

#[tokio::test]
async fn every_push_is_a_message_of_the_schema() {
    for platform in PLATFORMS {
        for kind in KINDS {
            let message = sent(platform, kind).await;
            assert_eq!(message["token"], "t");
            assert_eq!(message["data"]["kind"], kind.as_str());
            assert_eq!(message["data"]["conversation_id"], CONVERSATION);
            assert_eq!(message["data"]["badge"], "3");
            assert_eq!(message.get("notification").is_some(), kind == PushKind::Alert);
        }
    }
}

#[tokio::test]
async fn an_alert_is_shown_urgently_and_collapses_by_conversation() {
    let shown = json!({ "title": "Ann", "body": "hello" });
    let android = sent(Platform::Android, PushKind::Alert).await;
    assert_eq!(android["notification"], shown);
    assert_eq!(
        android["android"],
        json!({
            "priority": "HIGH", "ttl": "60s", "collapse_key": CONVERSATION,
            "notification": { "tag": CONVERSATION, "notification_count": 3 },
        })
    );
    let ios = &sent(Platform::Ios, PushKind::Alert).await["apns"];
    assert_eq!(ios["headers"]["apns-priority"], "10");
    assert_eq!(ios["headers"]["apns-collapse-id"], CONVERSATION);
    assert_eq!(ios["payload"]["aps"]["badge"], 3);
    assert_eq!(ios["payload"]["aps"]["thread-id"], CONVERSATION);
    let web = &sent(Platform::Web, PushKind::Alert).await["webpush"];
    assert_eq!(
        web["headers"],
        json!({ "TTL": "60", "Urgency": "high", "Topic": CONVERSATION.replace('-', "") })
    );
}

#[tokio::test]
async fn what_tidies_up_is_quiet_and_replaces_no_alert() {
    let clear = sent(Platform::Ios, PushKind::Clear).await;
    assert_eq!(clear["data"]["up_to_seq"], "5");
    assert!(clear["data"].get("message_id").is_none());
    assert_eq!(clear["apns"]["headers"]["apns-push-type"], "background");
    assert_ne!(clear["apns"]["headers"]["apns-collapse-id"], CONVERSATION);
    let retract = sent(Platform::Android, PushKind::Retract).await;
    assert_eq!(retract["android"]["priority"], "NORMAL");
    assert!(
        retract["android"].get("collapse_key").is_none(),
        "each one counts"
    );
    assert_eq!(
        retract["data"]["message_id"],
        "00000000-0000-0000-0000-000000000008"
    );
}

#[tokio::test]
async fn a_long_text_is_cut_to_the_budget() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    // Four bytes each, and six once they are escaped.
    for sign in ["😀", "\u{1}", "x"] {
        for (title, body) in [(100, 3_000), (3_000, 100), (5_000, 0)] {
            for platform in PLATFORMS {
                let mut push = push(PushKind::Alert);
                push.title = sign.repeat(title);
                push.body = sign.repeat(body);
                let token = "t".repeat(4_096);
                let notified = fcm.notify(&device(&token, platform), &push).await;
                assert_eq!(notified, Notified::Sent, "{sign:?} {:?}", fake.faults());
            }
        }
    }
    let last = fake.taken().pop().unwrap();
    let title = last["notification"]["title"].as_str().unwrap();
    assert!(
        title.len() > 3_000 && title.ends_with('…'),
        "cut, but no more than needed"
    );
}

#[test]
fn the_schema_refuses_what_fcm_does_not_know() {
    let good = json!({ "token": "t", "android": { "priority": "HIGH" } });
    assert_eq!(faults_of(&json!({ "message": good })), Vec::<String>::new());
    for bad in [
        json!({ "message": { "token": "t", "sound": "x" } }),
        json!({ "message": { "token": "t", "data": { "badge": 1 } } }),
        json!({ "message": { "token": "t", "data": { "from": "x" } } }),
        json!({ "message": { "token": "t", "android": { "priority": "high" } } }),
        json!({ "message": { "token": "t", "topic": "t" } }),
        json!({ "message": { "token": "t" }, "to": "t" }),
        json!({ "message": { "token": "t", "data": { "x": "y".repeat(4_096) } } }),
        json!({}),
    ] {
        assert!(!faults_of(&bad).is_empty(), "{bad}");
    }
}

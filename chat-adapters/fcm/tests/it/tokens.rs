//! Access tokens: asked for once, kept, and asked for anew when they end or are refused.

use chat_core::model::Platform;
use chat_core::port::{Notified, Notifier as _, PushKind};
use chat_fake_fcm::{Act, FakeFcm};
use chat_fcm::{Fcm, FcmError, ServiceAccount};
use futures::future::join_all;

use crate::fixture::{device, fcm, push};

#[tokio::test]
async fn many_calls_ask_for_one_token() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    let (device, push) = (device("t", Platform::Android), push(PushKind::Alert));
    let calls = (0..30).map(|_| fcm.notify(&device, &push));
    let all = join_all(calls).await;
    assert!(
        all.iter().all(|notified| *notified == Notified::Sent),
        "{:?}",
        fake.faults()
    );
    assert_eq!(fake.grants(), 1);
}

#[tokio::test]
async fn a_token_in_its_last_minute_is_asked_for_anew_and_serves_until_then() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    let (device, push) = (device("t", Platform::Android), push(PushKind::Alert));
    fake.set_life(59);
    for grants in 1..=2 {
        assert_eq!(fcm.notify(&device, &push).await, Notified::Sent);
        assert_eq!(fake.grants(), grants);
    }
    fake.play_grants(&[Act::Refuse(503, "UNAVAILABLE")]);
    assert_eq!(
        fcm.notify(&device, &push).await,
        Notified::Sent,
        "with the one there is"
    );
    assert_eq!(fake.grants(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    let (device, push) = (device("t", Platform::Android), push(PushKind::Alert));
    assert_eq!(fcm.notify(&device, &push).await, Notified::Sent);
    fake.withdraw();
    assert_eq!(fcm.notify(&device, &push).await, Notified::Sent);
    assert_eq!(fake.grants(), 1);
    fake.play(
        "t",
        &[
            Act::Refuse(401, "THIRD_PARTY_AUTH_ERROR"),
            Act::Refuse(401, "THIRD_PARTY_AUTH_ERROR"),
        ],
    );
    let refused = fcm.notify(&device, &push).await;
    assert!(matches!(refused, Notified::Retry { .. }), "{refused:?}");
}

#[tokio::test]
async fn without_a_token_a_push_is_tried_again() {
    let fake = FakeFcm::start().await;
    let fcm = fcm(&fake);
    let (device, push) = (device("t", Platform::Android), push(PushKind::Alert));
    fake.play_grants(&[Act::RetryAfter(503, 5)]);
    for _ in 0..3 {
        let notified = fcm.notify(&device, &push).await;
        assert!(
            matches!(&notified, Notified::Retry { after: Some(after), .. } if after.as_secs() == 5),
            "{notified:?}"
        );
    }
    assert_eq!(
        (fake.grants(), fake.calls("t")),
        (0, 0),
        "nobody asks again before"
    );
}

#[tokio::test]
async fn an_assertion_for_another_audience_is_refused() {
    let fake = FakeFcm::start().await;
    let elsewhere = fake.url.replace("127.0.0.1", "localhost");
    let fcm = fcm(&fake).with_token_url(&format!("{elsewhere}/token")).unwrap();
    let notified = fcm
        .notify(&device("t", Platform::Web), &push(PushKind::Alert))
        .await;
    assert!(matches!(notified, Notified::Retry { .. }), "{notified:?}");
    assert!(fake.faults()[0].contains("aud"), "{:?}", fake.faults());
}

#[tokio::test]
async fn bad_accounts_are_refused_without_showing_them() {
    let good = FakeFcm::start().await.credentials();
    let account = ServiceAccount::from_json(&good).unwrap();
    assert!(!format!("{account:?}").contains("PRIVATE"));
    let key = |to: &str| {
        good.replace(
            "BEGIN PRIVATE KEY-----\\n",
            &format!("BEGIN PRIVATE KEY-----\\n{to}"),
        )
    };
    for bad in [
        String::new(),
        "{}".to_owned(),
        good.replace("test-project", "../other"),
        good.replace("private_key\"", "key\""),
        key("AAAA"),
        key("%"),
    ] {
        let error = ServiceAccount::from_json(&bad).unwrap_err();
        assert!(matches!(error, FcmError::Account | FcmError::Key), "{error:?}");
    }
    let far = good.replace("http://127.0.0.1", "http://example.com");
    let far = Fcm::new(ServiceAccount::from_json(&far).unwrap());
    assert!(
        matches!(far, Err(FcmError::Url(_))),
        "keys go nowhere in the clear"
    );
}

use std::time::Duration;

use chat_core::id::{ConversationId, MessageId, UserId};
use chat_core::model::{Device, Platform, Provider};
use chat_core::port::{Push, PushKind};
use chat_core::time::Timestamp;
use chat_fake_fcm::FakeFcm;
use chat_fcm::{Fcm, ServiceAccount};

pub(crate) fn fcm(fake: &FakeFcm) -> Fcm {
    let account = ServiceAccount::from_json(&fake.credentials()).unwrap();
    Fcm::new(account).unwrap().with_endpoint(&fake.url).unwrap()
}

pub(crate) fn device(token: &str, platform: Platform) -> Device {
    Device {
        token: token.to_owned(),
        user_id: UserId::new("bob").unwrap(),
        platform,
        provider: Provider::Fcm,
        refreshed_at: Timestamp::from_millis(0),
        login: None,
    }
}

pub(crate) fn push(kind: PushKind) -> Push {
    let shows = kind == PushKind::Alert;
    Push {
        user_id: UserId::new("bob").unwrap(),
        kind,
        conversation_id: ConversationId::from_uuid(uuid::Uuid::from_u128(7)),
        message_id: (kind != PushKind::Clear).then(|| MessageId::from_uuid(uuid::Uuid::from_u128(8))),
        seq: 5,
        title: if shows { "Ann".to_owned() } else { String::new() },
        body: if shows { "hello".to_owned() } else { String::new() },
        badge: 3,
        life: Duration::from_secs(60),
    }
}

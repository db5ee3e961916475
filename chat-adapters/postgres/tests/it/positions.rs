//! Positions of sync over what is under way, and over a dump restored elsewhere.

use crate::changes::{group, send};
use crate::space::{execute, on, raw, space};
use chat_core::store::ConversationStore;

/// Another cluster has other transaction ids: numbers go on rising, and a new epoch begins.
#[tokio::test]
async fn a_dump_restored_elsewhere_begins_a_new_epoch() {
    let url = url_or_return!("restored");
    let (_guard, config) = space(&url);
    let store = on(&url, &config).await;
    let (id, users) = group(&store, 2).await;
    let epoch = store.sync_epoch().await.unwrap();
    // As a dump of a cluster that is far ahead looks here.
    let mut connection = raw(&url).await;
    let schema = &config.schema;
    execute(
        &mut connection,
        format!(
            "UPDATE \"{schema}\".chat_state SET cluster = 'another'; \
             UPDATE \"{schema}\".chat_conversations SET change_no = change_no + (1::int8 << 50)"
        ),
    )
    .await;
    let restored = on(&url, &config).await;
    assert_ne!(restored.sync_epoch().await.unwrap(), epoch);
    let position = restored.sync_position().await.unwrap();
    let quiet = restored
        .changed_conversations(&users[0], position, 9)
        .await
        .unwrap();
    assert!(quiet.ids.is_empty() || quiet.reached >= position);
    let sent = restored.commit(&[send(id, &users[0], "hello", "key")]).await;
    assert!(sent.unwrap()[0].is_ok());
    let changed = restored
        .changed_conversations(&users[1], position, 9)
        .await
        .unwrap();
    assert_eq!(changed.ids, [id]);
    assert!(restored.sync_position().await.unwrap() > position);
    // Opened once more it is at home.
    let epoch = restored.sync_epoch().await.unwrap();
    assert_eq!(on(&url, &config).await.sync_epoch().await.unwrap(), epoch);
    restored.renew_epoch().await.unwrap();
    assert_ne!(restored.sync_epoch().await.unwrap(), epoch);
}

/// A change whose transaction was under way when a position was read is reported for it, also between pages.
#[tokio::test]
async fn what_was_under_way_is_reported_afterwards() {
    let url = url_or_return!("under way");
    let (_guard, config) = space(&url);
    let store = on(&url, &config).await;
    let (early, users) = group(&store, 2).await;
    let (late, _) = group(&store, 2).await;
    let (third, _) = group(&store, 2).await;
    let schema = &config.schema;
    // A transaction with a low id that commits late, as another node has one, and one that is no business of ours.
    let mut slow = raw(&url).await;
    let lock = writers_lock(schema.as_str());
    execute(
        &mut slow,
        format!(
            "BEGIN; {lock}; UPDATE \"{schema}\".chat_conversations SET change_no = \
             ((pg_current_xact_id()::text)::int8 << 12) WHERE id = '{early}'"
        ),
    )
    .await;
    let mut stranger = raw(&url).await;
    execute(&mut stranger, "BEGIN; SELECT pg_current_xact_id()".to_owned()).await;
    let start = store.sync_position().await.unwrap();
    for (n, room) in [late, third].into_iter().enumerate() {
        let sent = store
            .commit(&[send(room, &users[0], "hello", &format!("key-{n}"))])
            .await;
        assert!(sent.unwrap()[0].is_ok());
    }
    let first = store.changed_conversations(&users[1], start, 1).await.unwrap();
    assert!(first.has_more);
    execute(&mut slow, "COMMIT".to_owned()).await;
    let (mut told, mut page) = (first.ids.clone(), first);
    while page.has_more {
        page = store
            .changed_conversations(&users[1], page.reached, 1)
            .await
            .unwrap();
        told.extend(page.ids.clone());
    }
    assert!(told.contains(&late) && told.contains(&third));
    // The pages had gone past its number; the position they led to has not.
    let again = store
        .changed_conversations(&users[1], page.reached, 9)
        .await
        .unwrap();
    assert!(told.contains(&early) || again.ids.contains(&early));
    assert!(!again.has_more);
    // Once all that was told, nothing is told twice, although the stranger still writes.
    let quiet = store
        .changed_conversations(&users[1], again.reached, 9)
        .await
        .unwrap();
    assert!(quiet.ids.is_empty() && !quiet.has_more);
    assert!(store.sync_position().await.unwrap() >= quiet.reached);
}

/// What a node does at the start of every writing transaction, so that others see it.
fn writers_lock(schema: &str) -> String {
    let hash = schema.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!(
        "SELECT pg_advisory_xact_lock_shared({}, {})",
        0x6368_6174,
        hash >> 1
    )
}

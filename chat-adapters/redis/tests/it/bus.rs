use std::time::Duration;

use chat_core::id::{ConversationId, UserId};
use chat_core::port::{Bus, BusSignal, Hint};
use chat_redis::RedisBus;
use tokio::time::timeout;
use uuid::Uuid;

use crate::server::{STUCK, Server, config, server_or_return};

fn node(server: &Server) -> RedisBus {
    RedisBus::new(&server.url(), &config()).unwrap()
}

fn hint(n: u64) -> Hint {
    Hint::User {
        id: UserId::new("ann").unwrap(),
        user_rev: n,
    }
}

async fn next(bus: &RedisBus) -> BusSignal {
    timeout(STUCK, bus.next()).await.expect("nothing is heard")
}

/// Publishes until the other node hears: it may not have subscribed yet. What it heard before that are gaps.
async fn reach(from: &RedisBus, to: &RedisBus, n: u64) {
    let heard = async {
        loop {
            if to.next().await == BusSignal::Hint(hint(n)) {
                return;
            }
        }
    };
    let publishing = async {
        loop {
            // The server may be on its way back.
            drop(from.publish(hint(n)).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(STUCK, async {
        futures::future::select(Box::pin(heard), Box::pin(publishing)).await;
    })
    .await
    .expect("the other node hears nothing");
}

#[tokio::test]
async fn the_others_hear_a_hint_and_oneself_does_not() {
    let server = server_or_return!();
    let (a, b) = (node(&server), node(&server));
    reach(&a, &b, 1).await;
    reach(&b, &a, 2).await;
    let id = ConversationId::from_uuid(Uuid::now_v7());
    let said = Hint::Conversation { id, rev: 9 };
    a.publish(said.clone()).await.unwrap();
    b.publish(hint(3)).await.unwrap();
    // Repetitions of the hints before may still be on their way.
    let own = BusSignal::Hint(said.clone());
    loop {
        let heard = next(&a).await;
        assert_ne!(heard, own, "a node hears itself");
        if heard == BusSignal::Hint(hint(3)) {
            break;
        }
    }
    while next(&b).await != own {}
}

#[tokio::test]
async fn after_a_restart_a_gap_is_told_and_hints_arrive_again() {
    let mut server = server_or_return!();
    let (a, b) = (node(&server), node(&server));
    reach(&a, &b, 1).await;
    server.kill();
    assert!(
        a.publish(hint(2)).await.is_err(),
        "a hint that goes nowhere is told so"
    );
    server.again();
    while next(&b).await != BusSignal::Gap {}
    reach(&a, &b, 3).await;
    reach(&b, &a, 4).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_and_a_gap_told() {
    let server = server_or_return!();
    let (a, b) = (node(&server), node(&server));
    reach(&a, &b, 1).await;
    server.freeze();
    let held = timeout(STUCK, a.publish(hint(2)))
        .await
        .expect("publishing waits for ever");
    assert!(held.is_err());
    server.thaw();
    while next(&b).await != BusSignal::Gap {}
    reach(&a, &b, 3).await;
}

#[tokio::test]
async fn a_node_starts_without_a_server() {
    let mut server = server_or_return!();
    server.kill();
    let (a, b) = (node(&server), node(&server));
    assert!(a.publish(hint(1)).await.is_err());
    server.again();
    reach(&a, &b, 2).await;
}

#[tokio::test]
async fn what_is_no_hint_is_passed_over() {
    let server = server_or_return!();
    let (a, b) = (node(&server), node(&server));
    reach(&a, &b, 1).await;
    let long = vec![b'['; 1 << 20];
    for bytes in [&b""[..], b"{}", b"\xff\x00\xfe", b"{\"n\":\"x\"}", b"[[[[", &long] {
        let _listeners: i64 = server.command(&[b"PUBLISH", b"chat:hints", bytes]).await;
    }
    reach(&a, &b, 2).await;
}

#[tokio::test]
async fn who_could_not_say_something_says_so_when_he_can() {
    let server = server_or_return!();
    let a = node(&server);
    // So patient that its own subscription outlasts the pause.
    let patient = config().with_pulse(Duration::from_secs(20));
    let b = RedisBus::new(&server.url(), &patient).unwrap();
    reach(&a, &b, 1).await;
    let _ok: String = server.command(&[b"CLIENT", b"PAUSE", b"2000", b"WRITE"]).await;
    assert!(
        a.publish(hint(2)).await.is_err(),
        "nothing is published in a pause"
    );
    while next(&b).await != BusSignal::Gap {}
}

#[test]
fn a_url_that_is_none_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        assert!(RedisBus::new("http://127.0.0.1", &config()).is_err());
    });
}

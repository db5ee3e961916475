use std::time::Duration;

use chat_core::id::{SessionId, UserId};
use chat_core::port::{Edge, Presence};
use chat_core::view::PresenceStatus::{self, Away, Offline, Online};
use chat_redis::{RedisConfig, RedisPresence};
use uuid::Uuid;

use crate::server::{STUCK, Server, config, server_or_return};

fn node(server: &Server, config: RedisConfig) -> RedisPresence {
    RedisPresence::new(&server.url(), config).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn session() -> SessionId {
    SessionId::from_uuid(Uuid::now_v7())
}

const fn changed(from: PresenceStatus, to: PresenceStatus) -> Edge {
    Edge::Changed { from, to }
}

async fn status(presence: &RedisPresence, of: &UserId) -> PresenceStatus {
    let found = presence.statuses(std::slice::from_ref(of)).await.unwrap();
    found.get(of).copied().unwrap_or(Offline)
}

#[tokio::test]
async fn the_best_session_of_all_nodes_counts_and_edges_are_told_once() {
    let server = server_or_return!();
    let (a, b) = (node(&server, config()), node(&server, config()));
    let (ann, here, there) = (user("ann"), session(), session());
    assert_eq!(a.report(&ann, here, false).await.unwrap(), changed(Offline, Away));
    assert_eq!(b.report(&ann, there, true).await.unwrap(), changed(Away, Online));
    assert_eq!(b.report(&ann, there, true).await.unwrap(), Edge::Same);
    assert_eq!(status(&a, &ann).await, Online);
    assert_eq!(a.ended(&ann, here).await.unwrap(), Edge::Same);
    assert_eq!(b.report(&ann, there, false).await.unwrap(), changed(Online, Away));
    assert_eq!(a.present(10).await.unwrap(), std::slice::from_ref(&ann));
    assert_eq!(b.ended(&ann, there).await.unwrap(), changed(Away, Offline));
    assert_eq!(status(&a, &ann).await, Offline);
    assert!(a.present(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_concurrent_reports_one_sees_the_edge() {
    let server = server_or_return!();
    let nodes = [node(&server, config()), node(&server, config())];
    let ann = user("ann");
    let reports = (0..20).map(|n| {
        let (node, ann) = (&nodes[n % 2], &ann);
        async move { node.report(ann, session(), true).await.unwrap() }
    });
    let edges = futures::future::join_all(reports).await;
    assert_eq!(edges.iter().filter(|edge| **edge != Edge::Same).count(), 1);
}

#[tokio::test]
async fn who_came_last_comes_first() {
    let server = server_or_return!();
    let presence = node(&server, config());
    for name in ["ann", "bob", "cem"] {
        presence.report(&user(name), session(), true).await.unwrap();
        // Comings are told apart by the millisecond.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(presence.present(2).await.unwrap(), [user("cem"), user("bob")]);
    assert!(presence.present(0).await.unwrap().is_empty());
}

#[tokio::test]
async fn sessions_of_a_node_that_died_run_out_and_that_is_told_once() {
    let server = server_or_return!();
    let short = config().with_session_ttl(Duration::from_millis(300));
    let dead = node(&server, short.clone());
    let ann = user("ann");
    dead.report(&ann, session(), true).await.unwrap();
    drop(dead);
    let nodes = [node(&server, short.clone()), node(&server, short)];
    let mut told = Vec::new();
    let began = std::time::Instant::now();
    while told.is_empty() {
        assert!(began.elapsed() < STUCK, "nobody is told");
        let looks = nodes.iter().map(|node| async { node.lapsed(10).await.unwrap() });
        told = futures::future::join_all(looks).await.concat();
    }
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].user_id, ann);
    assert!(told[0].silent_for >= Duration::from_millis(300));
    assert_eq!(status(&nodes[0], &ann).await, Offline);
    assert!(nodes[1].lapsed(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_lost_everything_is_told_again_and_ends_are_told_all_the_same() {
    let server = server_or_return!();
    let presence = node(&server, config());
    let (ann, bob, first, second) = (user("ann"), user("bob"), session(), session());
    presence.report(&ann, first, true).await.unwrap();
    presence.report(&bob, second, true).await.unwrap();
    let _ok: String = server.command(&[b"FLUSHALL"]).await;
    assert_eq!(status(&presence, &ann).await, Offline);
    assert_eq!(
        presence.report(&ann, first, true).await.unwrap(),
        changed(Offline, Online)
    );
    assert_eq!(
        presence.ended(&bob, second).await.unwrap(),
        changed(Away, Offline)
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_its_return_is_noticed() {
    let mut server = server_or_return!();
    let presence = node(&server, config());
    let (ann, here) = (user("ann"), session());
    presence.report(&ann, here, true).await.unwrap();
    server.kill();
    assert!(presence.statuses(std::slice::from_ref(&ann)).await.is_err());
    server.again();
    let began = std::time::Instant::now();
    while presence.report(&ann, here, true).await.is_err() {
        assert!(began.elapsed() < STUCK, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status(&presence, &ann).await, Online);
}

#[tokio::test]
async fn what_somebody_else_wrote_into_a_hash_is_no_session() {
    let server = server_or_return!();
    let presence = node(&server, config());
    let ann = user("ann");
    let _set: i64 = server
        .command(&[b"HSET", b"chat:sessions:{ann}", b"x", b"rubbish"])
        .await;
    assert_eq!(status(&presence, &ann).await, Offline);
    assert_eq!(
        presence.report(&ann, session(), true).await.unwrap(),
        changed(Offline, Online)
    );
}

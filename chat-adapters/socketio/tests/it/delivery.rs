use std::time::Duration;

use chat_socketio::SocketIoConfig;
use serde_json::json;

use crate::client::{Client, Got};
use crate::server::{Server, generous};

#[tokio::test]
async fn a_client_that_reads_gets_everything_in_order() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    for batch in 0..100 {
        // More than the transport buffers, less than the session's queue.
        for number in 0..200 {
            server.push("ada", batch * 200 + number, 100).await;
        }
        for number in 0..200 {
            assert_eq!(
                client.event("typing_changed").await["number"],
                batch * 200 + number
            );
        }
    }
    client.alive().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_told_that_it_lags() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, "ada").await;
    let mut other = Client::connect(&server, "bob").await;
    for number in 0..20_000 {
        server.push("ada", number, 1_000).await;
        if number % 1000 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    other.alive().await;
    let mut expected = 0;
    loop {
        match client.got().await {
            Got::Event(name, payload) if name == "typing_changed" => {
                assert_eq!(payload["number"], expected, "no gap before the end");
                expected += 1;
            }
            Got::Event(name, payload) => {
                assert_eq!(
                    (name.as_str(), payload),
                    ("session_ending", json!({"reason": "lagged"}))
                );
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(expected < 20_000);
    assert!(matches!(client.got().await, Got::Closed));
    server.sessions(1).await;
    other.alive().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let config = SocketIoConfig::default().with_write_timeout(Duration::from_millis(300));
    let server = Server::with(generous(), config).await;
    let client = Client::connect(&server, "ada").await;
    // More than the kernel buffers on both sides.
    for number in 0..300 {
        server.push("ada", number, 100_000).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.sessions(0).await;
    drop(client);
}

#[tokio::test]
async fn a_burst_at_the_moment_of_a_ping_does_not_end_a_healthy_connection() {
    let config =
        SocketIoConfig::default().with_heartbeat(Duration::from_millis(50), Duration::from_millis(2_000));
    let server = Server::with(generous(), config).await;
    let mut client = Client::connect(&server, "ada").await;
    for batch in 0..25 {
        // More than the transport buffers, less than the session's queue.
        for number in 0..200 {
            server.push("ada", batch * 200 + number, 100).await;
        }
        for number in 0..200 {
            assert_eq!(
                client.event("typing_changed").await["number"],
                batch * 200 + number
            );
        }
    }
    client.alive().await;
}

//! Engine.IO, protocol 4.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::raw::{Frame, Poller, Socket, start};
use crate::http::ask;

const PATH: &str = "/engine.io";
const INTERVAL: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_millis(200);

fn check_open(open: &Value, upgrades: &Value) {
    assert_eq!(open.as_object().unwrap().len(), 5, "{open}");
    assert!(open["sid"].is_string());
    assert_eq!(&open["upgrades"], upgrades);
    assert_eq!(open["pingInterval"], 300);
    assert_eq!(open["pingTimeout"], 200);
    assert_eq!(open["maxPayload"], 1_000_000);
}

#[tokio::test]
async fn a_handshake_tells_the_terms() {
    let address = start().await;
    for path in [PATH, "/socket.io"] {
        let (_, open) = Poller::open(address, path).await;
        check_open(&open, &json!(["websocket"]));
        let (_, open) = Socket::open(address, path).await;
        check_open(&open, &json!([]));
    }
}

#[tokio::test]
async fn a_handshake_without_protocol_transport_or_method_is_refused() {
    let address = start().await;
    for path in [PATH, "/socket.io"] {
        for query in [
            "transport=polling",
            "EIO=abc&transport=polling",
            "EIO=4",
            "EIO=4&transport=abc",
        ] {
            let target = format!("{path}/?{query}");
            assert_eq!(ask(address, "GET", &target, &[], "").await.0, 400, "{target}");
        }
        for method in ["POST", "PUT"] {
            let target = format!("{path}/?EIO=4&transport=polling");
            assert_eq!(ask(address, method, &target, &[], "").await.0, 400, "{method}");
        }
        for query in [
            "transport=websocket",
            "EIO=abc&transport=websocket",
            "EIO=4",
            "EIO=4&transport=abc",
        ] {
            if let Some(mut socket) = Socket::try_open(address, &format!("{path}/?{query}")).await {
                assert_eq!(socket.frame().await, Frame::End, "{query}");
            }
        }
    }
}

#[tokio::test]
async fn polling_carries_one_packet_several_and_binary_ones() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    for body in [
        "4hello",
        "4test1\u{1e}4test2\u{1e}4test3",
        "4hello\u{1e}bAQIDBA==",
    ] {
        assert_eq!(poller.post(body).await, (200, "ok".to_owned()));
        let mut got = poller.packets().await;
        while got.len() < body.len() {
            got = format!("{got}\u{1e}{}", poller.packets().await);
        }
        assert_eq!(got, body);
    }
}

#[tokio::test]
async fn a_websocket_carries_text_and_binary_frames() {
    let address = start().await;
    let (mut socket, _) = Socket::open(address, PATH).await;
    socket.send("4hello").await;
    assert_eq!(socket.text().await, "4hello");
    socket.send_binary(&[1, 2, 3, 4]).await;
    assert_eq!(socket.packet().await, Frame::Binary(vec![1, 2, 3, 4]));
}

#[tokio::test]
async fn what_is_no_packet_closes_the_connection() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    assert_eq!(poller.post("abc").await.0, 400);
    assert_eq!(poller.get().await.0, 400);
    let (mut socket, _) = Socket::open(address, PATH).await;
    socket.send("abc").await;
    socket.ends().await;
}

#[tokio::test]
async fn two_polls_at_a_time_close_the_connection() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    // The first ping comes at once; after it there is nothing to take for a while.
    assert_eq!(poller.get().await, (200, "2".to_owned()));
    assert_eq!(poller.post("3").await.0, 200);
    let (first, second) = tokio::join!(poller.get(), poller.get());
    let mut polls = [first, second];
    polls.sort();
    assert_eq!(polls[0], (200, "1".to_owned()));
    assert_eq!(polls[1].0, 400);
    assert_eq!(poller.get().await.0, 400);
}

#[tokio::test]
async fn a_poll_that_is_given_up_ends_the_connection() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    assert_eq!(poller.get().await, (200, "2".to_owned()));
    // A poll may be given up before the server has it, so there are several. The answers to pings keep the connection
    // alive meanwhile.
    for _ in 0..100 {
        if poller.post("3").await.0 == 400 {
            return;
        }
        drop(timeout(Duration::from_millis(20), poller.get()).await);
    }
    panic!("it goes on");
}

#[tokio::test]
async fn pings_come_and_keep_a_connection_alive() {
    let address = start().await;
    let began = Instant::now();
    let (poller, _) = Poller::open(address, PATH).await;
    for _ in 0..4 {
        assert_eq!(poller.get().await, (200, "2".to_owned()));
        assert_eq!(poller.post("3").await, (200, "ok".to_owned()));
    }
    assert!(began.elapsed() >= INTERVAL * 2);
    let began = Instant::now();
    let (mut socket, _) = Socket::open(address, PATH).await;
    for _ in 0..4 {
        assert_eq!(socket.frame().await, Frame::Text("2".to_owned()));
        socket.send("3").await;
    }
    assert!(began.elapsed() >= INTERVAL * 2);
}

#[tokio::test]
async fn a_ping_that_is_not_answered_ends_the_connection() {
    let address = start().await;
    let began = Instant::now();
    let (poller, _) = Poller::open(address, PATH).await;
    poller.is_forgotten().await;
    let (mut socket, _) = Socket::open(address, PATH).await;
    assert_eq!(socket.frame().await, Frame::Text("2".to_owned()));
    let mut last = socket.frame().await;
    if last == Frame::Text("1".to_owned()) {
        last = socket.frame().await;
    }
    assert_eq!(last, Frame::End);
    assert!(began.elapsed() >= TIMEOUT * 2, "not before its time");
}

#[tokio::test]
async fn a_close_packet_ends_the_connection() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    assert_eq!(poller.get().await, (200, "2".to_owned()));
    assert_eq!(poller.post("3").await.0, 200);
    let closing = async {
        tokio::task::yield_now().await;
        poller.post("1").await
    };
    let (polled, posted) = tokio::join!(poller.get(), closing);
    assert_eq!(posted.0, 200);
    // A poll that is under way is let go; one that came too late finds no session.
    assert!(polled == (200, "6".to_owned()) || polled.0 == 400, "{polled:?}");
    assert_eq!(poller.get().await.0, 400);
    let (mut socket, _) = Socket::open(address, PATH).await;
    socket.send("1").await;
    socket.ends().await;
}

#[tokio::test]
async fn a_connection_that_polls_becomes_a_websocket() {
    let address = start().await;
    let (poller, _) = Poller::open(address, PATH).await;
    assert_eq!(poller.get().await, (200, "2".to_owned()));
    assert_eq!(poller.post("3").await.0, 200);
    let target = format!("{PATH}/?EIO=4&transport=websocket&sid={}", poller.sid);
    let mut socket = Socket::try_open(address, &target).await.unwrap();
    socket.send("2probe").await;
    assert_eq!(socket.frame().await, Frame::Text("3probe".to_owned()));
    assert_eq!(poller.get().await, (200, "6".to_owned()), "polls end");
    socket.send("5").await;
    socket.send("4hello").await;
    assert_eq!(socket.text().await, "4hello");
    assert_eq!(poller.get().await.0, 400, "polling is over");
    if let Some(mut second) = Socket::try_open(address, &target).await {
        second.ends().await;
    }
    socket.send("4still").await;
    assert_eq!(socket.text().await, "4still");
}

//! Socket.IO, protocol 5.

use std::net::SocketAddr;

use serde_json::Value;

use super::raw::{Frame, Socket, start};

async fn open(address: SocketAddr) -> Socket {
    Socket::open(address, "/socket.io").await.0
}

/// Connects to `/` and takes what comes of it.
async fn connected(address: SocketAddr) -> Socket {
    let mut socket = open(address).await;
    socket.send("40").await;
    assert!(socket.text().await.starts_with("40{"));
    assert_eq!(socket.text().await, r#"42["auth",{}]"#);
    socket
}

#[tokio::test]
async fn a_client_connects_to_every_namespace_there_is_with_and_without_payload() {
    let address = start().await;
    for (namespace, payload, greeting) in [
        ("", "", "{}"),
        ("", r#"{"token":"123"}"#, r#"{"token":"123"}"#),
        ("/custom,", "", "{}"),
        ("/custom,", r#"{"token":"abc"}"#, r#"{"token":"abc"}"#),
    ] {
        let mut socket = open(address).await;
        socket.send(&format!("40{namespace}{payload}")).await;
        let answer = socket.text().await;
        let answer: Value =
            serde_json::from_str(answer.strip_prefix(&format!("40{namespace}")).unwrap()).unwrap();
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        assert!(answer["sid"].is_string());
        assert_eq!(
            socket.text().await,
            format!(r#"42{namespace}["auth",{greeting}]"#)
        );
    }
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_connection_stays() {
    let address = start().await;
    let mut socket = open(address).await;
    socket.send("40/random").await;
    assert_eq!(
        socket.text().await,
        r#"44/random,{"message":"Invalid namespace"}"#
    );
    socket.send("40").await;
    assert!(socket.text().await.starts_with("40{"));
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_nonsense_is_closed() {
    let address = start().await;
    open(address).await.ends().await;
    for nonsense in ["4abc", "47", r#"42["message"]"#, r#"42/custom,["message"]"#] {
        let mut socket = open(address).await;
        socket.send(nonsense).await;
        socket.ends().await;
    }
    for nonsense in [
        "4abc",
        "42{}",
        r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#,
        "42",
        "4299",
        "427{}",
    ] {
        let mut socket = connected(address).await;
        socket.send(nonsense).await;
        socket.ends().await;
    }
}

#[tokio::test]
async fn who_leaves_a_namespace_keeps_the_connection_and_may_come_back() {
    let address = start().await;
    let mut socket = connected(address).await;
    socket.send("41").await;
    assert_eq!(
        socket.frame().await,
        Frame::Text("2".to_owned()),
        "the heart still beats"
    );
    socket.send("3").await;
    // While the session before is being ended, a CONNECT counts as a second one, and is ignored.
    loop {
        socket.send("40").await;
        match socket.frame().await {
            Frame::Text(text) if text == "2" => socket.send("3").await,
            Frame::Text(text) => break assert!(text.starts_with("40{"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_is_in_no_namespace_for_long_is_closed() {
    let address = start().await;
    let mut socket = connected(address).await;
    socket.send("41").await;
    socket.ends().await;
}

#[tokio::test]
async fn leaving_one_namespace_does_not_touch_another() {
    let address = start().await;
    let mut socket = connected(address).await;
    socket.send("40/custom").await;
    assert!(socket.text().await.starts_with("40/custom,{"));
    assert_eq!(socket.text().await, r#"42/custom,["auth",{}]"#);
    socket.send("41/custom").await;
    socket.send(r#"42["message","message to main namespace"]"#).await;
    assert_eq!(
        socket.text().await,
        r#"42["message-back","message to main namespace"]"#
    );
}

#[tokio::test]
async fn events_and_answers_carry_any_arguments() {
    let address = start().await;
    let mut socket = connected(address).await;
    socket.send(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(socket.text().await, r#"42["message-back",1,"2",{"3":[true]}]"#);
    socket
        .send(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#)
        .await;
    assert_eq!(socket.text().await, r#"43456[1,"2",{"3":[false]}]"#);
}

#[tokio::test]
async fn events_and_answers_carry_binary_data() {
    let address = start().await;
    let mut socket = connected(address).await;
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    for (sent, answer) in [
        (
            format!(r#"452-["message",{placeholders}]"#),
            format!(r#"452-["message-back",{placeholders}]"#),
        ),
        (
            format!(r#"452-789["message-with-ack",{placeholders}]"#),
            format!("462-789[{placeholders}]"),
        ),
    ] {
        socket.send(&sent).await;
        socket.send_binary(&[1, 2, 3]).await;
        socket.send_binary(&[4, 5, 6]).await;
        assert_eq!(socket.text().await, answer);
        assert_eq!(socket.packet().await, Frame::Binary(vec![1, 2, 3]));
        assert_eq!(socket.packet().await, Frame::Binary(vec![4, 5, 6]));
    }
}

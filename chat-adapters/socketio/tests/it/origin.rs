use chat_core::origin::OriginPolicy;
use chat_socketio::SocketIoConfig;

use crate::client::Client;
use crate::http::request;
use crate::server::{Server, generous};

#[tokio::test]
async fn foreign_pages_are_refused_in_both_transports() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    assert!(Client::open(&server, &[("origin", &own)]).await.is_ok());
    assert!(Client::open(&server, &[]).await.is_ok());
    assert_eq!(request(&server, "GET", "", &[("origin", &own)], "").await.0, 200);
    for foreign in ["https://evil.example", "null", "http://127.0.0.1"] {
        assert_eq!(
            Client::open(&server, &[("origin", foreign)]).await.err(),
            Some(403)
        );
        let (status, body) = request(&server, "GET", "", &[("origin", foreign)], "").await;
        assert_eq!(status, 403);
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["code"], "forbidden");
        assert_eq!(problem["status"], 403);
        assert!(problem["request_id"].is_string() && problem["title"].is_string());
    }
}

#[tokio::test]
async fn listed_pages_are_taken() {
    let origins = OriginPolicy::AllowList(vec!["https://app.example".to_owned()]);
    let server = Server::with(generous(), SocketIoConfig::default().with_origins(origins)).await;
    assert!(
        Client::open(&server, &[("origin", "https://app.example")])
            .await
            .is_ok()
    );
    let own = format!("http://{}", server.address);
    assert_eq!(Client::open(&server, &[("origin", &own)]).await.err(), Some(403));
}

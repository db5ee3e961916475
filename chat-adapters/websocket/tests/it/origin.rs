use chat_core::origin::OriginPolicy;
use chat_websocket::WebSocketConfig;

use crate::client::Client;
use crate::server::{Server, generous};

#[tokio::test]
async fn foreign_pages_are_refused() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    assert!(Client::open(&server, &[("origin", &own)]).await.is_ok());
    assert!(Client::open(&server, &[]).await.is_ok());
    for foreign in ["https://evil.example", "null", "http://127.0.0.1"] {
        assert_eq!(
            Client::open(&server, &[("origin", foreign)]).await.err(),
            Some(403)
        );
    }
}

#[tokio::test]
async fn listed_pages_are_taken() {
    let origins = OriginPolicy::AllowList(vec!["https://app.example".to_owned()]);
    let server = Server::with(generous(), WebSocketConfig::default().with_origins(origins)).await;
    assert!(
        Client::open(&server, &[("origin", "https://app.example")])
            .await
            .is_ok()
    );
    let own = format!("http://{}", server.address);
    assert_eq!(Client::open(&server, &[("origin", &own)]).await.err(), Some(403));
}

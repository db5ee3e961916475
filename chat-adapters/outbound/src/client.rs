use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

/// How long it may take until the connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// A connection of HTTP/2 on which nothing comes for so long is asked whether it is there.
const ALIVE: Duration = Duration::from_secs(15);

/// A client whose clones share their connections.
pub type Client = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client; with `http2` where the other side speaks it over TLS, HTTP/1.1 otherwise.
#[must_use]
pub fn client(tls: &ClientConfig, http2: bool) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    // Which scheme is allowed was judged with the URL.
    connector.enforce_http(false);
    let mut tls = ClientConfig::clone(tls);
    // The builder sets what it offers.
    tls.alpn_protocols.clear();
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1();
    let connector = if http2 {
        builder.enable_http2().wrap_connector(connector)
    } else {
        builder.wrap_connector(connector)
    };
    Pool::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(8)
        .http2_keep_alive_interval(ALIVE)
        .build(connector)
}

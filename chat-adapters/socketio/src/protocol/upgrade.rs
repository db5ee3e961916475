//! The WebSocket upgrade, around the one of the transport.
//!
//! The transport's writer waits for a client without limit, and while it waits neither its close nor its heartbeat
//! get through: a client that stops reading would keep its connection, and its session, for ever. So the upgrade is
//! made here, and the transport gets a stream that fails when nothing could be written for too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use engineioxide::handler::EngineIoHandler;
use engineioxide::service::EngineIoService;
use engineioxide::{DisconnectReason, Socket, TransportType};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tower::Service;

/// Whether a request asks for a WebSocket.
pub(crate) fn is_asked_for(request: &Request) -> bool {
    let headers = request.headers();
    let has = |name: HeaderName, word: &str| {
        headers.get_all(name).iter().any(|value| {
            value.to_str().is_ok_and(|value| {
                value
                    .split(',')
                    .any(|part| part.trim().eq_ignore_ascii_case(word))
            })
        })
    };
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13")
        && request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .any(|pair| pair == "transport=websocket")
}

/// Takes a connection over and hands it to the transport. `polling` is the connection that is to be upgraded.
pub(crate) fn accept<H: EngineIoHandler>(
    mut transport: EngineIoService<H>,
    polling: Option<Arc<Socket<H::Data>>>,
    patience: Duration,
    mut request: Request,
) -> Response {
    let Some(accept) = accept_key(request.headers()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let stream = Stream {
            inner: TokioIo::new(upgraded),
            patience,
            waiting: None,
            given_up: false,
            reader: None,
            polling,
        };
        let request = axum::http::Request::from_parts(parts, ());
        if let Err(error) = Service::call(&mut transport, (stream, request)).await {
            tracing::debug!(%error, "not an upgrade of the transport");
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

/// A stream that fails, for reading too, once nothing could be written for `patience`.
struct Stream<S, D: Default + Send + Sync + 'static> {
    inner: S,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    given_up: bool,
    reader: Option<Waker>,
    /// An upgrade that fails half-way would leave its connection neither polling nor upgraded: it is closed then.
    polling: Option<Arc<Socket<D>>>,
}

impl<S, D: Default + Send + Sync + 'static> Stream<S, D> {
    fn guard<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.waiting = None;
            return result;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        self.given_up = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Err(given_up()))
    }
}

fn given_up() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client took nothing for too long")
}

impl<S: AsyncRead + Unpin, D: Default + Send + Sync + 'static> AsyncRead for Stream<S, D> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.given_up {
            return Poll::Ready(Err(given_up()));
        }
        let result = Pin::new(&mut this.inner).poll_read(cx, into);
        if result.is_pending() {
            this.reader = Some(cx.waker().clone());
        }
        result
    }
}

impl<S: AsyncWrite + Unpin, D: Default + Send + Sync + 'static> AsyncWrite for Stream<S, D> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.given_up {
            return Poll::Ready(Err(given_up()));
        }
        let result = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.guard(cx, result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.given_up {
            return Poll::Ready(Err(given_up()));
        }
        let result = Pin::new(&mut this.inner).poll_flush(cx);
        this.guard(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.guard(cx, result)
    }
}

impl<S, D: Default + Send + Sync + 'static> Drop for Stream<S, D> {
    fn drop(&mut self) {
        if let Some(client) = self.polling.take()
            && client.transport_type() == TransportType::Polling
        {
            client.close(DisconnectReason::TransportError);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn stream<S>(inner: S) -> Stream<S, ()> {
        Stream {
            inner,
            patience: Duration::from_millis(50),
            waiting: None,
            given_up: false,
            reader: None,
            polling: None,
        }
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up_for_both_directions() {
        let (near, _far) = duplex(16);
        let (mut read, mut write) = tokio::io::split(stream(near));
        let reading = tokio::spawn(async move { read.read(&mut [0; 8]).await });
        let error = write.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = reading.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_peer_is_not() {
        let (near, mut far) = duplex(16);
        let mut near = stream(near);
        let writing = tokio::spawn(async move { near.write_all(&[7; 160]).await.map(|()| near) });
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            far.read_exact(&mut [0; 16]).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }
}

//! The listener: connections in, and the graceful stop.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Layer as _;

use crate::config::SettingError;
use crate::wire::Wired;

/// A request head has to be complete this long after it was awaited.
const HEADER_READ: Duration = Duration::from_secs(10);
/// Bytes of a request head.
const HEAD_BYTES: usize = 64 * 1024;
/// Plain HTTP connections beyond the live sessions the engine allows.
const SPARE_CONNECTIONS: usize = 1024;

// The parts of a stop, 14 s together at most.
const SPREAD: Duration = Duration::from_secs(2);
const REQUESTS: Duration = Duration::from_secs(6);
const COMMANDS: Duration = Duration::from_secs(3);
const SESSIONS: Duration = Duration::from_secs(2);
const CLOSING: Duration = Duration::from_secs(3);

/// Why the server cannot start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A variable is at fault.
    Setting(SettingError),
    /// The recorder of metrics could not be installed.
    Metrics(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(error) => error.fmt(f),
            Self::Metrics(error) => write!(f, "metrics cannot be recorded: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<SettingError> for StartError {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

/// Serves until `stop` resolves, then stops gracefully: no new connections or sessions, `session_ending` for the
/// present ones, everything that was taken in is answered, the store is closed. Returns within 15 s of `stop`.
pub async fn serve(listener: TcpListener, app: Router, wired: Wired, stop: impl Future<Output = ()>) {
    // Connections listen to the sender; it is alone when all of them are gone.
    let (stopping, is_stopping) = watch::channel(false);
    let mut stop = pin!(stop);
    let room = Arc::new(Semaphore::new(
        wired.engine.config().limits.connections + SPARE_CONNECTIONS,
    ));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, address)) => connection(stream, address, &app, is_stopping.clone()),
            Err(error) => {
                // Out of file handles, or a client that went at once: neither is a reason to end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop((listener, is_stopping));
    stop_gracefully(&wired, stopping).await;
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> io::Result<(Counted, SocketAddr)> {
    // Waiting for room leaves further clients in the kernel's queue instead of in our memory.
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    // Small frames must not wait for the acknowledgement of those before.
    stream.set_nodelay(true)?;
    let counted = Counted {
        stream,
        _permit: permit,
    };
    Ok((counted, address))
}

fn connection(stream: Counted, address: SocketAddr, app: &Router, mut stopping: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(Extension(ConnectInfo(address)).layer(app.clone()));
    // hyper's own builder: that of hyper-util waits for the first bytes without a limit.
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ)
        .max_buf_size(HEAD_BYTES);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = asked(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// Until a stop is asked for.
async fn asked(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more; that is a stop as well.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

async fn stop_gracefully(wired: &Wired, stopping: watch::Sender<bool>) {
    let engine = &wired.engine;
    tracing::info!(sessions = engine.live().count(), "stopping");
    // Tells every session; from now on `/ready` says no and new sessions are refused.
    engine.live().close(SPREAD);
    stopping.send_replace(true);
    if tokio::time::timeout(REQUESTS, stopping.closed()).await.is_err() {
        tracing::warn!("requests were cut off");
    }
    let gone = async {
        while engine.live().count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The last close frames are on their way out.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    if tokio::time::timeout(SESSIONS, gone).await.is_err() {
        tracing::warn!(sessions = engine.live().count(), "sessions were cut off");
    }
    // Last: the end of a session is work as well.
    if !engine.drain(SPREAD, COMMANDS).await {
        tracing::warn!("commands were cut off");
    }
    if tokio::time::timeout(CLOSING, wired.close()).await.is_err() {
        tracing::warn!("the store did not close in time");
    }
    tracing::info!("stopped");
}

/// A connection that counts as long as its socket lives, also after an upgrade took it over.
struct Counted {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

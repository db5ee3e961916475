//! One connection: first `auth`, then commands in and events out, independent of each other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chat_core::decode;
use chat_core::error::{ChatError, ChatResult, ErrorCode};
use chat_core::live::{ConnectFrom, Outbound, Session};
use chat_core::port::Credentials;
use futures::stream::SplitStream;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::close::Close;
use crate::frame::{self, Request};
use crate::gateway::{Places, Shared};
use crate::writer::{self, Written};
use chat_gateway::{new_request_id, view};

/// How long the client may take to close its side.
const LINGER: Duration = Duration::from_secs(2);
/// Answers that wait for the writer; while there is no room, nothing more is read.
const WAITING_ANSWERS: usize = 16;

/// Serves a connection until it ends.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    mut socket: WebSocket,
    request: Parts,
    from: ConnectFrom,
    mut places: Places,
) {
    let deadline = Instant::now() + shared.config.auth_timeout;
    let opened = authenticate(&shared, &mut socket, &request, from, deadline).await;
    let (session, outbound) = match opened {
        Ok(opened) => opened,
        Err(None) => return,
        Err(Some(close)) => return say_close(&shared, socket, close).await,
    };
    places.authenticated();
    let (sink, stream) = socket.split();
    let (answers, waiting) = mpsc::channel(WAITING_ANSWERS);
    let (end, ending) = watch::channel(false);
    let writer = tokio::spawn(writer::run(Arc::clone(&shared), sink, outbound, waiting, end));
    Reader {
        shared: &shared,
        session,
        answers,
        refusals: 0,
        number: 0,
    }
    .run(stream, ending)
    .await;
    // It has nobody to write for any more, and stops by itself.
    if writer.await.is_err() {
        tracing::error!("a writer has failed");
    }
}

/// The payload of `auth`. A host may know its users by their cookies, so the token is not required here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Auth {
    token: Option<String>,
}

/// Waits for the `auth` frame. The error says how to close, if that makes sense.
async fn authenticate(
    shared: &Arc<Shared>,
    socket: &mut WebSocket,
    request: &Parts,
    from: ConnectFrom,
    deadline: Instant,
) -> Result<(Session, Outbound), Option<Close>> {
    let limit = shared.engine.config().limits.frame_bytes;
    let text = loop {
        let message = match timeout_at(deadline, socket.recv()).await {
            Err(_) => return Err(Some(Close::AUTH_TIMEOUT)),
            Ok(None) => return Err(None),
            Ok(Some(Err(error))) => return Err(Some(unreadable(&error))),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Text(text) if text.len() <= limit => break text,
            Message::Text(_) => return Err(Some(Close::FRAME_TOO_LARGE)),
            Message::Binary(data) if data.len() > limit => return Err(Some(Close::FRAME_TOO_LARGE)),
            Message::Binary(_) => {
                reply(shared, socket, None, Err(binary_refused())).await;
                return Err(Some(Close::NOT_AUTHENTICATED));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    };
    let Request { id, command } = frame::parse(&text);
    let opened = match command {
        Ok((op, payload)) if op == "auth" => open(shared, request, from, payload).await,
        Ok(_) => Err(ChatError::new(
            ErrorCode::Unauthenticated,
            "the first command is auth",
        )),
        Err(error) => Err(error),
    };
    match opened {
        Ok(opened) => {
            if reply(shared, socket, id.as_deref(), Ok(json!({}))).await {
                Ok(opened)
            } else {
                Err(None)
            }
        }
        Err(error) => {
            let close = Close::from(&error);
            reply(shared, socket, id.as_deref(), Err(error)).await;
            Err(Some(close))
        }
    }
}

async fn open(
    shared: &Arc<Shared>,
    request: &Parts,
    from: ConnectFrom,
    payload: Value,
) -> ChatResult<(Session, Outbound)> {
    let limits = &shared.engine.config().limits;
    decode::check(&payload, limits)?;
    let shown: Auth = match payload {
        Value::Null => Auth { token: None },
        payload => decode::payload(payload)?,
    };
    let credentials = credentials(request, shown.token);
    let opening = shared
        .engine
        .connect(Arc::clone(&shared.auth), &credentials, from);
    match timeout(limits.command_deadline, AssertUnwindSafe(opening).catch_unwind()).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(_)) => Err(ChatError::new(ErrorCode::Internal, "an internal error")),
        Err(_) => Err(ChatError::new(
            ErrorCode::Unavailable,
            "authentication took too long",
        )),
    }
}

/// What the client showed: its token, else a bearer token in `Authorization`; and all header fields of the upgrade.
fn credentials(request: &Parts, token: Option<String>) -> Credentials {
    let bearer = || {
        let value = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    };
    Credentials {
        token: token.or_else(bearer),
        headers: request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
    }
}

/// Answers a command before there is a writer; `false` when nobody takes it.
async fn reply(shared: &Shared, socket: &mut WebSocket, id: Option<&str>, result: ChatResult<Value>) -> bool {
    let text = match result {
        Ok(data) => frame::answer(id, &data),
        Err(error) => frame::refusal(id, &view(&error, new_request_id())),
    };
    let sent = timeout(
        shared.config.write_timeout,
        socket.send(Message::Text(text.into())),
    );
    matches!(sent.await, Ok(Ok(())))
}

/// Closes a connection that never had a session.
async fn say_close(shared: &Shared, mut socket: WebSocket, close: Close) {
    let sent = timeout(shared.config.write_timeout, socket.send(close.message())).await;
    if matches!(sent, Ok(Ok(()))) {
        linger(close, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}

/// Keeps a closed connection until the client has closed it too: what comes in unread would reset it, and the close
/// frame might be lost with it.
async fn linger(close: Close, reading: impl Future<Output = ()>) {
    if close == Close::FRAME_TOO_LARGE {
        // Reading on would take in the whole frame, however large it is.
        let _ = timeout(LINGER, std::future::pending::<()>()).await;
    } else {
        let _ = timeout(LINGER, reading).await;
    }
}

fn binary_refused() -> ChatError {
    ChatError::invalid("body", "binary frames are not taken here")
}

/// Why a frame could not be read. The protocol library's error is not part of axum's interface, its text is.
fn unreadable(error: &axum::Error) -> Close {
    if error.to_string().contains("too long") {
        Close::FRAME_TOO_LARGE
    } else {
        Close::PROTOCOL
    }
}

/// The inbound half.
struct Reader<'a> {
    shared: &'a Shared,
    session: Session,
    answers: mpsc::Sender<Written>,
    /// Commands in a row that were refused as too fast.
    refusals: u32,
    number: u64,
}

impl Reader<'_> {
    /// Carries out one command after the other until the connection ends.
    async fn run(mut self, mut stream: SplitStream<WebSocket>, mut ending: watch::Receiver<bool>) {
        let close = loop {
            tokio::select! {
                biased;
                _ = ending.changed() => break None,
                read = self.next(&mut stream) => match read {
                    Next::Command(request) => match self.answer(request).await {
                        Ok(()) => {}
                        Err(close) => break close,
                    },
                    Next::Nothing => {}
                    Next::Gone => return,
                    Next::Close(close) => break Some(close),
                },
            }
        };
        // The session is over; the writer sends what waits and then closes.
        if let Some(close) = close
            && self.answers.send(Written::Close(close)).await.is_err()
        {
            return;
        }
        drop(self);
        let too_large = close == Some(Close::FRAME_TOO_LARGE);
        linger(
            if too_large {
                Close::FRAME_TOO_LARGE
            } else {
                Close::NORMAL
            },
            async { while let Some(Ok(_)) = stream.next().await {} },
        )
        .await;
    }

    async fn next(&self, stream: &mut SplitStream<WebSocket>) -> Next {
        let config = &self.shared.config;
        let limit = self.shared.engine.config().limits.frame_bytes;
        // The writer pings every `ping_interval`, so a client that lives is never silent for longer.
        let message = match timeout(config.ping_interval + config.ping_timeout, stream.next()).await {
            Err(_) | Ok(None) => return Next::Gone,
            Ok(Some(Err(error))) => return Next::Close(unreadable(&error)),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Text(text) if text.len() <= limit => Next::Command(frame::parse(&text)),
            Message::Text(_) => Next::Close(Close::FRAME_TOO_LARGE),
            Message::Binary(data) if data.len() > limit => Next::Close(Close::FRAME_TOO_LARGE),
            Message::Binary(_) => Next::Command(Request {
                id: None,
                command: Err(binary_refused()),
            }),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Next::Nothing,
        }
    }

    /// Carries out a command and hands over its answer; the error says how to close, `None` when nobody is there.
    async fn answer(&mut self, request: Request) -> Result<(), Option<Close>> {
        let Request { id, command } = request;
        self.number += 1;
        let result = AssertUnwindSafe(execute(&self.session, command))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(ChatError::new(ErrorCode::Internal, "an internal error")));
        let text = match &result {
            Ok(data) => frame::answer(id.as_deref(), data),
            Err(error) => {
                let request_id = format!("{}-{}", self.session.id(), self.number);
                frame::refusal(id.as_deref(), &view(error, request_id))
            }
        };
        self.answers.send(Written::Text(text)).await.map_err(|_| None)?;
        match result {
            Err(error) if error.code() == ErrorCode::RateLimited => self.refusals += 1,
            _ => self.refusals = 0,
        }
        if self.refusals >= self.shared.config.refusals_before_close {
            return Err(Some(Close::TOO_FAST));
        }
        Ok(())
    }
}

/// What came in.
enum Next {
    Command(Request),
    Nothing,
    Gone,
    Close(Close),
}

async fn execute(session: &Session, command: ChatResult<(String, Value)>) -> ChatResult<Value> {
    let refusal = match command {
        Ok((op, _)) if op == "auth" => ChatError::new(
            ErrorCode::InvalidOperation,
            "already authenticated; refresh_token brings a newer token",
        ),
        Ok((op, payload)) => return session.execute(&op, payload).await,
        Err(refusal) => refusal,
    };
    // Asked as a command that nobody knows, so that junk costs what commands cost.
    match session.execute("", Value::Null).await {
        Err(error) if error.code() != ErrorCode::InvalidArgument => Err(error),
        _ => Err(refusal),
    }
}

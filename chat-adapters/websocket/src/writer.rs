//! The outbound half: everything that is written to one client.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use chat_core::live::{EndReason, Outbound, OutboundItem};
use futures::SinkExt;
use futures::stream::SplitSink;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};

use crate::close::Close;
use crate::frame;
use crate::gateway::Shared;

/// What the inbound half wants written.
#[derive(Debug)]
pub(crate) enum Written {
    /// An answer.
    Text(String),
    /// The end.
    Close(Close),
}

/// The client is gone, or took nothing for too long.
struct Unwritable;

struct Writer {
    sink: SplitSink<WebSocket, Message>,
    patience: Duration,
}

impl Writer {
    async fn write(&mut self, message: Message) -> Result<(), Unwritable> {
        match timeout(self.patience, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Unwritable),
        }
    }

    async fn text(&mut self, text: String) -> Result<(), Unwritable> {
        self.write(Message::Text(text.into())).await
    }
}

/// Writes events, answers and pings until one side ends the connection. A slow command does not delay events, nor a
/// slow client the engine: what it does not take waits in the session's own queue, which is bounded.
pub(crate) async fn run(
    shared: Arc<Shared>,
    sink: SplitSink<WebSocket, Message>,
    outbound: Outbound,
    answers: mpsc::Receiver<Written>,
    end: watch::Sender<bool>,
) {
    let mut writer = Writer {
        sink,
        patience: shared.config.write_timeout,
    };
    if write_all(&shared, &mut writer, outbound, answers, &end)
        .await
        .is_err()
    {
        tracing::debug!("a client is gone, or took nothing for too long");
    }
    // Whatever it was, nothing is written any more.
    end.send_replace(true);
}

async fn write_all(
    shared: &Shared,
    writer: &mut Writer,
    mut outbound: Outbound,
    mut answers: mpsc::Receiver<Written>,
    end: &watch::Sender<bool>,
) -> Result<(), Unwritable> {
    let every = shared.config.ping_interval;
    let mut ping = interval_at(Instant::now() + every, every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(Written::Text(text)) => writer.text(text).await?,
                Some(Written::Close(close)) => return writer.write(close.message()).await,
                None => return Ok(()),
            },
            item = outbound.next() => match item {
                Some(OutboundItem::Event(event)) => writer.text(frame::event(&event)).await?,
                Some(OutboundItem::End { reason, reconnect_after }) => {
                    return say_goodbye(shared, writer, answers, end, reason, reconnect_after).await;
                }
                None => return Ok(()),
            },
            _ = ping.tick() => writer.write(Message::Ping(Bytes::new())).await?,
        }
    }
}

/// Tells the client why, answers the command that runs, and closes.
async fn say_goodbye(
    shared: &Shared,
    writer: &mut Writer,
    mut answers: mpsc::Receiver<Written>,
    end: &watch::Sender<bool>,
    reason: EndReason,
    reconnect_after: Option<Duration>,
) -> Result<(), Unwritable> {
    if reason == EndReason::ClientGone {
        // The inbound half has given the session up; how it closes comes last.
        return write_rest(shared, writer, &mut answers).await.map(|_| ());
    }
    let mut data = json!({ "reason": reason.as_str() });
    if let (Some(after), Some(members)) = (reconnect_after, data.as_object_mut()) {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        members.insert("reconnect_after_ms".to_owned(), after.into());
    }
    writer.text(frame::own_event("session_ending", &data)).await?;
    end.send_replace(true);
    if write_rest(shared, writer, &mut answers).await? {
        return Ok(());
    }
    writer.write(Close::from(reason).message()).await
}

/// Writes what the inbound half has left, until it is done or takes too long; `true` when that closed the connection.
async fn write_rest(
    shared: &Shared,
    writer: &mut Writer,
    answers: &mut mpsc::Receiver<Written>,
) -> Result<bool, Unwritable> {
    let deadline = Instant::now() + shared.engine.config().limits.command_deadline;
    while let Ok(Some(answer)) = timeout_at(deadline, answers.recv()).await {
        match answer {
            Written::Text(text) => writer.text(text).await?,
            Written::Close(close) => {
                writer.write(close.message()).await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

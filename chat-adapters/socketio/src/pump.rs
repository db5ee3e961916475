//! From a session's queue to the transport, without losing anything on the way.

use std::time::Duration;

use chat_core::live::{EndReason, Outbound, OutboundItem};
use engineioxide::{DisconnectReason, TransportType};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::Client;
use crate::error::Undeliverable;
use crate::gateway::Shared;
use crate::packet;

/// Packets the transport buffers for one client. Small: what waits shall wait in the session's own queue, which
/// counts bytes and ends the session when it is full.
pub(crate) const TRANSPORT_BUFFER: usize = 64;
/// Places kept free for the transport's own packets: a full buffer at the moment of a ping would end a healthy
/// connection.
const RESERVED: usize = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How long the last packets may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Hands a packet to the transport, once there is room.
pub(crate) async fn send(client: &Client, packet: String, patience: Duration) -> Result<(), Undeliverable> {
    let deadline = Instant::now() + patience;
    let mut packet = Some(packet);
    let mut pause = FIRST_PAUSE;
    loop {
        match offer(client, &mut packet, RESERVED) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(())) => return Err(Undeliverable::Gone),
            Err(TrySendError::Full(())) if Instant::now() >= deadline => {
                return Err(Undeliverable::Stalled);
            }
            Err(TrySendError::Full(())) => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Hands a packet to the transport if there is room right now, also in the places that are kept free.
pub(crate) fn send_now(client: &Client, packet: String) -> Result<(), Undeliverable> {
    match offer(client, &mut Some(packet), 0) {
        Ok(()) => Ok(()),
        Err(TrySendError::Closed(())) => Err(Undeliverable::Gone),
        Err(TrySendError::Full(())) => Err(Undeliverable::Stalled),
    }
}

fn offer(client: &Client, packet: &mut Option<String>, keep: usize) -> Result<(), TrySendError<()>> {
    let place = client.reserve()?;
    let kept = (0..keep)
        .map(|_| client.reserve())
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(packet) = packet.take() {
        place.emit(packet.into());
    }
    drop(kept);
    Ok(())
}

/// Whether the transport has taken everything out of its buffer.
fn is_drained(client: &Client) -> bool {
    (0..TRANSPORT_BUFFER)
        .map(|_| client.reserve())
        .collect::<Result<Vec<_>, _>>()
        .is_ok()
}

/// Brings a session's events to its client until one of them goes.
pub(crate) async fn run(shared: &Shared, mut outbound: Outbound, client: &Client, worker: JoinHandle<()>) {
    let end = loop {
        let item = tokio::select! {
            item = outbound.next() => item,
            () = client.closed() => return,
        };
        match item {
            Some(OutboundItem::Event(event)) => {
                match send(client, packet::event(&event), shared.config.write_timeout).await {
                    Ok(()) => {}
                    Err(Undeliverable::Gone) => return,
                    Err(Undeliverable::Stalled) => {
                        tracing::debug!("a client took nothing for too long");
                        client.close(DisconnectReason::TransportError);
                        return;
                    }
                }
            }
            Some(OutboundItem::End {
                reason,
                reconnect_after,
            }) => break Some((reason, reconnect_after)),
            None => break None,
        }
    };
    client.data.close();
    if let Some((reason, reconnect_after)) = end
        && reason != EndReason::ClientGone
    {
        say_goodbye(shared, client, reason, reconnect_after, worker).await;
    }
    client.close(DisconnectReason::ClosingServer);
}

/// Tells the client why, lets the command that runs be answered, and waits until all is written.
async fn say_goodbye(
    shared: &Shared,
    client: &Client,
    reason: EndReason,
    reconnect_after: Option<Duration>,
    worker: JoinHandle<()>,
) {
    let mut payload = json!({ "reason": reason.as_str() });
    if let (Some(after), Some(members)) = (reconnect_after, payload.as_object_mut()) {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        members.insert("reconnect_after_ms".to_owned(), after.into());
    }
    if send(client, packet::own_event("session_ending", &payload), FAREWELL)
        .await
        .is_err()
    {
        return;
    }
    // A command that hangs, or a worker that has failed, does not keep the connection.
    if timeout(shared.engine.config().limits.command_deadline, worker)
        .await
        .is_err()
    {
        tracing::debug!("a command outlived its session");
    }
    // The official client does not come back by itself after DISCONNECT: right when its login is over, wrong when
    // the server restarts or the client was slow.
    if matches!(reason, EndReason::TokenExpired | EndReason::Revoked)
        && send(client, packet::DISCONNECT.to_owned(), FAREWELL)
            .await
            .is_err()
    {
        return;
    }
    let deadline = Instant::now() + FAREWELL;
    while !client.is_closed() && !is_drained(client) && Instant::now() < deadline {
        sleep(FIRST_PAUSE * 5).await;
    }
    if client.transport_type() == TransportType::Polling {
        // Its next poll takes the end of the connection; without one it would find no session at all.
        sleep(LONGEST_PAUSE * 2).await;
    }
}

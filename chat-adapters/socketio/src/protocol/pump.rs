//! From a session's queue to the transport, without losing anything on the way.

use std::time::Duration;

use engineioxide::{DisconnectReason, TransportType};
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Client;
use super::handler::Shared;
use super::packet::Packet;
use super::service::{Ending, Events, Item, Service};

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

/// A packet that could not be handed to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undeliverable {
    /// The connection is closed.
    Gone,
    /// The client took nothing for too long.
    Stalled,
}

/// Hands a packet to the transport, once there is room.
pub(crate) async fn send(client: &Client, packet: Packet, patience: Duration) -> Result<(), Undeliverable> {
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
pub(crate) fn send_now(client: &Client, packet: Packet) -> Result<(), Undeliverable> {
    match offer(client, &mut Some(packet), 0) {
        Ok(()) => Ok(()),
        Err(TrySendError::Closed(())) => Err(Undeliverable::Gone),
        Err(TrySendError::Full(())) => Err(Undeliverable::Stalled),
    }
}

fn offer(client: &Client, packet: &mut Option<Packet>, keep: usize) -> Result<(), TrySendError<()>> {
    let place = client.reserve()?;
    let kept = (0..keep)
        .map(|_| client.reserve())
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(packet) = packet.take() {
        place.emit_many(packet.text.into(), packet.binary.into());
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
pub(crate) async fn run<S: Service>(
    shared: &Shared<S>,
    namespace: &str,
    mut events: S::Events,
    client: &Client,
    worker: JoinHandle<()>,
) {
    let ending = loop {
        let item = tokio::select! {
            item = events.next() => item,
            () = client.closed() => return,
        };
        match item {
            Some(Item::Event(arguments)) => {
                let packet = Packet::event(namespace, arguments);
                match send(client, packet, shared.config.write_timeout).await {
                    Ok(()) => {}
                    Err(Undeliverable::Gone) => return,
                    Err(Undeliverable::Stalled) => {
                        tracing::debug!("a client took nothing for too long");
                        client.close(DisconnectReason::TransportError);
                        return;
                    }
                }
            }
            Some(Item::End(ending)) => break Some(ending),
            None => break None,
        }
    };
    client.data.leave(namespace);
    match ending {
        Some(ending) => {
            say_goodbye(shared, namespace, client, ending, worker).await;
            client.close(DisconnectReason::ClosingServer);
        }
        None => shared.left(namespace, client),
    }
}

/// Tells the client why, lets the event that runs be answered, and waits until all is written.
async fn say_goodbye<S: Service>(
    shared: &Shared<S>,
    namespace: &str,
    client: &Client,
    ending: Ending,
    worker: JoinHandle<()>,
) {
    let farewell = Packet::event(namespace, ending.farewell);
    if send(client, farewell, FAREWELL).await.is_err() {
        return;
    }
    // An event that hangs, or a worker that has failed, does not keep the connection.
    if timeout(shared.last_event, worker).await.is_err() {
        tracing::debug!("an event outlived its session");
    }
    if ending.is_final
        && send(client, Packet::disconnect(namespace), FAREWELL)
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

//! What the transport tells of its connections. Everything here is synchronous, in the order of arrival.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use engineioxide::handler::EngineIoHandler;
use engineioxide::{DisconnectReason, Str};
use socketioxide_core::Value;
use socketioxide_core::packet::{Packet as Parsed, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError};
use socketioxide_parser_common::CommonParser;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::connection::{Client, Connection, Inbound, Queued};
use super::lobby::Lobby;
use super::packet::Packet;
use super::pump::{self, Undeliverable};
use super::service::{Arguments, Event, Service, Session};
use super::transport::{Bounds, Transport};
use crate::config::SocketIoConfig;

/// So many refused attempts to come in on one connection.
const MAX_REFUSALS: usize = 3;

/// Takes packets of all connections.
pub struct Handler<S> {
    shared: Arc<Shared<S>>,
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler(…)")
    }
}

/// What all connections share.
pub(crate) struct Shared<S> {
    pub(crate) config: SocketIoConfig,
    pub(crate) last_event: Duration,
    service: S,
    parsing: ParseConfig,
    lobby: Arc<Lobby<Connection>>,
}

/// Socket.IO over a transport of its own.
pub(crate) fn serve<S: Service>(service: S, config: SocketIoConfig, bounds: Bounds) -> Transport<Handler<S>> {
    let lobby = Arc::<Lobby<Connection>>::default();
    let shared = Arc::new(Shared {
        parsing: ParseConfig {
            max_incoming_binary_buf_size: bounds.frame_bytes,
            max_incoming_binaries: 10,
            packet_completion_timeout: Duration::from_secs(10),
        },
        config: config.clone(),
        last_event: bounds.last_event,
        service,
        lobby: Arc::clone(&lobby),
    });
    Transport::new(Arc::new(Handler { shared }), lobby, config, bounds)
}

impl<S: Service> EngineIoHandler for Handler<S> {
    type Data = Connection;

    fn on_connect(self: Arc<Self>, client: Client) {
        self.shared.expect(&client);
    }

    fn on_disconnect(&self, client: Client, reason: DisconnectReason) {
        tracing::debug!(?reason, "a connection has ended");
        client.data.leave_all();
    }

    fn on_message(self: &Arc<Self>, message: Str, client: Client) {
        let parsed = CommonParser.decode_str(&self.shared.parsing, &client.data.parser, message);
        self.take(parsed, &client);
    }

    fn on_binary(self: &Arc<Self>, data: Bytes, client: Client) {
        let parsed = CommonParser.decode_bin(&self.shared.parsing, &client.data.parser, data);
        self.take(parsed, &client);
    }
}

impl<S: Service> Handler<S> {
    fn take(&self, parsed: Result<Parsed, ParseError>, client: &Client) {
        let packet = match parsed {
            Ok(packet) => packet,
            Err(ParseError::NeedsMoreBinaryData) => return,
            Err(error) => {
                tracing::debug!(%error, "a packet could not be read");
                return client.close(DisconnectReason::PacketParsingError);
            }
        };
        let namespace = packet.ns.as_str();
        match packet.inner {
            PacketData::Connect(auth) => self.connect(namespace, auth, client),
            PacketData::Disconnect => {
                if !client.data.leave(namespace) {
                    client.close(DisconnectReason::TransportClose);
                }
            }
            PacketData::Event(Value::Str(text, binary), ack)
            | PacketData::BinaryEvent(Value::Str(text, binary), ack)
                // Anything else than an array is no event at all.
                if text.as_str().starts_with('[') =>
            {
                let event = Event {
                    arguments: Arguments {
                        text,
                        binary: binary.map(Vec::from).unwrap_or_default(),
                    },
                    wants_answer: ack.is_some(),
                };
                self.queue(namespace, Inbound { event, ack }, client);
            }
            // Nobody here asks for acks.
            PacketData::EventAck(..) | PacketData::BinaryAck(..) => {}
            _ => client.close(DisconnectReason::PacketParsingError),
        }
    }

    fn connect(&self, namespace: &str, auth: Option<Value>, client: &Client) {
        if let Some(refusal) = self.shared.service.no_namespace(namespace) {
            if pump::send_now(client, Packet::refused(namespace, &refusal)).is_err() {
                client.close(DisconnectReason::TransportError);
            }
        } else if client.data.begin(namespace) {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(handshake(shared, namespace.to_owned(), Arc::clone(client), auth));
        }
    }

    fn queue(&self, namespace: &str, inbound: Inbound, client: &Client) {
        let config = &self.shared.config;
        match client
            .data
            .enqueue(namespace, inbound, config.waiting_command_bytes)
        {
            // Without an ack id it is refused like any other event that went too fast: unheard. After the session's
            // end the answer would come too late as well.
            Queued::Yes | Queued::Full(None) | Queued::Leaving => {}
            Queued::Full(Some(id)) => {
                let answer = Packet::ack(namespace, id, self.shared.service.overloaded());
                if pump::send_now(client, answer).is_err() {
                    client.close(DisconnectReason::TransportError);
                }
            }
            // This breaks the protocol.
            Queued::NoSession => client.close(DisconnectReason::PacketParsingError),
        }
    }
}

impl<S: Service> Shared<S> {
    /// A connection that comes into no namespace for too long is closed.
    fn expect(&self, client: &Client) {
        let patience = self.config.connect_timeout;
        let client = Arc::clone(client);
        let sessions = client.data.sessions();
        tokio::spawn(async move {
            sleep(patience).await;
            while client.data.is_connecting() {
                sleep(patience).await;
            }
            if client.data.is_nowhere() && client.data.sessions() == sessions {
                client.close(DisconnectReason::TransportClose);
            }
        });
    }

    /// All of a client's business in a namespace is done. The connection stays a while: it may come in again.
    pub(crate) fn left(&self, namespace: &str, client: &Client) {
        client.data.left(namespace);
        if client.data.is_nowhere() && !client.is_closed() {
            self.expect(client);
        }
    }
}

/// Lets a client into a namespace, if it may, and then serves it there until it goes.
async fn handshake<S: Service>(
    shared: Arc<Shared<S>>,
    namespace: String,
    client: Client,
    auth: Option<Value>,
) {
    let shown = match &auth {
        Some(Value::Str(text, _)) => Some(text.as_str()),
        _ => None,
    };
    let (session, events) = match shared.service.connect(&namespace, &client.req_parts, shown).await {
        Ok(opened) => opened,
        Err(refusal) => {
            let refusals = client.data.refused(&namespace);
            let refusal = Packet::refused(&namespace, &refusal);
            if pump::send(&client, refusal, shared.config.connect_timeout)
                .await
                .is_err()
                || refusals >= MAX_REFUSALS
            {
                client.close(DisconnectReason::TransportClose);
            }
            return;
        }
    };
    let (queue, waiting) = mpsc::channel(shared.config.waiting_commands.max(1));
    let connected = Packet::connected(&namespace, &session.id());
    // From here on events are queued: before CONNECT is sent, so that the first one is not lost.
    if !client.data.live(&namespace, queue) {
        drop(session);
        return shared.left(&namespace, &client);
    }
    shared.lobby.known(client.id);
    if pump::send(&client, connected, shared.config.write_timeout)
        .await
        .is_err()
    {
        return client.close(DisconnectReason::TransportError);
    }
    let worker = tokio::spawn(work(
        Arc::clone(&shared),
        namespace.clone(),
        session,
        Arc::clone(&client),
        waiting,
    ));
    pump::run(&shared, &namespace, events, &client, worker).await;
}

/// Works off what the client emits, in its order, until the connection takes no more; then the session is over.
async fn work<S: Service>(
    shared: Arc<Shared<S>>,
    namespace: String,
    mut session: S::Session,
    client: Client,
    mut waiting: mpsc::Receiver<Inbound>,
) {
    while let Some(inbound) = waiting.recv().await {
        client.data.dequeued(&inbound);
        let Inbound { event, ack } = inbound;
        let answer = session.execute(event).await;
        let Some(id) = ack else { continue };
        // Events that were taken are carried out even when nobody is there to hear of it.
        let packet = Packet::ack(&namespace, id, answer);
        match pump::send(&client, packet, shared.config.write_timeout).await {
            Ok(()) | Err(Undeliverable::Gone) => {}
            Err(Undeliverable::Stalled) => client.close(DisconnectReason::TransportError),
        }
    }
}

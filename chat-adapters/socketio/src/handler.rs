//! What the transport tells of its connections. Everything here is synchronous, in the order of arrival.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chat_core::error::{ChatError, ErrorCode};
use chat_core::live::{Outbound, Session};
use engineioxide::handler::EngineIoHandler;
use engineioxide::{DisconnectReason, Socket, Str};
use futures::FutureExt;
use socketioxide_core::Value;
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseError};
use socketioxide_parser_common::CommonParser;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::auth::{connect_from, credentials};
use crate::connection::{Client, Connection, Inbound, Queued};
use crate::error::ack;
use crate::gateway::Shared;
use crate::{commands, packet, pump};
use chat_gateway::{new_request_id, view};

/// So many wrong tokens on one connection.
const MAX_REFUSALS: usize = 3;

/// Takes packets of all connections.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) shared: Arc<Shared>,
}

impl EngineIoHandler for Handler {
    type Data = Connection;

    fn on_connect(self: Arc<Self>, client: Client) {
        self.shared
            .opened(&client, connect_from(&client.req_parts).address);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            sleep(shared.config.connect_timeout).await;
            while client.data.is_authenticating() {
                sleep(shared.config.connect_timeout).await;
            }
            if client.data.is_waiting() {
                client.close(DisconnectReason::TransportClose);
            }
        });
    }

    fn on_disconnect(&self, client: Client, reason: DisconnectReason) {
        tracing::debug!(?reason, "a connection has ended");
        client.data.close();
        let address = connect_from(&client.req_parts).address;
        if client.data.leave_waiting() {
            self.shared.not_waiting(address);
        }
        self.shared.closed(&client);
    }

    fn on_message(self: &Arc<Self>, message: Str, client: Client) {
        let parsed = CommonParser.decode_str(&self.shared.parsing, &client.data.parser, message);
        self.take(parsed, &client);
    }

    fn on_binary(self: &Arc<Self>, data: axum::body::Bytes, client: Client) {
        let parsed = CommonParser.decode_bin(&self.shared.parsing, &client.data.parser, data);
        self.take(parsed, &client);
    }
}

impl Handler {
    fn take(&self, parsed: Result<Packet, ParseError>, client: &Client) {
        let packet = match parsed {
            Ok(packet) => packet,
            Err(ParseError::NeedsMoreBinaryData) => return,
            Err(error) => {
                tracing::debug!(%error, "a packet could not be read");
                return client.close(DisconnectReason::PacketParsingError);
            }
        };
        let is_ours = packet.ns.as_str() == "/";
        match packet.inner {
            PacketData::Connect(auth) if is_ours => self.authenticate(auth, client),
            PacketData::Connect(_) => Self::refuse_namespace(&packet.ns, client),
            PacketData::Disconnect if is_ours => self.leave(client),
            PacketData::Event(Value::Str(text, _), ack) if is_ours => self.queue(text, false, ack, client),
            PacketData::BinaryEvent(Value::Str(text, _), ack) if is_ours => {
                self.queue(text, true, ack, client);
            }
            // The gateway asks for no acks, and nobody is in another namespace.
            PacketData::EventAck(..) | PacketData::BinaryAck(..) | PacketData::Disconnect => {}
            _ => client.close(DisconnectReason::PacketParsingError),
        }
    }

    fn authenticate(&self, auth: Option<Value>, client: &Client) {
        if client.data.begin() {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(handshake(shared, Arc::clone(client), auth));
        }
    }

    fn refuse_namespace(namespace: &str, client: &Client) {
        let error = ChatError::new(ErrorCode::NotFound, "no such namespace");
        let data = view(&error, new_request_id());
        if pump::send_now(client, packet::refused(namespace, "Invalid namespace", &data)).is_err() {
            client.close(DisconnectReason::TransportError);
        }
    }

    /// The client leaves the namespace. There is no other, so the connection ends when its commands are done.
    fn leave(&self, client: &Client) {
        if client.data.is_waiting() {
            return client.close(DisconnectReason::TransportClose);
        }
        client.data.close();
    }

    fn queue(&self, text: Str, binary: bool, ack_id: Option<i64>, client: &Client) {
        let inbound = Inbound {
            text,
            binary,
            ack: ack_id,
        };
        let config = &self.shared.config;
        match client.data.enqueue(inbound, config.waiting_command_bytes) {
            // Without an ack id it is refused like any other command that went too fast: unheard.
            Queued::Yes | Queued::Full(None) => {}
            Queued::Full(Some(id)) => {
                let error =
                    ChatError::new(ErrorCode::Overloaded, "too many commands wait on this connection")
                        .with_retry_after(std::time::Duration::from_secs(1));
                let answer = ack(Err(error), new_request_id);
                if pump::send_now(client, packet::ack(id, &answer)).is_err() {
                    client.close(DisconnectReason::TransportError);
                }
            }
            Queued::NoSession => {
                // Before CONNECT this breaks the protocol; after the session's end the close is on its way.
                if client.data.is_waiting() || client.data.is_authenticating() {
                    client.close(DisconnectReason::PacketParsingError);
                }
            }
        }
    }
}

/// Authenticates a connection and then serves it until it ends.
async fn handshake(shared: Arc<Shared>, client: Client, auth: Option<Value>) {
    let (session, outbound) = match open(&shared, &client, auth.as_ref()).await {
        Ok(opened) => opened,
        Err(error) => {
            let refusals = client.data.refused();
            let data = view(&error, new_request_id());
            let refusal = packet::refused("/", error.code().title(), &data);
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
    let (commands, waiting) = mpsc::channel(shared.config.waiting_commands.max(1));
    // From here on events are queued: before CONNECT is sent, so that the first one is not lost.
    if !client.data.live(commands) {
        return;
    }
    if client.data.leave_waiting() {
        shared.not_waiting(connect_from(&client.req_parts).address);
    }
    let connected = packet::connected(session.id());
    if pump::send(&client, connected, shared.config.write_timeout)
        .await
        .is_err()
    {
        return client.close(DisconnectReason::TransportError);
    }
    let worker = tokio::spawn(commands::work(
        Arc::clone(&shared),
        session,
        Arc::clone(&client),
        waiting,
    ));
    pump::run(&shared, outbound, &client, worker).await;
}

async fn open(
    shared: &Shared,
    client: &Socket<Connection>,
    auth: Option<&Value>,
) -> Result<(Session, Outbound), ChatError> {
    let shown = match auth {
        Some(Value::Str(text, _)) => Some(text.as_str()),
        _ => None,
    };
    let credentials = credentials(&client.req_parts, shown);
    let from = connect_from(&client.req_parts);
    let opening = shared
        .engine
        .connect(Arc::clone(&shared.auth), &credentials, from);
    let deadline = shared.engine.config().limits.command_deadline;
    match timeout(deadline, AssertUnwindSafe(opening).catch_unwind()).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(_)) => Err(ChatError::new(ErrorCode::Internal, "an internal error")),
        Err(_) => Err(ChatError::new(
            ErrorCode::Unavailable,
            "authentication took too long",
        )),
    }
}

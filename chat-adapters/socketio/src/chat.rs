//! The chat as a namespace of Socket.IO.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use chat_core::ChatEngine;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::live::{EndReason, Outbound, OutboundItem, Session};
use chat_core::port::{Authenticator, WireEvent};
use chat_gateway::new_request_id;
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::auth::credentials;
use crate::commands;
use crate::error::{ack, refusal};
use crate::protocol::{Arguments, Ending, Event, Events, Item, Service, connect_from};

/// Commands and live events, in the namespace `/`.
pub(crate) struct Chat {
    pub(crate) engine: ChatEngine,
    pub(crate) auth: Arc<dyn Authenticator>,
}

/// One client's session.
pub(crate) struct Commands {
    session: Session,
    carried_out: u64,
}

impl Service for Chat {
    type Session = Commands;
    type Events = Live;

    fn no_namespace(&self, name: &str) -> Option<Value> {
        (name != "/").then(|| {
            let error = ChatError::new(ErrorCode::NotFound, "no such namespace");
            refusal("Invalid namespace", &error, new_request_id())
        })
    }

    async fn connect(
        &self,
        _namespace: &str,
        request: &Parts,
        auth: Option<&str>,
    ) -> Result<(Commands, Live), Value> {
        let (session, outbound) = self
            .open(request, auth)
            .await
            .map_err(|error| refusal(error.code().title(), &error, new_request_id()))?;
        let commands = Commands {
            session,
            carried_out: 0,
        };
        Ok((commands, Live(outbound)))
    }

    fn overloaded(&self) -> Arguments {
        let error = ChatError::new(ErrorCode::Overloaded, "too many commands wait on this connection")
            .with_retry_after(Duration::from_secs(1));
        ack(Err(error), new_request_id)
    }
}

impl Chat {
    async fn open(&self, request: &Parts, auth: Option<&str>) -> Result<(Session, Outbound), ChatError> {
        let credentials = credentials(request, auth);
        let opening = self
            .engine
            .connect(Arc::clone(&self.auth), &credentials, connect_from(request));
        let deadline = self.engine.config().limits.command_deadline;
        match timeout(deadline, AssertUnwindSafe(opening).catch_unwind()).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) => Err(ChatError::new(ErrorCode::Internal, "an internal error")),
            Err(_) => Err(ChatError::new(
                ErrorCode::Unavailable,
                "authentication took too long",
            )),
        }
    }
}

impl crate::protocol::Session for Commands {
    fn id(&self) -> String {
        self.session.id().to_string()
    }

    async fn execute(&mut self, event: Event) -> Arguments {
        self.carried_out += 1;
        let result = commands::execute(&self.session, &event).await;
        ack(result, || format!("{}-{}", self.session.id(), self.carried_out))
    }
}

/// What the session's queue holds.
pub(crate) struct Live(Outbound);

impl Events for Live {
    async fn next(&mut self) -> Option<Item> {
        match self.0.next().await? {
            OutboundItem::Event(event) => Some(Item::Event(arguments(&event))),
            OutboundItem::End {
                reason: EndReason::ClientGone,
                ..
            } => None,
            OutboundItem::End {
                reason,
                reconnect_after,
            } => Some(Item::End(ending(reason, reconnect_after))),
        }
    }
}

/// The payload was serialised once for all connections. Event names are the engine's own: letters and underscores.
fn arguments(event: &WireEvent) -> Arguments {
    Arguments::text(format!("[\"{}\",{}]", event.name, event.payload.get()))
}

fn ending(reason: EndReason, reconnect_after: Option<Duration>) -> Ending {
    let mut payload = json!({ "reason": reason.as_str() });
    if let (Some(after), Some(members)) = (reconnect_after, payload.as_object_mut()) {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        members.insert("reconnect_after_ms".to_owned(), after.into());
    }
    Ending {
        farewell: Arguments::text(json!(["session_ending", payload]).to_string()),
        // Right when its login is over, wrong when the server restarts or the client was slow.
        is_final: matches!(reason, EndReason::TokenExpired | EndReason::Revoked),
    }
}

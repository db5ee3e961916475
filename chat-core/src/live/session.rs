//! One authenticated connection.

use std::collections::HashSet;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::outbound::{EndReason, Outbound, Queue};
use super::registry::{Entry, EntryFacts};
use crate::command::{ClientCommand, PageRequest};
use crate::engine::{Actor, ChatEngine};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{SessionId, UserId};
use crate::port::{Authenticator, Credentials, Identity, WireEvent};
use crate::view::{OnlineUsersAnswer, PresenceAnswer, TokenAnswer};

/// Where a connection or a request comes from. A host behind a proxy that it trusts puts one into the extensions of a
/// request; it is believed there instead of the address of the socket, for every limit per address.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectFrom {
    /// The remote address, for the limit per address.
    pub address: Option<IpAddr>,
}

/// The inbound half of a connection: identity bound once, commands in order. Dropping it ends the session.
#[derive(Debug)]
pub struct Session {
    actor: Actor,
    entry: Arc<Entry>,
}

impl ChatEngine {
    /// Authenticates a connection and opens its session. The first item of the [`Outbound`] half is `ready`; from
    /// then on it gets everything its user may see.
    ///
    /// # Errors
    /// The 401 codes; `not_permitted` for a suspended user; `rate_limited` and `overloaded` over a connection limit;
    /// `unavailable`.
    pub async fn connect(
        &self,
        auth: Arc<dyn Authenticator>,
        credentials: &Credentials,
        from: ConnectFrom,
    ) -> ChatResult<(Session, Outbound)> {
        let identity = auth.authenticate(credentials).await?;
        let user = self.admit(&identity).await?;
        let limits = &self.config().limits;
        let id = SessionId::from_uuid(self.inner().ids.next());
        let entry = Arc::new(Entry {
            id,
            user: user.clone(),
            remote: from.address,
            queue: Arc::new(Queue::new(limits.outbound_events, limits.outbound_bytes)),
            auth,
            facts: Mutex::new(EntryFacts {
                expires_at: identity.expires_at,
                login: identity.login,
                foreground: true,
                background_since: None,
                on_screen: HashSet::new(),
                watches: HashSet::new(),
            }),
        });
        let ready = json!({
            "user_id": user,
            "session_id": id,
            "server_time": self.now(),
            "limits": limits,
        });
        entry.queue.push(&WireEvent {
            name: "ready",
            payload: raw(&ready)?,
        });
        let outbound = Outbound::new(Arc::clone(&entry.queue));
        self.inner().live.add(Arc::clone(&entry), limits)?;
        let session = Session {
            actor: Actor::new(self.clone(), user, Some(id)),
            entry,
        };
        // Whoever was suspended after he was let in and before he could be found here is found now.
        let now = self.check_not_suspended(session.user_id()).await?;
        if let (Some(tail), Some(user)) = (&self.inner().tail, now) {
            tail.welcome(&user);
        }
        self.report_presence(&session.entry).await;
        Ok((session, outbound))
    }

    /// Makes sure that the identity's user is known and may come in.
    ///
    /// # Errors
    /// `token_invalid` for an unknown user when they are not made from tokens; `not_permitted` when he is suspended or was erased;
    /// `unavailable`.
    pub async fn admit(&self, identity: &Identity) -> ChatResult<UserId> {
        let id = &identity.user.id;
        let inner = self.inner();
        let known = inner.store.users(std::slice::from_ref(id)).await?.pop();
        let user = match known {
            Some(user) => user,
            None if self.config().policies.create_users_from_tokens => {
                let new = inner
                    .directory
                    .find(id)
                    .await?
                    .unwrap_or_else(|| identity.user.clone());
                inner.store.ensure_user(new, self.now()).await?.0
            }
            None => {
                return Err(ChatError::new(
                    ErrorCode::TokenInvalid,
                    "the token's user is not known here",
                ));
            }
        };
        user.check_welcome(self.now())?;
        Ok(user.id)
    }
}

fn raw(value: &impl serde::Serialize) -> ChatResult<Arc<serde_json::value::RawValue>> {
    serde_json::value::to_raw_value(value)
        .map(Arc::from)
        .map_err(|error| {
            ChatError::new(ErrorCode::Internal, "an answer could not be written").with_source(error)
        })
}

fn answer(value: &impl serde::Serialize) -> ChatResult<Value> {
    serde_json::to_value(value).map_err(|error| {
        ChatError::new(ErrorCode::Internal, "an answer could not be written").with_source(error)
    })
}

impl Session {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.entry.id
    }

    /// Whose it is.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.entry.user
    }

    /// Ends it: the outbound half gets the reason and closes.
    pub fn end(&self, reason: EndReason) {
        self.entry.queue.end(reason, None);
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.entry.queue.has_ended()
    }

    /// Reads and carries out one command and returns the ack's `data`. A gateway awaits each before the next, so
    /// that commands of one connection take effect in their order.
    ///
    /// # Errors
    /// `invalid_argument` for what cannot be read, `rate_limited`, and whatever the command refuses with.
    pub async fn execute(&self, name: &str, payload: Value) -> ChatResult<Value> {
        let outcome = self.carry_out(name, payload).await;
        let refusal = outcome.as_ref().err().map(ChatError::code);
        self.actor.inner().counters.command(name, refusal);
        outcome
    }

    async fn carry_out(&self, name: &str, payload: Value) -> ChatResult<Value> {
        let limits = &self.actor.engine().config().limits;
        let command = match ClientCommand::parse(name, payload, limits) {
            Ok(command) => command,
            Err(refusal) => {
                // Junk counts as well, or it would be the cheapest way to keep a server busy.
                self.actor.take_command_allowance().await?;
                return Err(refusal);
            }
        };
        if !matches!(command, ClientCommand::Sync(_)) {
            self.actor.take_command_allowance().await?;
        }
        if self.has_ended() {
            return Err(ChatError::new(
                ErrorCode::Unauthenticated,
                "the session has ended",
            ));
        }
        // The commit has a deadline of its own; this one is for a store that hangs while it is read.
        let limit = limits.command_deadline * 2;
        // On the heap: it has room for any command.
        match tokio::time::timeout(limit, Box::pin(self.run(command))).await {
            Ok(answer) => answer,
            Err(_) => Err(ErrorCode::OutcomeUnknown.into()),
        }
    }

    async fn run(&self, command: ClientCommand) -> ChatResult<Value> {
        use ClientCommand as C;
        let actor = &self.actor;
        match command {
            C::SendMessage(send) => answer(&heap(|| actor.send(*send)).await?),
            C::ScheduleMessage(schedule) => answer(&heap(|| actor.schedule(*schedule)).await?),
            C::UpdateScheduledMessage(update) => {
                answer(&json!({ "scheduled": heap(|| actor.update_scheduled(*update)).await? }))
            }
            C::CancelScheduledMessage(cancel) => {
                heap(|| actor.cancel_scheduled(cancel)).await?;
                Ok(json!({}))
            }
            C::EditMessage(edit) => answer(&json!({ "message": heap(|| actor.edit(edit)).await? })),
            C::DeleteMessage(delete) => {
                heap(|| actor.delete_message(delete)).await?;
                Ok(json!({}))
            }
            C::AddReaction(react) => answer(&json!({ "message": heap(|| actor.add_reaction(react)).await? })),
            C::RemoveReaction(react) => {
                answer(&json!({ "message": heap(|| actor.remove_reaction(react)).await? }))
            }
            C::KeepMessage(keep) => answer(&json!({ "message": heap(|| actor.keep_message(keep)).await? })),
            C::UnkeepMessage(keep) => {
                answer(&json!({ "message": heap(|| actor.unkeep_message(keep)).await? }))
            }
            C::ToggleReaction(react) => {
                answer(&json!({ "message": heap(|| actor.toggle_reaction(react)).await? }))
            }
            C::StarMessage(star) => answer(&json!({ "message": heap(|| actor.star_message(star)).await? })),
            C::UnstarMessage(star) => {
                answer(&json!({ "message": heap(|| actor.unstar_message(star)).await? }))
            }
            C::ForwardMessage(forward) => answer(&heap(|| actor.forward(forward)).await?),
            C::PinMessage(pin) => answer(&json!({ "message": heap(|| actor.pin_message(pin)).await? })),
            C::UnpinMessage(pin) => {
                heap(|| actor.unpin_message(pin)).await?;
                Ok(json!({}))
            }
            C::MarkDelivered(marks) => answer(&heap(|| actor.mark_delivered(marks)).await?),
            C::MarkRead(marks) => answer(&heap(|| actor.mark_read(marks)).await?),
            C::MarkUnread(mark) => answer(&heap(|| actor.mark_unread(mark)).await?),
            C::Typing(typing) => {
                heap(|| actor.set_typing(typing)).await?;
                Ok(json!({}))
            }
            C::MuteMember(mute) => {
                let member = heap(|| actor.mute_member(mute.conversation_id, &mute.user_id, mute.until));
                answer(&json!({ "member": member.await? }))
            }
            C::UnmuteMember(unmute) => {
                let member = heap(|| actor.unmute_member(unmute.conversation_id, &unmute.user_id));
                answer(&json!({ "member": member.await? }))
            }
            C::OpenConversation(on_screen) => {
                heap(|| actor.check_readable(on_screen.conversation_id)).await?;
                let mut facts = self.entry.facts();
                // One client shows few conversations at once; a cap keeps the set small whatever it says.
                if facts.on_screen.len() < 16 {
                    facts.on_screen.insert(on_screen.conversation_id);
                }
                Ok(json!({}))
            }
            C::CloseConversation(on_screen) => {
                self.entry.facts().on_screen.remove(&on_screen.conversation_id);
                Ok(json!({}))
            }
            C::SetForeground(foreground) => {
                self.entry.facts().set_foreground(foreground.foreground);
                actor.engine().report_presence(&self.entry).await;
                actor.engine().report_when_away(&self.entry);
                Ok(json!({}))
            }
            C::SetPresence(set) => answer(&heap(|| actor.set_presence(set)).await?),
            C::SubscribePresence(of) => {
                let cap = actor.engine().config().limits.presence_ids;
                if of.user_ids.len() > cap || !actor.inner().live.watch(&self.entry, &of.user_ids, cap) {
                    return Err(ChatError::invalid("user_ids", "too many presence subscriptions"));
                }
                answer(&PresenceAnswer {
                    presence: heap(|| actor.presence(&of.user_ids)).await?,
                })
            }
            C::UnsubscribePresence(of) => {
                actor.inner().live.unwatch(&self.entry, &of.user_ids);
                answer(&PresenceAnswer { presence: Vec::new() })
            }
            C::GetOnlineUsers(online) => {
                let page = PageRequest {
                    limit: online.limit,
                    cursor: None,
                };
                answer(&OnlineUsersAnswer {
                    users: heap(|| actor.online_users(page)).await?.items,
                })
            }
            C::Sync(request) => answer(&heap(|| actor.sync(request)).await?),
            C::RefreshToken(refresh) => self.refresh(&refresh.token).await,
        }
    }

    /// A newer credential of the same user; another user's is refused and changes nothing.
    async fn refresh(&self, token: &str) -> ChatResult<Value> {
        let identity = self.entry.auth.authenticate(&Credentials::bearer(token)).await?;
        if identity.user.id != self.entry.user {
            return Err(
                ChatError::new(ErrorCode::TokenInvalid, "the token is another user's").with_field("token"),
            );
        }
        let mut facts = self.entry.facts();
        facts.expires_at = identity.expires_at;
        facts.login = identity.login;
        answer(&TokenAnswer {
            expires_at: identity.expires_at,
        })
    }
}

/// Makes a command's work on the heap. Made in place, that of every command would have its room in the frame of the one
/// that runs, and a build without optimisation comes close to the end of a thread's stack.
#[inline(never)]
fn heap<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

impl Drop for Session {
    fn drop(&mut self) {
        self.entry.queue.end(EndReason::ClientGone, None);
        self.actor.inner().live.remove(&self.entry);
        self.actor.engine().session_gone(&self.entry);
    }
}

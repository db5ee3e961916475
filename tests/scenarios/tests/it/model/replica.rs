//! A client that knows only what sync tells it, and does with it what the contract says a client does.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::Actor;
use chat_core::command::{ListScheduled, SyncRequest};
use chat_core::id::ConversationId;
use chat_core::model::ScheduledState;
use chat_core::store::InboxFilter;
use chat_core::view::{SyncAnswer, SyncedMessage};
use serde_json::{Value, json};

use super::Verdict;
use super::compare::listed;
use super::compare_lists::whole;
use super::show::difference;
use crate::world::whole_history;

/// One conversation as the client has it.
#[derive(Debug, Clone, Default)]
struct Room {
    view: Value,
    rev: u64,
    messages: BTreeMap<String, Value>,
}

/// What a client has.
#[derive(Debug, Clone, Default)]
pub(super) struct Replica {
    rooms: BTreeMap<ConversationId, Room>,
    blocked: BTreeSet<String>,
    /// Ids of starred messages; of those it does not have, too.
    stars: BTreeSet<String>,
    /// Scheduled messages that wait or have failed.
    scheduled: BTreeMap<String, Value>,
    badge: Value,
    token: Option<String>,
}

impl Replica {
    /// Catches up from the token of the last answer, or from nothing.
    pub(super) async fn catch_up(&mut self, actor: &Actor) -> Verdict {
        let request = SyncRequest {
            token: self.token.clone(),
            conversations: None,
        };
        self.run(actor, request).await
    }

    /// Catches up from the revs of what the client has. Private changes have no rev, so it starts its block list,
    /// its stars and its scheduled messages anew, and heeds `visible_from_seq` as every client may.
    pub(super) async fn catch_up_by_revs(&mut self, actor: &Actor) -> Verdict {
        let known = self.rooms.iter().map(|(id, room)| (*id, room.rev)).collect();
        let request = SyncRequest {
            token: None,
            conversations: Some(known),
        };
        self.blocked.clear();
        self.stars.clear();
        self.scheduled.clear();
        self.run(actor, request).await?;
        for room in self.rooms.values_mut() {
            let from = room.view["my"]["visible_from_seq"].as_u64();
            room.messages.retain(|_, message| message["seq"].as_u64() >= from);
        }
        Ok(())
    }

    async fn run(&mut self, actor: &Actor, mut request: SyncRequest) -> Verdict {
        for _ in 0..100 {
            let answer = actor
                .sync(request)
                .await
                .map_err(|error| format!("sync: {error}"))?;
            request = SyncRequest {
                token: Some(answer.token.clone()),
                conversations: None,
            };
            let more = answer.has_more;
            self.apply(actor, answer).await;
            if !more {
                return Ok(());
            }
        }
        Err("a sync that never ends".to_owned())
    }

    async fn apply(&mut self, actor: &Actor, answer: SyncAnswer) {
        for removed in &answer.removed {
            self.rooms.remove(&removed.conversation_id);
        }
        for changed in answer.conversations {
            let id = changed.conversation.id;
            let room = self.rooms.entry(id).or_default();
            room.rev = changed.conversation.rev;
            room.view = json!(changed.conversation);
            for message in changed.messages {
                match message {
                    SyncedMessage::Message(message) => {
                        room.messages.insert(message.id.to_string(), json!(message));
                    }
                    SyncedMessage::Gone(gone) => {
                        room.messages.remove(&gone.id.to_string());
                    }
                }
            }
            // What lies below was purged.
            let first = room.view["first_seq"].as_u64();
            room.messages
                .retain(|_, message| message["seq"].as_u64() >= first);
            if changed.limited {
                let all = whole_history(actor, id).await;
                room.messages = all
                    .into_iter()
                    .map(|message| (message.id.to_string(), json!(message)))
                    .collect();
            }
        }
        for user in answer.blocks.added {
            self.blocked.insert(user.to_string());
        }
        for user in answer.blocks.removed {
            self.blocked.remove(user.as_str());
        }
        for star in answer.stars.added {
            self.stars.insert(star.message_id.to_string());
        }
        for star in answer.stars.removed {
            self.stars.remove(&star.message_id.to_string());
        }
        for scheduled in answer.scheduled {
            let open = matches!(scheduled.state, ScheduledState::Pending | ScheduledState::Failed);
            let id = scheduled.id.to_string();
            if open {
                self.scheduled.insert(id, json!(scheduled));
            } else {
                self.scheduled.remove(&id);
            }
        }
        self.badge = json!(answer.badge);
        self.token = Some(answer.token);
    }

    /// Takes off the screen what has disappeared; nobody has to tell a client.
    fn forget_expired(&mut self, now: &Value) {
        for room in self.rooms.values_mut() {
            room.messages.retain(|_, message| {
                let at = message["expires_at"].as_str();
                at.is_none() || at > now.as_str()
            });
        }
    }

    /// Whether this is what the user would see with a new device.
    pub(super) async fn agrees(&mut self, actor: &Actor) -> Verdict {
        self.forget_expired(&json!(actor.engine().now()));
        let fresh = listed(actor, InboxFilter::All, 100).await?;
        let known: Vec<&ConversationId> = self.rooms.keys().collect();
        let mut ids: Vec<ConversationId> = fresh.iter().map(|view| view.id).collect();
        ids.sort_unstable();
        if known != ids.iter().collect::<Vec<_>>() {
            return Err(format!("synced conversations are {known:?}, fresh ones {ids:?}"));
        }
        for view in fresh {
            let id = view.id;
            let Some(room) = self.rooms.get(&id) else {
                continue;
            };
            let now = json!(actor.engine().now());
            same(
                &format!("{id}"),
                bare_view(&json!(view), &now),
                bare_view(&room.view, &now),
            )?;
            let all = whole_history(actor, id).await;
            let fresh: BTreeMap<String, Value> = all
                .iter()
                .map(|message| (message.id.to_string(), json!(message)))
                .collect();
            let seqs = |messages: &BTreeMap<String, Value>| {
                let mut seqs: Vec<Option<u64>> = messages.values().map(|m| m["seq"].as_u64()).collect();
                seqs.sort_unstable();
                json!(seqs)
            };
            same(&format!("messages of {id}"), seqs(&fresh), seqs(&room.messages))?;
            for (key, message) in &fresh {
                let mut synced = room.messages.get(key).cloned().unwrap_or_default();
                // What was starred since is told apart; a tombstone shows none.
                let starred = self.stars.contains(key) && synced["deleted"].is_null();
                synced["starred"] = starred.then_some(true).into();
                same(
                    &format!("{id}/{}", message["seq"]),
                    bare_message(message),
                    bare_message(&synced),
                )?;
            }
        }
        let open = whole("scheduled", 100, async |page| {
            let list = ListScheduled {
                conversation_id: None,
                page,
            };
            actor.scheduled_messages(list).await
        })
        .await?;
        let open: BTreeMap<String, Value> = (open.iter())
            .map(|scheduled| (scheduled.id.to_string(), json!(scheduled)))
            .collect();
        same("scheduled", json!(open), json!(self.scheduled))?;
        let badge = actor.badge().await.map_err(|error| error.to_string())?;
        same("badge", json!(badge), self.badge.clone())?;
        let blocked = actor
            .blocked_users(Default::default())
            .await
            .map_err(|error| error.to_string())?;
        let blocked: BTreeSet<String> = blocked.items.iter().map(|user| user.id.to_string()).collect();
        same("blocks", json!(blocked), json!(self.blocked))
    }
}

fn same(what: &str, fresh: Value, synced: Value) -> Verdict {
    let differs = difference(what, &fresh, &synced).or_else(|| difference(what, &synced, &fresh));
    differs.map_or(Ok(()), |found| {
        Err(format!("after sync: {found}\nfresh: {fresh}\nsynced: {synced}"))
    })
}

/// Without what a client works out by itself: who may write follows from blocks, mutes and the clock, the end of a mute
/// and of a pause from the clock.
fn bare_view(view: &Value, now: &Value) -> Value {
    let mut view = view.clone();
    let lapse = |until: &mut Value| {
        if until.as_str().is_some_and(|until| Some(until) <= now.as_str()) {
            *until = Value::Null;
        }
    };
    lapse(&mut view["my"]["muted_until"]);
    lapse(&mut view["my"]["next_send_at"]);
    view["my"]["can"] = Value::Null;
    if view["kind"] == "direct" {
        view["peer"]["presence"] = Value::Null;
    }
    for member in view["members"].as_array_mut().into_iter().flatten() {
        lapse(&mut member["muted_until"]);
        member["user"]["presence"] = Value::Null;
    }
    view
}

/// Without what a client works out by itself: status from members' marks, folding from its block list, what is left
/// of a message answered from that message.
fn bare_message(message: &Value) -> Value {
    let mut message = message.clone();
    for derived in ["status", "receipts", "from_blocked"] {
        message[derived] = Value::Null;
    }
    message["sender"]["avatar_url"] = Value::Null;
    if message["reply_to"].is_object() {
        message["reply_to"]["state"] = Value::Null;
        message["reply_to"]["preview"] = Value::Null;
    }
    message
}

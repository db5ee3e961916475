//! Who an event goes to: the members of its conversation, and of those the ones who are connected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::ChatEngine;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::id::{ConversationId, SessionId, UserId};
use crate::model::{Conversation, Message, Rev, Seq};
use crate::port::{Recipient, WireEvent};

/// The members of a conversation at one `members_rev`, or later.
#[derive(Debug)]
pub(crate) struct Roster {
    members_rev: Rev,
    users: Vec<UserId>,
    /// Where the present membership of each begins.
    since: Vec<Seq>,
}

/// Rosters of conversations with live traffic. One is good for every publication that is not newer, because each
/// member carries since when he is one; a change of membership makes the next event load it again.
#[derive(Debug, Default)]
pub(crate) struct Rosters {
    kept: Mutex<HashMap<ConversationId, Arc<Roster>>>,
}

impl Rosters {
    /// How many are kept; beyond it all are dropped and load again.
    const KEPT: usize = 4096;

    fn get(&self, conversation: &Conversation) -> Option<Arc<Roster>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&conversation.id)
            .filter(|roster| roster.members_rev >= conversation.members_rev)
            .cloned()
    }

    fn put(&self, id: ConversationId, roster: &Arc<Roster>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Self::KEPT {
            kept.clear();
        }
        kept.insert(id, Arc::clone(roster));
    }
}

impl ChatEngine {
    async fn roster(&self, conversation: &Conversation) -> ChatResult<Arc<Roster>> {
        if let Some(roster) = self.inner().rosters.get(conversation) {
            return Ok(roster);
        }
        let store = &self.inner().store;
        // The rev is read before the members, so that the roster is at least as new as it says.
        let now = store.conversations(&[conversation.id]).await?.pop();
        let members = store
            .members_of(&[conversation.id], usize::MAX)
            .await?
            .remove(&conversation.id);
        let (users, since) = members
            .unwrap_or_default()
            .into_iter()
            .map(|member| {
                (
                    member.user_id,
                    member.intervals.last().map_or(1, |interval| interval.from),
                )
            })
            .unzip();
        let members_rev = now.map_or(conversation.members_rev, |now| now.members_rev);
        let roster = Arc::new(Roster {
            members_rev,
            users,
            since,
        });
        self.inner().rosters.put(conversation.id, &roster);
        Ok(roster)
    }

    /// Members of a conversation.
    pub(crate) async fn audience(&self, conversation: &Conversation) -> ChatResult<Vec<UserId>> {
        Ok(self.roster(conversation).await?.users.clone())
    }

    /// Members of a conversation who were there when a new message was sent. Who joined since does not get it, however
    /// late its event goes out.
    pub(crate) async fn audience_of_new(
        &self,
        conversation: &Conversation,
        message: &Message,
    ) -> ChatResult<Vec<UserId>> {
        let roster = self.roster(conversation).await?;
        let there = roster
            .users
            .iter()
            .zip(&roster.since)
            .filter(|(_, since)| **since <= message.seq);
        Ok(there.map(|(user, _)| user.clone()).collect())
    }

    /// Those of `users` with a live connection on any transport.
    pub(crate) fn connected(&self, users: &[UserId]) -> Vec<UserId> {
        let mut connected: Vec<UserId> = self
            .inner()
            .transports
            .iter()
            .flat_map(|transport| transport.connected(users))
            .collect();
        connected.sort();
        connected.dedup();
        connected
    }

    /// Hands one rendered event to the connections of these users.
    ///
    /// # Errors
    /// `internal`: it could not be written as JSON.
    pub(crate) async fn hand_over(
        &self,
        users: &[UserId],
        except: Option<SessionId>,
        name: &'static str,
        payload: &impl Serialize,
    ) -> ChatResult<()> {
        if users.is_empty() {
            return Ok(());
        }
        let payload = serde_json::value::to_raw_value(payload).map_err(|error| {
            ChatError::new(ErrorCode::Internal, "an event could not be written").with_source(error)
        })?;
        let event = WireEvent {
            name,
            payload: Arc::from(payload),
        };
        let recipients: Vec<Recipient> = users
            .iter()
            .map(|user| Recipient {
                user: user.clone(),
                except,
            })
            .collect();
        for transport in &self.inner().transports {
            let delivery = transport.deliver(&recipients, &event).await;
            if delivery.full > 0 {
                tracing::info!(
                    event = name,
                    sessions = delivery.full,
                    "slow sessions were told that they lag"
                );
            }
        }
        Ok(())
    }
}

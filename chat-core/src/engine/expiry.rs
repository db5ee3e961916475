//! Disappearing messages: out of sight by the clock alone, and some seconds later their content is gone for good.

use std::collections::HashMap;

use super::changeset::ChangeSet;
use super::deletion::empty;
use super::{ChatEngine, Decision};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId};
use crate::model::{Conversation, Message};
use crate::store::{ExpiryKey, Facts, Needs, Target};

/// How many messages one question to the store finds; what one conversation has of them is one change.
const BATCH: usize = 100;

impl ChatEngine {
    /// Takes the content out of messages whose time is over, with their reactions, mentions and files, and tells live
    /// sessions that they are gone. Runs by itself every few seconds; answers how many there were.
    ///
    /// Nobody saw them any more since the moment they expired, so it does not matter when this runs, how often, or on
    /// how many nodes. What cannot be written is passed by until the next time. Stops early on a drain.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be read.
    pub async fn sweep_expired_messages(&self) -> ChatResult<usize> {
        let (mut swept, mut after) = (0, None);
        while !self.is_draining() {
            let store = &self.inner().store;
            let found = self
                .in_time(store.expired_messages(self.now(), after, BATCH))
                .await?;
            after = found.iter().filter_map(place).next_back();
            let last = found.len() < BATCH;
            for (conversation, messages) in by_conversation(found) {
                match self.expire_in(conversation, messages).await {
                    Ok(count) => swept += count,
                    Err(error) => {
                        tracing::warn!(%error, %conversation, "expired messages keep their content for now");
                    }
                }
            }
            if last {
                break;
            }
        }
        Ok(swept)
    }

    async fn expire_in(&self, id: ConversationId, messages: Vec<Message>) -> ChatResult<usize> {
        let mut needs = Needs::new(Target::Conversation(id));
        needs.messages = messages.iter().map(|message| message.id).collect();
        needs.attachments = messages
            .iter()
            .flat_map(|message| message.content.attachments.iter().copied())
            .collect();
        let ids = needs.messages.clone();
        let Some((conversation, expired)) =
            self.commit(None, needs, move |facts| decide(&ids, facts)).await?
        else {
            return Ok(0);
        };
        if let Err(error) = self.tell_unread(&conversation, &expired).await {
            tracing::warn!(%error, conversation = %id, "unread counts after an expiry could not be told; sessions catch up");
            self.tell_members(&conversation).await?;
        }
        Ok(expired.len())
    }

    /// Tells connected members for whom unread messages are gone how many are left: a stub without content does not
    /// say whether it counted.
    async fn tell_unread(&self, conversation: &Conversation, expired: &[Message]) -> ChatResult<()> {
        let counted: Vec<&Message> = expired.iter().filter(|message| message.countable).collect();
        let viewers = self.connected(&self.audience(conversation).await?);
        if counted.is_empty() || viewers.is_empty() {
            return Ok(());
        }
        for (user, member) in self.member_rows(conversation, &viewers).await? {
            let fewer = counted.iter().any(|message| {
                message.sender_id != user && message.seq > member.unread_after() && member.covers(message.seq)
            });
            if fewer {
                let event = ChatEvent::InboxUpdated {
                    user_id: user,
                    conversation_id: conversation.id,
                    user_rev: member.user_rev,
                };
                self.publish(event, None);
            }
        }
        Ok(())
    }

    /// What the store answers within the deadline of a command.
    ///
    /// # Errors
    /// Those of the store; `unavailable` past the deadline.
    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = crate::error::BackendResult<T>>,
    ) -> ChatResult<T> {
        match tokio::time::timeout(self.config().limits.command_deadline, call).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(ChatError::new(
                ErrorCode::Unavailable,
                "the store did not answer in time",
            )),
        }
    }
}

fn place(message: &Message) -> Option<ExpiryKey> {
    let (expires_at, id) = (message.expires_at?, message.id);
    Some(ExpiryKey { expires_at, id })
}

fn by_conversation(messages: Vec<Message>) -> HashMap<ConversationId, Vec<Message>> {
    let mut rooms: HashMap<ConversationId, Vec<Message>> = HashMap::new();
    for message in messages {
        rooms.entry(message.conversation_id).or_default().push(message);
    }
    rooms
}

type Expired = Option<(Conversation, Vec<Message>)>;

/// The conversation after it, and the messages as they were before.
fn decide(ids: &[MessageId], facts: &Facts) -> ChatResult<Decision<Expired>> {
    let Some(conversation) = &facts.conversation else {
        return Ok(Decision::nothing(None));
    };
    // The store's clock decides, whatever this node's says; another node may have been here before.
    let mut expired: Vec<Message> = ids
        .iter()
        .filter_map(|id| facts.messages.get(id))
        .filter(|message| message.is_expired(facts.now) && message.has_content())
        .cloned()
        .collect();
    if expired.is_empty() {
        return Ok(Decision::nothing(None));
    }
    expired.sort_unstable_by_key(|message| message.seq);
    let mut change = ChangeSet::of(conversation, facts);
    for message in &expired {
        expire(&mut change, message, facts);
    }
    let after = change.conversation.clone();
    Ok(change.done(Some((after, expired))))
}

/// Empties a message whose time is over, under a rev of its own. Its row stays, so that seqs stay dense and a repeated
/// send finds it.
pub(super) fn expire(change: &mut ChangeSet, message: &Message, facts: &Facts) -> Message {
    let emptied = empty(change, message, facts);
    let gone = change.update_message(Message {
        countable: false,
        ..emptied
    });
    let answer = Message::clone(&gone);
    change.event(ChatEvent::MessageExpired { message: gone });
    answer
}

//! The end of old data: messages past their retention are purged, and old times of receipts are forgotten.
//!
//! Messages of a conversation are purged from its beginning on, so what is gone is one number, `first_seq`. Nothing is
//! renumbered and nobody's marks move; whatever counts or shows messages asks for those that are there.

use std::time::Duration;

use serde_json::{Map, json};

use super::changeset::ChangeSet;
use super::{ChatEngine, Decision};
use crate::config::Policies;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId};
use crate::model::{Conversation, ConversationKind, Message, Retention};
use crate::store::{DueConversations, Facts, Needs, Purge, RetentionClass, Target};
use crate::time::Timestamp;

/// How many messages one commit purges, so that sends never wait long for it.
const BATCH: usize = 200;
/// How many batches one conversation gets in a sweep; the rest waits for the next, and others are not kept waiting.
const BATCHES: usize = 25;
/// How many conversations are asked for at once.
const PAGE: usize = 100;
/// How many times of receipts are forgotten in one step of the store.
const TIMES: usize = 1_000;

/// How long messages of a conversation are kept; `None` is for good.
pub(crate) fn retention_of(conversation: &Conversation, policies: &Policies) -> Option<Duration> {
    match (conversation.horizon.retention, conversation.kind) {
        (Some(Retention::Forever), _) => None,
        (Some(Retention::For(time)), _) => Some(time),
        (None, ConversationKind::Direct) => policies.retention_direct,
        (None, ConversationKind::Group) => policies.retention_group,
    }
}

impl ChatEngine {
    /// Gives a conversation a retention of its own, for the host: `None` leaves it to the policy again. What is past
    /// it goes with the next sweep, within about a minute.
    ///
    /// # Errors
    /// - `invalid_argument` (`retention`): less than a second.
    /// - `conversation_not_found`.
    /// - `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn set_retention(&self, id: ConversationId, retention: Option<Retention>) -> ChatResult<()> {
        if let Some(Retention::For(time)) = retention
            && time < Duration::from_secs(1)
        {
            return Err(ChatError::invalid("retention", "at least a second"));
        }
        let policies = self.config().policies.clone();
        self.commit(None, Needs::new(Target::Conversation(id)), move |facts| {
            let conversation = facts
                .conversation
                .as_ref()
                .ok_or_else(|| ChatError::new(ErrorCode::ConversationNotFound, "no such conversation"))?;
            if conversation.horizon.retention == retention {
                return Ok(Decision::nothing(()));
            }
            let mut change = ChangeSet::of(conversation, facts);
            change.conversation.horizon.retention = retention;
            let effective = retention_of(&change.conversation, &policies).map(|time| time.as_secs());
            updated(&mut change, "retention_seconds", json!(effective));
            Ok(change.done(()))
        })
        .await
    }

    /// Purges messages past their retention and forgets old times of receipts; answers how many messages went. Runs
    /// by itself every minute; a host may call it sooner. What does not fit into one sweep waits for the next.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be asked. A conversation that fails is logged and passed by.
    pub async fn sweep_retention(&self) -> ChatResult<usize> {
        let policies = &self.config().policies;
        let now = self.now();
        let by_policy = [
            (ConversationKind::Direct, policies.retention_direct),
            (ConversationKind::Group, policies.retention_group),
        ];
        let by_policy = by_policy
            .into_iter()
            .filter_map(|(kind, time)| Some((RetentionClass::Policy(kind), now.before(time?))));
        let mut purged = 0;
        for (class, before) in by_policy.chain([(RetentionClass::Own, now)]) {
            purged += self.sweep_class(class, before).await?;
        }
        if let Some(time) = policies.retention_receipt_times {
            self.forget_mark_times(now.before(time)).await?;
        }
        Ok(purged)
    }

    async fn sweep_class(&self, class: RetentionClass, before: Timestamp) -> ChatResult<usize> {
        let (mut purged, mut after) = (0, None);
        while !self.is_draining() {
            let query = DueConversations {
                class,
                before,
                after,
                limit: PAGE,
            };
            let page = self.inner().store.conversations_due(&query).await?;
            for conversation in &page {
                match self.purge(conversation.id).await {
                    Ok(count) => purged += count,
                    Err(error) => {
                        tracing::warn!(%error, id = %conversation.id, "old messages stay for now");
                    }
                }
            }
            after = page.last().and_then(place);
            if page.len() < PAGE || after.is_none() {
                break;
            }
        }
        Ok(purged)
    }

    /// Purges what is due of one conversation, batch by batch.
    async fn purge(&self, id: ConversationId) -> ChatResult<usize> {
        let mut purged = 0;
        for _ in 0..BATCHES {
            let oldest = self.inner().store.oldest_messages(id, BATCH + 1).await?;
            let mut needs = Needs::new(Target::Conversation(id));
            needs.messages = oldest.iter().map(|message| message.id).collect();
            // An edit cannot change the files of a message, so the ones found are the ones it has.
            needs.attachments = (oldest.iter())
                .flat_map(|message| message.content.attachments.iter().copied())
                .collect();
            let ids = needs.messages.clone();
            let policies = self.config().policies.clone();
            let count = self
                .commit(None, needs, move |facts| Ok(decide(facts, &ids, &policies)))
                .await?;
            purged += count;
            if count < BATCH {
                break;
            }
        }
        Ok(purged)
    }

    async fn forget_mark_times(&self, before: Timestamp) -> ChatResult<()> {
        for _ in 0..BATCHES {
            if self.inner().store.forget_mark_times(before, TIMES).await? < TIMES {
                break;
            }
        }
        Ok(())
    }
}

/// Where a conversation stands in the order of those due.
fn place(conversation: &Conversation) -> Option<(Timestamp, ConversationId)> {
    let oldest_at = conversation.horizon.oldest_at?;
    let at = match conversation.horizon.retention {
        Some(Retention::For(time)) => oldest_at.after(time),
        _ => oldest_at,
    };
    Some((at, conversation.id))
}

fn updated(change: &mut ChangeSet, name: &str, value: serde_json::Value) {
    let rev = change.next_rev();
    let mut changed = Map::new();
    changed.insert(name.to_owned(), value);
    change.event(ChatEvent::ConversationUpdated {
        conversation_id: change.conversation.id,
        rev,
        changed,
    });
}

/// Purges those of the oldest messages that are past the retention in force now; answers how many.
fn decide(facts: &Facts, oldest: &[MessageId], policies: &Policies) -> Decision<usize> {
    let Some(conversation) = &facts.conversation else {
        return Decision::nothing(0);
    };
    let Some(time) = retention_of(conversation, policies) else {
        return Decision::nothing(0);
    };
    let begin = facts.now.before(time);
    let found: Vec<&Message> = oldest.iter().filter_map(|id| facts.messages.get(id)).collect();
    // Times never decrease along seq, so what is old is a beginning.
    let old = found
        .iter()
        .take_while(|message| message.created_at < begin)
        .count();
    let (count, next) = match found.get(old) {
        Some(next) => (old, Some(*next)),
        None => match found.last() {
            Some(last) if last.seq == conversation.last_seq => (old, None),
            // What follows it is not among the facts; it stays as the oldest until the next batch.
            Some(last) => (old.saturating_sub(1), Some(*last)),
            None => (0, None),
        },
    };
    if count == 0 {
        return Decision::nothing(0);
    }
    let gone: Vec<&Message> = found.into_iter().take(count).collect();
    let mut change = ChangeSet::of(conversation, facts);
    let below = next.map_or(conversation.last_seq + 1, |next| next.seq);
    let horizon = &mut change.conversation.horizon;
    horizon.first_seq = below;
    horizon.oldest_at = next.map(|next| next.created_at);
    let newest = gone.iter().map(|message| message.rev).max();
    horizon.min_rev = horizon.min_rev.max(newest.unwrap_or_default());
    change.writes.purge = Some(Purge {
        conversation_id: conversation.id,
        below,
    });
    for message in &gone {
        change.release_files(message, facts);
    }
    updated(&mut change, "first_seq", json!(below));
    change.done(count)
}

//! Sends scheduled messages whose time has come, once, on however many nodes.
//!
//! A worker claims what is due for a while, sends it under a client id that follows from the scheduled message, and marks
//! it. When it dies between the two, the claim lapses, the next worker sends again, and the client id makes that a
//! replay of the first send.

use std::sync::Arc;
use std::time::Duration;

use super::ChatEngine;
use super::drain::InFlight;
use super::scheduling::emptied;
use crate::command::SendMessage;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ClientId, ConversationId, MessageId};
use crate::model::{Scheduled, ScheduledState};

/// How long a claim holds. What could not be settled is tried again when it lapses.
const LEASE: Duration = Duration::from_secs(30);
/// How many are claimed at once; the commands of all of them fit into a lease when the store answers as it should.
const BATCH: usize = 16;
/// How many settled ones are forgotten in one step.
const FORGOTTEN: usize = 500;

/// Work that a drain waits for.
struct Working(Arc<InFlight>);

impl Working {
    fn on(in_flight: &Arc<InFlight>) -> Self {
        in_flight.begin();
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl ChatEngine {
    /// Sends the scheduled messages whose time has come; answers how many were settled: sent, or failed for good. Runs
    /// by itself every second.
    ///
    /// What cannot be settled now (the store does not answer, the owner is over his rate) is tried again when its claim
    /// lapses. On a drain what is claimed and not sent yet is given back.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be reached.
    pub async fn send_due_messages(&self) -> ChatResult<usize> {
        let mut settled = 0;
        while !self.is_draining() {
            let _working = Working::on(&self.inner().in_flight);
            let claim = self.inner().store.claim_scheduled(LEASE, BATCH);
            let claimed = self.in_time(claim).await?;
            let last = claimed.len() < BATCH;
            for row in claimed {
                if self.is_draining() {
                    self.give_back(&row).await;
                    continue;
                }
                match self.settle(&row).await {
                    Ok(done) => settled += usize::from(done),
                    Err(error) => {
                        tracing::warn!(%error, scheduled = %row.id, "a scheduled message could not be marked; it is looked at again");
                    }
                }
            }
            if last {
                break;
            }
        }
        Ok(settled)
    }

    /// Forgets scheduled messages that were settled so long ago that no client asks for them any more.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be reached.
    pub(crate) async fn forget_settled(&self) -> ChatResult<usize> {
        let before = self.now().before(self.config().limits.sync_token_life);
        let mut forgotten = 0;
        while !self.is_draining() {
            let gone = self
                .in_time(self.inner().store.forget_scheduled(before, FORGOTTEN))
                .await?;
            forgotten += gone;
            if gone < FORGOTTEN {
                break;
            }
        }
        Ok(forgotten)
    }

    async fn give_back(&self, row: &Scheduled) {
        let release = self.inner().store.release_scheduled(row.id, row.stamp());
        if let Err(error) = self.in_time(release).await {
            tracing::warn!(%error, scheduled = %row.id, "a claim could not be given back; it lapses");
        }
    }

    /// Sends one and marks it; whether it is settled by that.
    async fn settle(&self, row: &Scheduled) -> ChatResult<bool> {
        let mut after = Scheduled {
            version: row.version.saturating_add(1),
            claimed_until: None,
            changed_at: self.now(),
            ..row.clone()
        };
        match self.send_scheduled(row).await {
            Ok(sent) => {
                after.state = ScheduledState::Sent;
                after.message = emptied(&row.message);
                let (conversation_id, message_id) = sent;
                after.conversation_id = Some(conversation_id);
                after.message_id = Some(message_id);
            }
            Err(error) if self.may_pass(row, &error) => {
                tracing::info!(%error, scheduled = %row.id, "a scheduled message is tried again later");
                return Ok(false);
            }
            Err(error) => {
                after.state = ScheduledState::Failed;
                after.error_code = Some(error.code().as_str().to_owned());
            }
        }
        let mark = self.inner().store.put_scheduled(after, row.stamp());
        // Where another worker took it over, that one marks it.
        let Some(marked) = self.in_time(mark).await? else {
            return Ok(false);
        };
        let event = ChatEvent::ScheduledChanged {
            scheduled: Arc::new(marked),
        };
        self.publish(event, None);
        Ok(true)
    }

    async fn send_scheduled(&self, row: &Scheduled) -> ChatResult<(ConversationId, MessageId)> {
        // The commit has a deadline of its own; this one is for a store that hangs while it is read.
        let limit = self.config().limits.command_deadline * 2;
        let send = async {
            let _owner = self.check_not_suspended(&row.user_id).await?;
            self.as_user(&row.user_id).send_due(message_of(row)?).await
        };
        match tokio::time::timeout(limit, send).await {
            Ok(sent) => sent,
            Err(_) => Err(ErrorCode::OutcomeUnknown.into()),
        }
    }

    /// Whether the same send may succeed later, and it is not too late for that.
    fn may_pass(&self, row: &Scheduled, error: &ChatError) -> bool {
        let passing =
            error.is_retryable() || matches!(error.code(), ErrorCode::StorageFull | ErrorCode::Internal);
        passing && self.now() < row.send_at.after(self.config().limits.scheduled_retry)
    }
}

/// The send of a scheduled message: the same message under the same key, however often it is tried.
fn message_of(row: &Scheduled) -> ChatResult<SendMessage> {
    let key = ClientId::new(format!("sched:{}", row.id))
        .map_err(|error| ChatError::new(ErrorCode::Internal, error.to_string()))?;
    Ok(SendMessage {
        conversation_id: row.conversation_id,
        recipient_id: row.recipient_id.clone().filter(|_| row.conversation_id.is_none()),
        client_id: Some(key),
        ..row.message.clone()
    })
}

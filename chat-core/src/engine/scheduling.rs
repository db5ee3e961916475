//! Messages that are sent later: kept, shown, changed and cancelled by their owner. [`due`](super::due) sends them.

use std::sync::Arc;

use serde_json::json;

use super::Actor;
use super::content::{self, hash_json};
use super::groups::derived;
use super::subject::expect_version;
use crate::command::{
    CancelScheduled, CommandName, ListScheduled, ScheduleMessage, SendMessage, UpdateScheduled,
};
use crate::config::Limits;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::ScheduledId;
use crate::model::{Scheduled, ScheduledState};
use crate::port::CommandContext;
use crate::store::{AddedScheduled, ScheduledKey, ScheduledQuery};
use crate::time::Timestamp;
use crate::view::{Page, ScheduledAnswer, ScheduledView};

/// How often a change is tried on what another one has just changed.
const TRIES: usize = 3;

impl Actor {
    /// Keeps a message that is to be sent at a time to come. It is judged now as if it were sent, and again when its
    /// time has come; seq and time are those of the send. Its files are reserved for it.
    ///
    /// With a client id it is safe to repeat: the same key and payload answers with what was scheduled before
    /// (`replayed`), the same key with another payload is refused.
    ///
    /// # Errors
    /// - Those of [`send`](Actor::send), but for the host's hook, which is asked when it is sent.
    /// - `invalid_argument` (`send_at`): too soon or too far away.
    /// - `invalid_operation`: as many are pending as one user may have; for the host, which has no messages to wait
    ///   with.
    /// - `idempotency_conflict`.
    pub async fn schedule(&self, schedule: ScheduleMessage) -> ChatResult<ScheduledAnswer> {
        let about = self
            .about(CommandName::ScheduleMessage)
            .conversation(schedule.conversation_id)
            .users(&schedule.recipient_id);
        self.command(about, self.schedule_past_hooks(schedule)).await
    }

    async fn schedule_past_hooks(&self, schedule: ScheduleMessage) -> ChatResult<ScheduledAnswer> {
        if self.is_host() {
            return Err(ChatError::new(
                ErrorCode::InvalidOperation,
                "the host sends when it wants to",
            ));
        }
        let config = self.engine().config();
        let (message, send_at) = schedule.into_parts();
        self.checked_content(&message)?;
        let mut row = self.draft(&message, send_at);
        if row.client_id.is_some()
            && let Some(known) = self.inner().store.scheduled(row.id).await?
        {
            return replay(known, &row);
        }
        check_send_at(send_at, self.engine().now(), &config.limits)?;
        row.conversation_id = self.rehearse(message, send_at).await?;
        let wanted = row.clone();
        let cap = config.limits.scheduled_pending;
        match self.inner().store.add_scheduled(row, cap).await? {
            AddedScheduled::Added(added) => {
                self.tell_scheduled(&added);
                Ok(ScheduledAnswer {
                    scheduled: ScheduledView::of(*added),
                    replayed: false,
                })
            }
            AddedScheduled::Known(known) => replay(*known, &wanted),
            AddedScheduled::TooMany => Err(ChatError::new(
                ErrorCode::InvalidOperation,
                format!("at most {cap} pending"),
            )),
            AddedScheduled::FileTaken => {
                Err(ChatError::new(ErrorCode::Conflict, "already used").with_field("attachment_ids"))
            }
        }
    }

    fn draft(&self, message: &SendMessage, send_at: Timestamp) -> Scheduled {
        let now = self.engine().now();
        let id = match &message.client_id {
            Some(key) => derived("scheduled", self.user_id(), key),
            None => self.inner().ids.next(),
        };
        let hash = json!({
            "message": content::payload_hash(message),
            "conversation_id": message.conversation_id,
            "recipient_id": message.recipient_id,
            "send_at": send_at,
        });
        Scheduled {
            id: ScheduledId::from_uuid(id),
            user_id: self.user_id().clone(),
            client_id: message.client_id.clone(),
            payload_hash: message.client_id.as_ref().map(|_| hash_json(&hash)),
            conversation_id: message.conversation_id,
            recipient_id: message.recipient_id.clone(),
            message: SendMessage {
                conversation_id: None,
                recipient_id: None,
                client_id: None,
                ..message.clone()
            },
            send_at,
            state: ScheduledState::Pending,
            message_id: None,
            error_code: None,
            version: 1,
            user_rev: 0,
            claims: 0,
            claimed_until: None,
            created_at: now,
            changed_at: now,
        }
    }

    /// One of the caller's scheduled messages, in whatever state, for 30 days after it was settled.
    ///
    /// # Errors
    /// `not_found`, also for somebody else's.
    pub async fn scheduled(&self, id: ScheduledId) -> ChatResult<ScheduledView> {
        Ok(ScheduledView::of(self.own_scheduled(id).await?))
    }

    /// A command about one of one's own, with where that goes, for the hooks.
    async fn with_its_place(&self, about: CommandContext, id: ScheduledId) -> ChatResult<CommandContext> {
        if self.inner().hooks.is_empty() {
            return Ok(about);
        }
        let row = self.inner().store.scheduled(id).await?;
        Ok(match row.filter(|row| row.user_id == *self.user_id()) {
            Some(row) => about.conversation(row.conversation_id).users(&row.recipient_id),
            None => about,
        })
    }

    async fn own_scheduled(&self, id: ScheduledId) -> ChatResult<Scheduled> {
        let found = self.inner().store.scheduled(id).await?;
        found
            .filter(|row| row.user_id == *self.user_id())
            .ok_or_else(|| ChatError::new(ErrorCode::NotFound, "no such scheduled message"))
    }

    /// The caller's scheduled messages that are pending or failed, by the time they are to be sent at.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`.
    pub async fn scheduled_messages(&self, list: ListScheduled) -> ChatResult<Page<ScheduledView>> {
        let limit = self.limit(list.page.limit)?;
        let purpose = match list.conversation_id {
            Some(id) => format!("scheduled:{id}"),
            None => "scheduled".to_owned(),
        };
        let after = self.cursor::<ScheduledKey>(&purpose, &list.page)?;
        let to = match list.conversation_id {
            // Also those to the other of a direct that were scheduled when there was none.
            Some(id) => {
                let pair = match self.direct_pair(id).await {
                    // Where there is no such conversation, there is nothing to find: that tells nothing of it.
                    Err(error) if error.code() == ErrorCode::ConversationNotFound => None,
                    pair => pair?,
                };
                Some((id, pair.and_then(|pair| pair.other(self.user_id()).cloned())))
            }
            None => None,
        };
        let query = ScheduledQuery {
            user: self.user_id().clone(),
            to,
            after,
            limit: limit + 1,
        };
        let mut rows = self.inner().store.scheduled_of(&query).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| ScheduledKey {
            send_at: row.send_at,
            id: row.id,
        });
        Ok(Page {
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
            items: rows.into_iter().map(ScheduledView::of).collect(),
        })
    }

    /// Changes text, mentions or time of a pending scheduled message. A change that changes nothing answers with it as
    /// it is.
    ///
    /// # Errors
    /// - `not_found`; `invalid_transition`: it is not pending any more.
    /// - `conflict`: it is being sent this moment, `retry_after_ms` says how long at most.
    /// - `version_conflict`: not the expected version; `details.version` is the present one.
    /// - `invalid_argument` (`send_at`), and those of the payload as for [`send`](Actor::send).
    pub async fn update_scheduled(&self, update: UpdateScheduled) -> ChatResult<ScheduledView> {
        let about = self.about(CommandName::UpdateScheduledMessage);
        let about = self.with_its_place(about, update.scheduled_id).await?;
        self.command(about, self.update_past_hooks(update)).await
    }

    async fn update_past_hooks(&self, update: UpdateScheduled) -> ChatResult<ScheduledView> {
        let limits = &self.engine().config().limits;
        self.change_scheduled(update.scheduled_id, |row, now| {
            if row.state != ScheduledState::Pending {
                return Err(over(row.state));
            }
            if let Some(expected) = update.expected_version {
                expect_version(expected, row.version)?;
            }
            let mut changed = row.clone();
            if let Some(text) = &update.text {
                changed.message.text.clone_from(text);
            }
            if let Some(mentions) = &update.mentions {
                changed.message.mentions.clone_from(mentions);
            }
            if let Some(send_at) = update.send_at.filter(|at| *at != row.send_at) {
                check_send_at(send_at, now, limits)?;
                changed.send_at = send_at;
            }
            let content = self.checked_content(&changed.message)?;
            content::check_times(&content, changed.send_at, limits)?;
            Ok(changed)
        })
        .await
    }

    /// Cancels a pending scheduled message, or takes a failed one off the list; its files are free again. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// - `not_found`; `invalid_transition`: it was sent.
    /// - `conflict`: it is being sent this moment, `retry_after_ms` says how long at most.
    pub async fn cancel_scheduled(&self, cancel: CancelScheduled) -> ChatResult<()> {
        let about = self.about(CommandName::CancelScheduledMessage);
        let about = self.with_its_place(about, cancel.scheduled_id).await?;
        self.command(about, self.cancel_past_hooks(cancel)).await
    }

    async fn cancel_past_hooks(&self, cancel: CancelScheduled) -> ChatResult<()> {
        self.change_scheduled(cancel.scheduled_id, |row, _| match row.state {
            ScheduledState::Cancelled => Ok(row.clone()),
            ScheduledState::Sent => Err(over(row.state)),
            ScheduledState::Pending | ScheduledState::Failed => Ok(Scheduled {
                state: ScheduledState::Cancelled,
                message: emptied(&row.message),
                error_code: None,
                ..row.clone()
            }),
        })
        .await
        .map(drop)
    }

    /// Changes a row as it is kept, again when it was changed in between.
    async fn change_scheduled(
        &self,
        id: ScheduledId,
        change: impl Fn(&Scheduled, Timestamp) -> ChatResult<Scheduled>,
    ) -> ChatResult<ScheduledView> {
        for _ in 0..TRIES {
            let row = self.own_scheduled(id).await?;
            let now = self.engine().now();
            let mut changed = change(&row, now)?;
            if changed == row {
                return Ok(ScheduledView::of(row));
            }
            // Whoever claimed it may have sent it already, so only he says what becomes of it.
            if row.state == ScheduledState::Pending
                && let Some(until) = row.claimed_until
            {
                return Err(ChatError::new(ErrorCode::Conflict, "it is being sent")
                    .with_retry_after(until.since(now)));
            }
            changed.version = row.version.saturating_add(1);
            changed.changed_at = now;
            let kept = self.inner().store.put_scheduled(changed, row.stamp()).await?;
            if let Some(kept) = kept {
                self.tell_scheduled(&kept);
                return Ok(ScheduledView::of(kept));
            }
        }
        Err(ChatError::new(ErrorCode::Conflict, "it is being changed"))
    }

    fn tell_scheduled(&self, row: &Scheduled) {
        let event = ChatEvent::ScheduledChanged {
            scheduled: Arc::new(row.clone()),
        };
        self.engine().publish(event, self.session());
    }
}

/// What was scheduled before under the same key, or the conflict with it.
fn replay(known: Scheduled, wanted: &Scheduled) -> ChatResult<ScheduledAnswer> {
    if known.payload_hash != wanted.payload_hash {
        return Err(ChatError::new(
            ErrorCode::IdempotencyConflict,
            "this client_id scheduled another message",
        )
        .with_field("client_id"));
    }
    Ok(ScheduledAnswer {
        scheduled: ScheduledView::of(known),
        replayed: true,
    })
}

fn check_send_at(send_at: Timestamp, now: Timestamp, limits: &Limits) -> ChatResult<()> {
    let earliest = now.after(limits.scheduled_min_lead);
    let latest = now.after(limits.scheduled_max_horizon);
    if (earliest..=latest).contains(&send_at) {
        return Ok(());
    }
    Err(ChatError::invalid(
        "send_at",
        format!(
            "between {} and {} s ahead",
            limits.scheduled_min_lead.as_secs(),
            limits.scheduled_max_horizon.as_secs()
        ),
    ))
}

fn over(state: ScheduledState) -> ChatError {
    let detail = match state {
        ScheduledState::Sent => "it was sent",
        ScheduledState::Failed => "it has failed",
        ScheduledState::Cancelled => "it was cancelled",
        ScheduledState::Pending => "it is pending",
    };
    ChatError::new(ErrorCode::InvalidTransition, detail)
}

/// What stays of the payload once it is not needed any more: a message that was sent has a life of its own, and when it
/// is deleted, its words must not be here.
pub(super) fn emptied(message: &SendMessage) -> SendMessage {
    SendMessage {
        kind: message.kind,
        ..SendMessage::default()
    }
}

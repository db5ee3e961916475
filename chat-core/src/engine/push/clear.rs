//! What was read elsewhere goes off the screens of devices. Best effort, unlike alerts: reads of a moment are gathered,
//! and one push for a conversation tells of all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;

use super::call::send;
use crate::engine::ChatEngine;
use crate::error::ChatResult;
use crate::id::{ConversationId, UserId};
use crate::model::Seq;
use crate::port::{Notified, Push, PushKind};

/// How long reads are gathered.
const GATHERED: Duration = Duration::from_secs(2);
/// How many conversations of users are told of at a time.
const AT_ONCE: usize = 8;

/// Reads that devices have to hear of: up to where, by user and conversation. Never more than there are alerts
/// remembered.
#[derive(Debug, Default)]
pub(crate) struct Clears {
    waiting: Mutex<HashMap<(UserId, ConversationId), Seq>>,
}

impl Clears {
    /// Whether this is the first one of a moment.
    fn add(&self, user: &UserId, conversation: ConversationId, up_to: Seq) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = waiting.is_empty();
        let seq = waiting.entry((user.clone(), conversation)).or_default();
        *seq = up_to.max(*seq);
        first
    }

    fn take(&self) -> HashMap<(UserId, ConversationId), Seq> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ChatEngine {
    /// A user has read up to here; his devices hear of it where they show any of it.
    pub(in crate::engine) fn clear_read(&self, user: &UserId, conversation: ConversationId, up_to: Seq) {
        let pushes = &self.inner().pushes;
        if !pushes.shown.read(user, conversation, up_to) || !pushes.clears.add(user, conversation, up_to) {
            return;
        }
        let inner = Arc::downgrade(self.inner());
        tokio::spawn(async move {
            tokio::time::sleep(GATHERED).await;
            let Some(inner) = inner.upgrade() else { return };
            let engine = ChatEngine { inner };
            let clears = engine.inner.pushes.clears.take();
            futures::stream::iter(clears)
                .for_each_concurrent(AT_ONCE, |((user, conversation), up_to)| {
                    let engine = &engine;
                    async move {
                        if let Err(error) = engine.clear(&user, conversation, up_to).await {
                            tracing::warn!(%error, "devices could not be told what was read elsewhere");
                        }
                    }
                })
                .await;
        });
    }

    async fn clear(&self, user: &UserId, conversation: ConversationId, up_to: Seq) -> ChatResult<()> {
        let inner = self.inner();
        let Some(notifier) = &inner.pushes.notifier else {
            return Ok(());
        };
        let Some(conversation) = inner.store.conversations(&[conversation]).await?.pop() else {
            return Ok(());
        };
        let push = Push {
            user_id: user.clone(),
            kind: PushKind::Clear,
            conversation_id: conversation.id,
            message_id: None,
            seq: up_to,
            title: String::new(),
            body: String::new(),
            badge: self.as_user(user).badge().await?.unread_messages,
            life: self.push_life(&conversation),
        };
        for device in self.live_devices(std::slice::from_ref(user)).await? {
            match send(notifier.as_ref(), &device, &push).await {
                Notified::Sent => inner.counters.push_sent(),
                // The next alert says so again; what only tidies up is not repeated.
                Notified::Dead | Notified::Refused { .. } | Notified::Retry { .. } => {
                    inner.counters.push_failed();
                }
            }
        }
        Ok(())
    }
}

//! How a user wants to be seen: a status and a word of his own, kept with him, until they lapse.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::presence::{fully_known, presence_of_oneself};
use super::profile::unknown_user;
use super::{Actor, ChatEngine};
use crate::access::shown_status;
use crate::command::{CommandName, SetPresence};
use crate::config::Limits;
use crate::error::{ChatError, ChatResult};
use crate::event::ChatEvent;
use crate::id::{SessionId, UserId};
use crate::model::{ManualStatus, OwnPresence, User, UserPatch};
use crate::text::{clean_emoji, is_blank};
use crate::time::Timestamp;
use crate::view::{PresenceStatus, UserPresence};

impl Actor {
    /// How the caller wants to be seen; what has lapsed is not told any more.
    ///
    /// # Errors
    /// `user_not_found` when the engine has never met him; `unavailable`.
    pub async fn own_presence(&self) -> ChatResult<OwnPresence> {
        Ok(self.own_row().await?.presence.at(self.engine().now()))
    }

    /// Says how the caller wants to be seen, in place of what he said before. It stays with him, whatever his sessions
    /// do, until `until`; one in the past says nothing of his own, like `auto` without a word.
    ///
    /// To others an invisible user looks like one who has gone: from now on, with now as the time he was last seen.
    /// `away` and `dnd` never make him look more present than his sessions do; `dnd` stops pushes. His other sessions
    /// hear of it.
    ///
    /// # Errors
    /// - `invalid_argument` (`text`, `emoji`): too long, or no emoji.
    /// - `user_not_found` when the engine has never met him; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn set_presence(&self, set: SetPresence) -> ChatResult<OwnPresence> {
        let about = self.about(CommandName::SetPresence);
        self.command(about, self.set_presence_past_hooks(set)).await
    }

    async fn set_presence_past_hooks(&self, set: SetPresence) -> ChatResult<OwnPresence> {
        let now = self.engine().now();
        let wanted = checked(set, &self.engine().config().limits)?.at(now);
        let before = self.own_row().await?;
        if before.presence.at(now) == wanted {
            return Ok(wanted);
        }
        let automatic = self.engine().automatic_status(self.user_id()).await;
        let shown = shown_status(
            before.presence.status_at(now),
            automatic.unwrap_or(PresenceStatus::Offline),
        );
        let goes = wanted.status == ManualStatus::Invisible && shown != PresenceStatus::Offline;
        let patch = UserPatch {
            presence: Some(wanted.clone()),
            last_seen_at: goes.then_some(now),
            ..UserPatch::default()
        };
        let updated = self.inner().store.update_user(self.user_id(), patch).await?;
        let updated = updated.ok_or_else(unknown_user)?;
        self.inner().lapses.note(self.user_id(), wanted.until, now);
        // It stands; live sessions that cannot be told now see it when they ask.
        let told = self.engine().tell_own_presence(&before, &updated, self.session());
        if let Err(error) = told.await {
            tracing::warn!(%error, "a change of presence could not be told");
        }
        Ok(wanted)
    }
}

fn checked(set: SetPresence, limits: &Limits) -> ChatResult<OwnPresence> {
    let text = set.text.filter(|text| !is_blank(text));
    if let Some(text) = &text {
        if text.chars().count() > limits.status_chars {
            let most = format!("at most {} characters", limits.status_chars);
            return Err(ChatError::invalid("text", most));
        }
        if text.chars().any(char::is_control) {
            return Err(ChatError::invalid("text", "one line"));
        }
    }
    let emoji = match set.emoji.filter(|emoji| !emoji.is_empty()) {
        Some(emoji) if emoji.len() > limits.emoji_bytes => {
            let most = format!("at most {} bytes", limits.emoji_bytes);
            return Err(ChatError::invalid("emoji", most));
        }
        Some(emoji) => {
            let normal = clean_emoji(&emoji);
            Some(normal.ok_or_else(|| ChatError::invalid("emoji", "not an emoji"))?)
        }
        None => None,
    };
    Ok(OwnPresence {
        status: set.status,
        text,
        emoji,
        until: set.until,
    })
}

/// `presence_changed` as one's own sessions get it.
#[derive(Serialize)]
struct OwnPresenceChanged<'a> {
    #[serde(flatten)]
    presence: UserPresence,
    /// What was set.
    own: &'a OwnPresence,
}

impl ChatEngine {
    /// What a user's sessions make him; `None` when he has none or presence cannot be asked.
    async fn automatic_status(&self, user: &UserId) -> Option<PresenceStatus> {
        self.statuses(std::slice::from_ref(user)).await.remove(user)
    }

    /// Tells a user's followers what looks otherwise now, and his other sessions what was set.
    async fn tell_own_presence(
        &self,
        before: &User,
        after: &User,
        origin: Option<SessionId>,
    ) -> ChatResult<()> {
        let now = self.now();
        let automatic = self.automatic_status(&after.id).await;
        let known = fully_known(after, automatic, now);
        if before.presence.is_invisible(now) != after.presence.is_invisible(now) {
            self.retell_typing(before, after).await?;
        }
        // The time he was last seen is no difference of its own.
        let old = fully_known(before, automatic, now);
        let looks = |view: &crate::view::PresenceView| {
            let words = (view.status_text.clone(), view.status_emoji.clone());
            (view.status, view.dnd, words)
        };
        if looks(&old) != looks(&known) {
            let event = ChatEvent::PresenceChanged {
                user_id: after.id.clone(),
                status: known.status,
                last_seen_at: known.last_seen_at,
            };
            self.publish(event, None);
        }
        let own = after.presence.at(now);
        let payload = OwnPresenceChanged {
            presence: presence_of_oneself(after, automatic, now),
            own: &own,
        };
        let himself = std::slice::from_ref(&after.id);
        self.hand_over(himself, origin, "presence_changed", &payload)
            .await
    }

    /// Tells of presence that has lapsed since the last round.
    pub(super) async fn tell_lapsed(&self) {
        for (user, until) in self.inner().lapses.due(self.now()) {
            if let Err(error) = self.tell_lapse(&user, until).await {
                tracing::warn!(%error, "the end of a presence of one's own could not be told");
            }
        }
    }

    async fn tell_lapse(&self, user: &UserId, until: Timestamp) -> ChatResult<()> {
        let Some(row) = self.inner().store.users(std::slice::from_ref(user)).await?.pop() else {
            return Ok(());
        };
        if row.presence.until != Some(until) {
            // Something newer was set, here or elsewhere.
            self.inner().lapses.note(user, row.presence.until, self.now());
            return Ok(());
        }
        let mut before = row.clone();
        before.presence.until = None;
        self.tell_own_presence(&before, &row, None).await
    }
}

/// When presence that users have set lapses, as far as this process has to tell of it.
#[derive(Debug, Default)]
pub(crate) struct Lapses {
    due: Mutex<HashMap<UserId, Timestamp>>,
}

impl Lapses {
    /// Notes when a user's presence lapses, in place of what was noted before.
    pub(crate) fn note(&self, user: &UserId, until: Option<Timestamp>, now: Timestamp) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        match until.filter(|until| *until > now) {
            Some(until) => drop(due.insert(user.clone(), until)),
            None => drop(due.remove(user)),
        }
    }

    /// Takes out what has lapsed.
    fn due(&self, now: Timestamp) -> Vec<(UserId, Timestamp)> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.extract_if(|_, until| *until <= now).collect()
    }
}

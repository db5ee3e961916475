use std::collections::HashSet;

use crate::command::{CommandName, StarMessage, StarredMessages};
use crate::engine::Actor;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::MessageId;
use crate::model::{MessageKind, Star};
use crate::store::{StarChange, StarOutcome, StarredQuery};
use crate::view::{MessageView, Page, StarListDelta, StarView};

/// Stars told in one sync answer; of more the newest changes, and `limited`.
const SYNCED: usize = 500;

impl Actor {
    /// Stars a message for the caller alone. Starring it again changes nothing. A star stands as long as he sees the
    /// message; nobody else hears of it.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation`: a tombstone or a line of the engine; for the host, which has no stars.
    /// - `conflict`: [`stars_per_user`](crate::config::Limits::stars_per_user) of what he sees are starred already.
    pub async fn star_message(&self, star: StarMessage) -> ChatResult<MessageView> {
        let about = self.about(CommandName::StarMessage).message(star.message_id);
        self.command(about, self.change_star(star.message_id, true)).await
    }

    /// Takes the caller's star off a message. Where there is none, nothing changes.
    ///
    /// # Errors
    /// - `message_not_found`, `conversation_gone`: not a message of his sight.
    /// - `invalid_operation` for the host, which has no stars.
    pub async fn unstar_message(&self, star: StarMessage) -> ChatResult<MessageView> {
        let about = self.about(CommandName::UnstarMessage).message(star.message_id);
        self.command(about, self.change_star(star.message_id, false))
            .await
    }

    /// The caller's starred messages as far as he sees them, the newest star first.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`, also for a cursor of another conversation;
    /// `conversation_not_found`, `conversation_gone` for the conversation asked for.
    pub async fn starred_messages(&self, request: StarredMessages) -> ChatResult<Page<MessageView>> {
        let limit = self.limit(request.page.limit)?;
        let purpose = match request.conversation_id {
            Some(id) => format!("starred {id}"),
            None => "starred".to_owned(),
        };
        let after = self.cursor::<u64>(&purpose, &request.page)?;
        if let Some(id) = request.conversation_id {
            self.check_readable(id).await?;
        }
        let query = StarredQuery {
            conversation: request.conversation_id,
            after,
            limit: limit.saturating_add(1),
            ..self.all_starred()
        };
        let mut starred = self.inner().store.starred(&query).await?;
        let more = starred.len() > limit;
        starred.truncate(limit);
        let last = starred.last().map(|starred| starred.user_rev);
        let messages = starred.into_iter().map(|starred| starred.message).collect();
        Ok(Page {
            items: self.render_hits(messages).await?,
            next_cursor: self.next_cursor(&purpose, more, last.as_ref()),
        })
    }

    fn all_starred(&self) -> StarredQuery {
        StarredQuery {
            user: self.user_id().clone(),
            now: self.engine().now(),
            blocked_in_group: self.engine().config().policies.blocked_in_group,
            conversation: None,
            after: None,
            limit: self.engine().config().limits.stars_per_user,
        }
    }

    /// Looked at first and written then: should the message go in between, the list does not show it all the same.
    async fn change_star(&self, id: MessageId, on: bool) -> ChatResult<MessageView> {
        let refused = |detail| Err(ChatError::new(ErrorCode::InvalidOperation, detail));
        if self.is_host() {
            return refused("the host has no stars");
        }
        let (sight, message) = self.visible_message(id).await?;
        if on && message.is_deleted() {
            return refused("the message was deleted");
        }
        if on && message.kind == MessageKind::System {
            return refused("not on a line of the engine");
        }
        let star = Star {
            user_id: self.user_id().clone(),
            conversation_id: message.conversation_id,
            message_id: id,
            seq: message.seq,
        };
        // In a task of its own: own sessions hear of it even when the caller is gone by then.
        let actor = self.clone();
        let work = tokio::spawn(async move { actor.put_star(star, on).await });
        work.await
            .map_err(|error| ChatError::new(ErrorCode::Internal, "an internal error").with_source(error))??;
        self.render_message(&sight, message).await
    }

    async fn put_star(&self, star: Star, on: bool) -> ChatResult<()> {
        if self.set_star(&star, on).await? {
            return Ok(());
        }
        self.drop_unseen_stars().await?;
        if self.set_star(&star, on).await? {
            return Ok(());
        }
        let cap = self.engine().config().limits.stars_per_user;
        Err(ChatError::new(
            ErrorCode::Conflict,
            format!("at most {cap} messages are starred"),
        ))
    }

    /// Writes a star and tells own sessions of it; `false` when there is no room.
    async fn set_star(&self, star: &Star, on: bool) -> ChatResult<bool> {
        let cap = self.engine().config().limits.stars_per_user;
        match self.inner().store.set_star(star, on, cap).await? {
            StarOutcome::Full => return Ok(false),
            StarOutcome::Unchanged => {}
            StarOutcome::Changed(user_rev) => {
                let event = ChatEvent::StarChanged {
                    user_id: star.user_id.clone(),
                    conversation_id: star.conversation_id,
                    message_id: star.message_id,
                    user_rev,
                    starred: on,
                };
                self.engine().publish(event, self.session());
            }
        }
        Ok(true)
    }

    /// Makes room: stars on messages that are out of the caller's sight by now do not count.
    async fn drop_unseen_stars(&self) -> ChatResult<()> {
        let store = &self.inner().store;
        let all = store.star_changes(self.user_id(), 0, usize::MAX).await?;
        let seen: HashSet<MessageId> = store
            .starred(&self.all_starred())
            .await?
            .into_iter()
            .map(|starred| starred.message.id)
            .collect();
        let unseen = |change: &&StarChange| change.starred && !seen.contains(&change.star.message_id);
        for change in all.iter().filter(unseen) {
            self.set_star(&change.star, false).await?;
        }
        Ok(())
    }

    /// What changed of the caller's stars, for sync.
    pub(super) async fn stars_since(&self, user_rev: u64) -> ChatResult<StarListDelta> {
        let store = &self.inner().store;
        let mut changes = store.star_changes(self.user_id(), user_rev, SYNCED + 1).await?;
        let mut delta = StarListDelta {
            limited: (changes.len() > SYNCED).then_some(true),
            ..StarListDelta::default()
        };
        changes.truncate(SYNCED);
        for change in changes {
            let list = if change.starred {
                &mut delta.added
            } else {
                &mut delta.removed
            };
            list.push(StarView {
                conversation_id: change.star.conversation_id,
                message_id: change.star.message_id,
                seq: change.star.seq,
            });
        }
        Ok(delta)
    }
}

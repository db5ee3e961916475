//! Muting a user for oneself: no pushes of what he writes, wherever he writes it. Nobody else hears of it.

use super::Actor;
use crate::command::{CommandName, PageRequest};
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::Muted;
use crate::view::{MutedUser, Page};

impl Actor {
    /// Mutes a user for the caller until a time, or for good: his messages come, count and show as before, and none of
    /// them is pushed. It ends by the clock. A new mute replaces the old one; one that ends in the past is none.
    ///
    /// # Errors
    /// `invalid_operation` for oneself; `user_not_found`; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn mute_user(&self, user: &UserId, until: Muted) -> ChatResult<()> {
        let now = self.engine().now();
        let until = Some(until).filter(|until| until.is_active(now));
        let about = self.about(CommandName::MuteUser).users([user]);
        self.command(about, self.set_mute(user, until)).await
    }

    /// Lifts the caller's mute of a user. Lifting one that is not there changes nothing.
    ///
    /// # Errors
    /// Those of [`mute_user`](Actor::mute_user).
    pub async fn unmute_user(&self, user: &UserId) -> ChatResult<()> {
        let about = self.about(CommandName::UnmuteUser).users([user]);
        self.command(about, self.set_mute(user, None)).await
    }

    /// Users the caller mutes now, in order of id.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`; `unavailable`.
    pub async fn muted_users(&self, page: PageRequest) -> ChatResult<Page<MutedUser>> {
        let limit = self.limit(page.limit)?;
        let after = self.cursor::<UserId>("mutes", &page)?;
        let store = &self.inner().store;
        let mut mutes = store
            .muted_users(self.user_id(), self.engine().now(), after.as_ref(), limit + 1)
            .await?;
        let more = mutes.len() > limit;
        mutes.truncate(limit);
        let next_cursor = self.next_cursor("mutes", more, mutes.last().map(|mute| &mute.user));
        let ids: Vec<UserId> = mutes.iter().map(|mute| mute.user.clone()).collect();
        let users = self.render_user_ids(&ids).await?;
        Ok(Page {
            items: mutes
                .into_iter()
                .filter_map(|mute| {
                    let user = users.iter().find(|user| user.id == mute.user)?.clone();
                    Some(MutedUser {
                        user,
                        muted_until: mute.until,
                    })
                })
                .collect(),
            next_cursor,
        })
    }

    async fn set_mute(&self, user: &UserId, until: Option<Muted>) -> ChatResult<()> {
        if user == self.user_id() {
            return Err(ChatError::new(ErrorCode::InvalidOperation, "that is yourself"));
        }
        let known = self.find_users(std::slice::from_ref(user)).await?;
        if known.is_empty() {
            return Err(ChatError::new(ErrorCode::UserNotFound, "no such user"));
        }
        // In a task of its own: what was stored is told even when the caller is gone by then.
        let (actor, muted) = (self.clone(), user.clone());
        let work = tokio::spawn(async move {
            let store = &actor.inner().store;
            if let Some(user_rev) = store.set_mute(actor.user_id(), &muted, until).await? {
                let event = ChatEvent::MuteChanged {
                    user_id: actor.user_id().clone(),
                    muted,
                    until,
                    user_rev,
                };
                actor.engine().publish(event, actor.session());
            }
            Ok(())
        });
        work.await
            .map_err(|error| ChatError::new(ErrorCode::Internal, "an internal error").with_source(error))?
    }
}

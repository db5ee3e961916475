//! Blocking: private to the blocker, and never told to the blocked.

use super::Actor;
use super::changeset::ChangeSet;
use super::doubt::Doubt;
use super::members::standing;
use super::presence::Glimpse;
use super::settings::put_own_side;
use crate::access::{Action, allowed};
use crate::command::{CommandName, PageRequest};
use crate::config::BlockedInGroup;
use crate::error::{BackendErrorKind, ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::UserId;
use crate::model::{ConversationKind, DirectPair, User};
use crate::store::{MembersNeeded, Needs, Target};
use crate::view::{Page, UserView};

/// In how many groups that the two share the blocker's counts are told anew to his live sessions. Of the others he
/// learns with his next list or sync, which does not depend on this.
const TOLD_GROUPS: usize = 100;

impl Actor {
    /// Blocks a user: neither of the two writes to the other in their direct conversation any more, nor sees the
    /// other's presence or typing. The blocked user is not told. Blocking again changes nothing.
    ///
    /// # Errors
    /// `invalid_operation` for oneself; `user_not_found`; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn block(&self, user: &UserId) -> ChatResult<()> {
        let about = self.about(CommandName::BlockUser).users([user]);
        self.command(about, self.set_block(user, true)).await
    }

    /// Lifts a block, from now on. Lifting one that is not there changes nothing.
    ///
    /// # Errors
    /// `invalid_operation` for oneself; `user_not_found`; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn unblock(&self, user: &UserId) -> ChatResult<()> {
        let about = self.about(CommandName::UnblockUser).users([user]);
        self.command(about, self.set_block(user, false)).await
    }

    /// Users the caller has blocked, in order of id.
    ///
    /// # Errors
    /// `invalid_argument` (`limit`), `invalid_cursor`; `unavailable`.
    pub async fn blocked_users(&self, page: PageRequest) -> ChatResult<Page<UserView>> {
        let limit = self.limit(page.limit)?;
        let after = self.cursor::<UserId>("blocks", &page)?;
        let mut ids = self
            .inner()
            .store
            .blocked_users(self.user_id(), after.as_ref(), limit + 1)
            .await?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next_cursor = self.next_cursor("blocks", more, ids.last());
        Ok(Page {
            items: self.render_user_ids(&ids).await?,
            next_cursor,
        })
    }

    async fn set_block(&self, user: &UserId, on: bool) -> ChatResult<()> {
        if user == self.user_id() {
            return Err(ChatError::new(ErrorCode::InvalidOperation, "that is yourself"));
        }
        let known = self.find_users(&[user.clone(), self.user_id().clone()]).await?;
        let find = |id: &UserId| known.iter().find(|user| user.id == *id).cloned();
        let (Some(other), Some(me)) = (find(user), find(self.user_id())) else {
            return Err(ChatError::new(ErrorCode::UserNotFound, "no such user"));
        };
        // In a task of its own: what follows from the block happens even when the caller is gone by then.
        let actor = self.clone();
        let work = tokio::spawn(async move { actor.change_block(&me, &other, on).await });
        work.await
            .map_err(|error| ChatError::new(ErrorCode::Internal, "an internal error").with_source(error))?
    }

    async fn change_block(&self, me: &User, other: &User, on: bool) -> ChatResult<()> {
        let before = self.mutual_presence(me, other).await;
        let store = &self.inner().store;
        let changed = store
            .set_block(&me.id, &other.id, on, self.engine().now())
            .await
            .inspect_err(|error| {
                if error.kind() == BackendErrorKind::OutcomeUnknown {
                    self.inner().doubts.add(Doubt::about_user(&me.id));
                }
            })?;
        let Some(user_rev) = changed else { return Ok(()) };
        let event = ChatEvent::BlockChanged {
            blocker: me.id.clone(),
            blocked: other.id.clone(),
            on,
            user_rev,
        };
        self.engine().publish(event, self.session());
        // The block stands; what is left only tells live sessions, and they catch up by themselves if it fails.
        if let Err(error) = self.after_block(me, other, on, before).await {
            tracing::warn!(%error, "what follows from a block could not be told");
        }
        Ok(())
    }

    async fn after_block(
        &self,
        me: &User,
        other: &User,
        on: bool,
        before: ChatResult<[Vec<Glimpse>; 2]>,
    ) -> ChatResult<()> {
        if on {
            // Before it is cleared: who was told of it hears that it is over.
            self.engine().hide_typing(&other.id, &me.id).await?;
            self.engine().hide_typing(&me.id, &other.id).await?;
        }
        if on
            && let Some(pair) = DirectPair::new(&me.id, &other.id)
            && let Some(direct) = self.inner().store.direct(&pair).await?
        {
            self.inner().typing.clear(direct.id, &me.id);
            self.inner().typing.clear(direct.id, &other.id);
        }
        let [mine_before, others_before] = before?;
        let [mine, others] = self.mutual_presence(me, other).await?;
        self.engine().tell_difference(mine_before, mine).await?;
        self.engine().tell_difference(others_before, others).await?;
        self.recount_shared_groups(other, on).await
    }

    /// What each of the two knows of the other, where he follows it live.
    async fn mutual_presence(&self, me: &User, other: &User) -> ChatResult<[Vec<Glimpse>; 2]> {
        Ok([
            self.presence_followed(me, &other.id).await?,
            self.presence_followed(other, &me.id).await?,
        ])
    }

    async fn presence_followed(&self, subject: &User, viewer: &UserId) -> ChatResult<Vec<Glimpse>> {
        let viewers = self.engine().connected(std::slice::from_ref(viewer));
        if viewers.is_empty() {
            return Ok(Vec::new());
        }
        let inner = self.inner();
        if inner.live.watchers(&subject.id).contains(viewer)
            || !inner
                .store
                .contacts_among(&subject.id, &viewers)
                .await?
                .is_empty()
        {
            return self.engine().presence_for(subject, &viewers).await;
        }
        Ok(Vec::new())
    }

    /// Messages of the other count, or do not count, in groups the two share: the caller's own side of them changed.
    /// Once the block is over each sees the other's marks as they are again; of that sync tells the whole group, so
    /// that nobody learns from it who was blocked.
    async fn recount_shared_groups(&self, other: &User, on: bool) -> ChatResult<()> {
        let policy = self.engine().config().policies.blocked_in_group;
        let store = &self.inner().store;
        let groups = Some(ConversationKind::Group);
        let mut shared = Vec::new();
        for id in store.conversation_ids(self.user_id(), groups).await? {
            // Also where the other is no member any more: what he wrote there is still seen.
            if store.member(id, &other.id).await?.is_some() {
                shared.push(id);
            }
        }
        shared.truncate(TOLD_GROUPS);
        for id in shared {
            let me = self.user_id().clone();
            let mut needs = Needs::new(Target::Conversation(id));
            needs.members = MembersNeeded::Of(vec![me.clone()]);
            needs.user_revs = vec![me.clone()];
            let policies = self.engine().config().policies.clone();
            let told = self.commit(needs, move |facts| {
                let (conversation, member) = allowed(&standing(facts, &me, &policies), Action::Read)?;
                let mut change = ChangeSet::of(conversation, facts);
                // Under `Hide` old messages go or come back, so clients read the conversation anew.
                put_own_side(&mut change, member.clone(), policy == BlockedInGroup::Hide);
                Ok(if on {
                    change.done_private(())
                } else {
                    change.done(())
                })
            });
            match told.await {
                // He has left it since.
                Err(error) if error.code() == ErrorCode::ConversationNotFound => {}
                told => told?,
            }
        }
        Ok(())
    }
}

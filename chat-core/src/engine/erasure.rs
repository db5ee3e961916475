//! Erasing a user: he is shut out at once, then everything of his goes step by step. Every step may be repeated, so an
//! erasure that was cut short goes on from the beginning and finds nothing left where it has been.

use std::collections::HashMap;

use serde_json::{Map, json};

use super::changeset::ChangeSet;
use super::deletion::bury;
use super::leaving::leave_group;
use super::members::withdraw;
use super::{Actor, ChatEngine, Decision};
use crate::command::{CommandName, EraseMe};
use crate::config::Policies;
use crate::error::{ChatError, ChatResult, ErrorCode};
use crate::event::ChatEvent;
use crate::id::{ConversationId, MessageId, UserId};
use crate::live::EndReason;
use crate::model::{
    AttachmentState, ConversationKind, DeletionBy, ErasedMessages, Erasure, Member, MessageKind,
    NotificationLevel, Reaction, UserPatch,
};
use crate::store::{Facts, MembersNeeded, Needs, Target};

/// How many rows one step takes.
const BATCH: usize = 50;
/// How many erasures that were cut short go on in one round.
const RESUMED: usize = 10;

/// What is done in every conversation he is or was in.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// He goes.
    Part,
    /// What he said goes.
    Bury,
}

impl Actor {
    /// Erases the caller himself, where the host lets users do that. He is shut out when this answers; the rest goes
    /// on without him.
    ///
    /// # Errors
    /// `not_permitted`: not by [`self_erase`](crate::config::Policies::self_erase), or the host acts;
    /// `user_not_found`; `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn erase_me(&self, erase: EraseMe) -> ChatResult<()> {
        let about = self.about(CommandName::EraseMe);
        self.command(about, self.erase_me_past_hooks(erase.messages))
            .await
    }

    async fn erase_me_past_hooks(&self, messages: ErasedMessages) -> ChatResult<()> {
        if self.is_host() || !self.engine().config().policies.self_erase {
            return Err(ChatError::new(
                ErrorCode::NotPermitted,
                "users do not erase themselves here",
            ));
        }
        let user = self.user_id().clone();
        let Some(erasure) = self.engine().begin_erasure(&user, messages).await? else {
            return Ok(());
        };
        let engine = self.engine().clone();
        tokio::spawn(async move {
            if let Err(error) = engine.carry_out_erasure(&user, erasure).await {
                tracing::warn!(%error, "an erasure was cut short; it goes on by itself");
            }
        });
        Ok(())
    }
}

impl ChatEngine {
    /// Erases a user, for the host: his profile, settings, picture, devices, blocks either way, marks' times, hides,
    /// scheduled messages and unused uploads go, and so does what [`UserData`](crate::port::UserData) parts keep. He leaves his groups
    /// (ownership is handed over whatever the policy says about leaving), his direct conversations are frozen, and
    /// what he wrote becomes tombstones or stays of a deleted user. His sessions end at once and his id is refused from
    /// then on, for good.
    ///
    /// Erasing again changes nothing; one that was cut short, by an error, a crash or because the caller went away,
    /// goes on by itself within a minute, and the way it was begun.
    ///
    /// # Errors
    /// `user_not_found`; `overloaded`, `unavailable`, `outcome_unknown`, `storage_full`.
    pub async fn erase_user(&self, user: &UserId, messages: ErasedMessages) -> ChatResult<()> {
        match self.begin_erasure(user, messages).await? {
            Some(erasure) => self.carry_out_erasure(user, erasure).await,
            None => Ok(()),
        }
    }

    /// Goes on with erasures that were cut short; answers how many were finished. Runs by itself every minute.
    ///
    /// # Errors
    /// `unavailable`: the store cannot be asked. An erasure that fails again is logged.
    pub async fn resume_erasures(&self) -> ChatResult<usize> {
        let mut finished = 0;
        for user in self.inner().store.unfinished_erasures(RESUMED).await? {
            let Some(erasure) = user.erased else { continue };
            match self.carry_out_erasure(&user.id, erasure).await {
                Ok(()) => finished += 1,
                Err(error) => tracing::warn!(%error, "an erasure was cut short again"),
            }
        }
        Ok(finished)
    }

    /// Shuts the user out and wipes his row; `None` when he was erased before.
    async fn begin_erasure(&self, user: &UserId, messages: ErasedMessages) -> ChatResult<Option<Erasure>> {
        let store = &self.inner().store;
        let unknown = || ChatError::new(ErrorCode::UserNotFound, "no such user");
        let known = store.users(std::slice::from_ref(user)).await?.pop();
        let erasure = match known.ok_or_else(unknown)?.erased {
            Some(erasure) if erasure.done => return Ok(None),
            Some(erasure) => erasure,
            None => {
                let erasure = Erasure {
                    at: self.now(),
                    messages,
                    done: false,
                };
                let patch = UserPatch {
                    avatar: Some(None),
                    erased: Some(erasure),
                    ..UserPatch::default()
                };
                store.update_user(user, patch).await?.ok_or_else(unknown)?;
                erasure
            }
        };
        self.inner().live.end_user(user, EndReason::Revoked);
        Ok(Some(erasure))
    }

    async fn carry_out_erasure(&self, user: &UserId, erasure: Erasure) -> ChatResult<()> {
        // First he is out of everything, so that no command still on its way adds to what goes.
        self.each_membership(user, Step::Part).await?;
        if erasure.messages == ErasedMessages::Delete {
            self.each_membership(user, Step::Bury).await?;
            self.take_reactions_back(user).await?;
        }
        self.lift_blocks_of(user).await?;
        self.drop_uploads(user).await?;
        for part in &self.inner().user_data {
            part.erase(user).await?;
        }
        let store = &self.inner().store;
        while store.erase_private(user, BATCH).await? > 0 {}
        let patch = UserPatch {
            erased: Some(Erasure {
                done: true,
                ..erasure
            }),
            ..UserPatch::default()
        };
        store.update_user(user, patch).await?;
        Ok(())
    }

    async fn each_membership(&self, user: &UserId, step: Step) -> ChatResult<()> {
        let mut after = None;
        loop {
            let page = self.inner().store.memberships(user, after, BATCH).await?;
            for member in &page {
                match step {
                    Step::Part => self.part(user, member.conversation_id).await?,
                    Step::Bury => self.bury_messages(user, member.conversation_id).await?,
                }
            }
            after = page.last().map(|member| member.conversation_id);
            if page.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// Takes him out of a group, freezes a direct, and clears what he has set for himself there.
    async fn part(&self, user: &UserId, id: ConversationId) -> ChatResult<()> {
        let mut needs = Needs::new(Target::Conversation(id));
        // The heir is looked for among all of them.
        needs.members = MembersNeeded::All;
        needs.user_revs = vec![user.clone()];
        let lines = [(); 2].map(|()| MessageId::from_uuid(self.inner().ids.next()));
        let policies = self.config().policies.clone();
        let leaving = user.clone();
        self.commit(None, needs, move |facts| {
            Ok(decide_parting(facts, &leaving, lines, &policies))
        })
        .await?;
        self.inner().typing.clear(id, user);
        Ok(())
    }

    async fn bury_messages(&self, user: &UserId, id: ConversationId) -> ChatResult<()> {
        let mut after = 0;
        loop {
            let page = self.inner().store.sent_messages(id, user, after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.seq;
            let mut needs = Needs::new(Target::Conversation(id));
            let living = page
                .iter()
                .filter(|message| !message.is_deleted() && message.kind != MessageKind::System);
            for message in living {
                needs.messages.push(message.id);
                needs
                    .attachments
                    .extend(message.content.attachments.iter().copied());
            }
            if !needs.messages.is_empty() {
                let ids = needs.messages.clone();
                self.commit(None, needs, move |facts| Ok(decide_burial(facts, &ids)))
                    .await?;
            }
            if page.len() < BATCH {
                return Ok(());
            }
        }
    }

    async fn take_reactions_back(&self, user: &UserId) -> ChatResult<()> {
        let mut after = None;
        loop {
            let page = self.inner().store.reactions_by(user, after, BATCH).await?;
            let full = page.len() == BATCH;
            after = page
                .last()
                .map(|reaction| (reaction.message_id, reaction.emoji.clone()));
            let mut by_conversation: HashMap<ConversationId, Vec<Reaction>> = HashMap::new();
            for reaction in page {
                by_conversation
                    .entry(reaction.conversation_id)
                    .or_default()
                    .push(reaction);
            }
            for (id, reactions) in by_conversation {
                let mut needs = Needs::new(Target::Conversation(id));
                needs.messages = reactions.iter().map(|reaction| reaction.message_id).collect();
                needs.messages.dedup();
                let ids = needs.messages.clone();
                self.commit(None, needs, move |facts| {
                    Ok(decide_removal(facts, &ids, &reactions))
                })
                .await?;
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Others' block lists lose him; they hear of it as of any other change of their lists.
    async fn lift_blocks_of(&self, user: &UserId) -> ChatResult<()> {
        let store = &self.inner().store;
        for blocker in store.blocks_of(user).await?.blocked_by {
            if let Some(user_rev) = store.set_block(&blocker, user, false, self.now()).await? {
                let event = ChatEvent::BlockChanged {
                    blocker,
                    blocked: user.clone(),
                    on: false,
                    user_rev,
                };
                self.publish(event, None);
            }
        }
        Ok(())
    }

    /// Uploads that nothing shows; the sweep of files takes their bytes.
    async fn drop_uploads(&self, user: &UserId) -> ChatResult<()> {
        let store = &self.inner().store;
        let mut after = None;
        loop {
            let page = store.uploads_by(user, after, BATCH).await?;
            for file in &page {
                // One that waits with a scheduled message goes as well: that is not sent any more.
                if matches!(file.state, AttachmentState::Pending | AttachmentState::Reserved) {
                    store
                        .move_attachment(file.id, file.state, AttachmentState::Deleted)
                        .await?;
                }
            }
            after = page.last().map(|file| file.id);
            if page.len() < BATCH {
                return Ok(());
            }
        }
    }
}

fn decide_parting(facts: &Facts, user: &UserId, lines: [MessageId; 2], policies: &Policies) -> Decision<()> {
    let (Some(conversation), Some(member)) = (&facts.conversation, facts.members.get(user)) else {
        return Decision::nothing(());
    };
    let mut change = ChangeSet::of(conversation, facts);
    let mut public = false;
    if conversation.kind == ConversationKind::Direct {
        if !conversation.frozen {
            change.conversation.frozen = true;
            let rev = change.next_rev();
            let mut changed = Map::new();
            changed.insert("frozen".to_owned(), json!(true));
            change.event(ChatEvent::ConversationUpdated {
                conversation_id: conversation.id,
                rev,
                changed,
            });
            public = true;
        }
    } else if member.is_active() {
        leave_group(&mut change, facts, member, lines, policies);
        public = true;
    }
    let before = change
        .writes
        .members
        .iter()
        .find(|row| row.user_id == *user)
        .unwrap_or(member)
        .clone();
    let mut own = before.clone();
    forget_settings(&mut own);
    if own != before {
        own.user_rev = change.next_user_rev(user);
        change.put_member(own);
    }
    match (public, change.writes.members.is_empty()) {
        (true, _) => change.done(()),
        (false, false) => change.done_private(()),
        (false, true) => Decision::nothing(()),
    }
}

fn forget_settings(member: &mut Member) {
    withdraw(member);
    member.notification_level = NotificationLevel::All;
}

fn decide_burial(facts: &Facts, ids: &[MessageId]) -> Decision<()> {
    let Some(conversation) = &facts.conversation else {
        return Decision::nothing(());
    };
    let mut change = ChangeSet::of(conversation, facts);
    let living = ids.iter().filter_map(|id| facts.messages.get(id));
    for message in living.filter(|message| !message.is_deleted()) {
        bury(&mut change, facts, message, DeletionBy::Author);
    }
    if change.writes.messages.is_empty() {
        return Decision::nothing(());
    }
    change.done(())
}

fn decide_removal(facts: &Facts, ids: &[MessageId], reactions: &[Reaction]) -> Decision<()> {
    let Some(conversation) = &facts.conversation else {
        return Decision::nothing(());
    };
    let mut change = ChangeSet::of(conversation, facts);
    for message in ids.iter().filter_map(|id| facts.messages.get(id)) {
        let his = reactions.iter().filter(|one| one.message_id == message.id);
        change.writes.reactions_removed.extend(his.cloned());
        let message = change.update_message(message.clone());
        change.event(ChatEvent::MessageUpdated { message });
    }
    if change.writes.messages.is_empty() {
        return Decision::nothing(());
    }
    change.done(())
}
